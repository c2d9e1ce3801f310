import RedlockCore

extension Schedule {
    /// A schedule drawn from a seed: first the world's knobs, then, class by class, its faults.
    package init(random seed: UInt64, _ profile: Profile) {
        self.init(seed: seed)
        var random = Randomness(seed: seed, .options)
        options = WorldOptions(random: &random, profile)
        var fencing = Randomness(seed: seed, .fencing)
        options.drawFencing(&fencing)
        options.drawGuards(seed)
        options.drawLimits(seed)
        options.drawClients(seed, profile)
        healAt = min(max(options.ttl * random.within(2...8), Self.shortestRun), Self.longestRun)
        addFaults(profile)
        endAt = max(healAt, lastFaultEnd) + options.livenessBound + options.livenessBound / 2
        if profile == .fencing { fence(as: FencingWorld(seed: seed)) }
    }

    private static let shortestRun = WorldOptions.milliseconds(4_000)
    private static let longestRun = WorldOptions.milliseconds(25_000)

    /// Of a thousand seeds, those that leave a class of faults out: what is always there hides what it prevents.
    private static let leftOut: Int64 = 650

    private mutating func addFaults(_ profile: Profile) {
        for kind in profile.kinds {
            var random = Randomness(seed: seed, .faults, Fault.Kind.allCases.firstIndex(of: kind)!)
            guard !random.chance(perMille: Self.leftOut) else { continue }
            let pause = random.within(500...4_000)
            var time = WorldOptions.milliseconds(random.within(0...pause))
            while time < healAt {
                add(kind, at: time, profile, &random)
                time += WorldOptions.milliseconds(random.within(1...(2 * pause)))
            }
        }
        faults.sort { $0.at < $1.at }
        keepContracts(profile)
    }

    /// Makes every fault one that the profile allows; those that were drawn for it are already, but for the restarts.
    mutating func keepContracts(_ profile: Profile) {
        if !profile.breaksClocks {
            for index in faults.indices {
                switch faults[index].kind {
                case .nodeClockJump: faults[index].amount = max(-abs(faults[index].amount), -options.ttl)
                case .nodeClockRate, .clientClockRate:
                    faults[index].amount = min(max(faults[index].amount, -options.allowedRate), options.allowedRate)
                default: break
                }
            }
        }
        for index in faults.indices { keepWords(of: index, profile) }
        options.keepContracts(profile)
        // One node may have bad numbers, whichever comes first: a majority of them is no minority.
        let bad = faults.first { $0.kind == .nodeBadNumber }?.nodes.first.map { [$0] }
        for index in faults.indices where faults[index].kind == .nodeBadNumber { faults[index].nodes = bad ?? [0] }
        guard !profile.forgets else { return }
        for index in faults.indices { respectContract(index) }
    }

    /// Only what forgets evicts, and a false uptime breaks an assumption.
    private mutating func keepWords(of index: Int, _ profile: Profile) {
        switch faults[index].kind {
        case .nodeMemory where !profile.forgets: faults[index].text = Fault.EvictionPolicy.noEviction.rawValue
        case .nodeGreeting:
            let isLong = faults[index].text == Fault.GreetingDefect.longUptime.rawValue
            if isLong, !profile.forgets { faults[index].text = Fault.GreetingDefect.noUptime.rawValue }
            if !isLong || !profile.forgets { faults[index].amount = 0 }
        default: break
        }
    }

    mutating func add(_ kind: Fault.Kind, at time: Int64, _ profile: Profile, _ random: inout Randomness) {
        var fault = Fault(kind, at: time / 1_000 * 1_000)
        switch kind.target {
        case .node: fault.nodes = [Int(random.below(Int64(options.nodes)))]
        case .client: fault.clients = [Int(random.below(Int64(options.clients)))]
        case .link:
            fault.clients = Self.some(of: options.clients, &random)
            fault.nodes = Self.some(of: options.nodes, &random)
        }
        if !kind.isInstant { fault.duration = Self.microseconds(length(of: kind, &random)) }
        fault.amount = amount(of: kind, profile, &random)
        if kind.unit == .time { fault.amount = Self.microseconds(fault.amount) }
        // Below three nodes none may fail, so none may have a bad number.
        if kind == .nodeBadNumber, options.nodes < 3 { return }
        if kind == .nodeErrors { fault.text = random.choose(Self.errors) }
        if kind == .nodeSettings { fault.text = random.choose(Self.settings).rawValue }
        if kind == .nodeMemory { fault.text = random.choose(Fault.EvictionPolicy.allCases).rawValue }
        if kind == .nodeGreeting { fault.text = random.choose(Fault.GreetingDefect.allCases).rawValue }
        if kind == .partition { fault.direction = random.choose([.both, .both, .toNode, .toClient]) }
        faults.append(fault)
    }

    /// One, a few, or all of `count`.
    private static func some(of count: Int, _ random: inout Randomness) -> [Int] {
        switch random.below(4) {
        case 0: return Array(0..<count)
        case 1: return [Int(random.below(Int64(count)))]
        default:
            let chosen = (0..<count).filter { _ in random.chance(perMille: 500) }
            return chosen.isEmpty ? [Int(random.below(Int64(count)))] : chosen
        }
    }

    static func microseconds(_ nanoseconds: Int64) -> Int64 { nanoseconds / 1_000 * 1_000 }

    /// From a blink to longer than the ttl, every order of magnitude alike.
    func length(of kind: Fault.Kind, _ random: inout Randomness) -> Int64 {
        random.logarithmic(WorldOptions.milliseconds(1)...max(options.ttl * 2, WorldOptions.milliseconds(2)))
    }

    func amount(of kind: Fault.Kind, _ profile: Profile, _ random: inout Randomness) -> Int64 {
        switch kind {
        case .nodeSlow, .fsyncStall, .linkDelay:
            return random.logarithmic(WorldOptions.milliseconds(1) / 10...options.nodeTimeout * 4)
        case .nodeClockJump, .nodeClockStrobe:
            // 1.5^6 to 1.5^31 ms is 11 ms to 80 hours; the ttl is what matters, so it stays near.
            let size = random.logarithmic(
                WorldOptions.milliseconds(11)...max(options.ttl * 4, WorldOptions.milliseconds(100)))
            // Back costs availability only; forward breaks an assumption.
            return profile.breaksClocks && random.chance(perMille: 700) ? size : -min(size, options.ttl)
        case .clientClockJump:
            let size = random.logarithmic(WorldOptions.milliseconds(11)...WorldOptions.milliseconds(300_000_000))
            return random.chance(perMille: 500) ? size : -size
        case .nodeClockRate, .clientClockRate:
            let beyond = profile.breaksClocks && random.chance(perMille: 300)
            let limit = options.allowedRate * (beyond ? 20 : 1)
            return random.within(-min(limit, 500_000_000)...limit)
        case .nodeMemory: return random.chance(perMille: 400) ? 1_000 : random.within(50...900)
        case .nodeGreeting:
            return random.logarithmic(
                WorldOptions.milliseconds(1_000)...options.ttl * 4 + WorldOptions.milliseconds(1_000))
        case .clientStop:
            // At once, a moment later, or not in this run.
            return random.choose([0, 0, 0, WorldOptions.milliseconds(random.within(1...2_000)), Self.neverPutRight])
        case .nodeFailover, .nodeReplica, .nodeRestore:
            return random.logarithmic(WorldOptions.milliseconds(1)...options.ttl * 2)
        case .nodeBadNumber: return random.choose(Self.badNumbers)
        case .nodeForgetNumbers: return random.logarithmic(WorldOptions.milliseconds(1)...options.ttl * 4)
        case .nodeEvict: return random.below(Int64(options.resources))
        case .linkLoss: return random.within(5...400)
        default: return 0
        }
    }

    /// A node that forgot may come back when all that it knew has expired: by its own clock, which may run slow or be
    /// set back. So the fault is made as long as that; the healing keeps to it.
    private mutating func respectContract(_ index: Int) {
        if options.toleratesAmnesia { return }
        switch (faults[index].kind, options.persistence) {
        case (.nodeKill, .snapshot), (.nodeKill, .none): break
        case (.nodePowerLoss, let persistence) where persistence != .aofAlways: break
        default: return
        }
        let setBack = faults.reduce(0) { $1.kind == .nodeClockJump ? $0 - min(0, $1.amount) : $0 }
        faults[index].duration = options.ttl + options.ttl / 5 + WorldOptions.milliseconds(10) + setBack
    }

    /// Beyond all; the highest that a node reports; beyond clocks; the highest of a clock.
    static let badNumbers: [Int64] = [
        (1 << 53) - 2, Limits.fencingNumber - 1, Limits.fencingProposal + 1, Limits.fencingProposal,
    ]

    /// Later than the end of any random run.
    private static let neverPutRight = WorldOptions.milliseconds(86_400_000)

    private static let settings: [WorldOptions.Persistence] = [.none, .none, .aofAlways]

    static let errors = [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "READONLY You can't write against a read only replica.",
        "LOADING Redis is loading the dataset in memory", "BUSY Redis is busy running a script.",
        "MISCONF Redis is configured to save RDB snapshots", "NOAUTH Authentication required.",
    ]
}

extension WorldOptions {
    /// Every knob is drawn too: some bugs live only where two nodes, short ttls and long delays meet.
    init(random: inout Randomness, _ profile: Profile) {
        self.init()
        nodes = random.choose([5, 5, 5, 5, 3, 3, 3, 4, 7, 2, 1, 6])
        clients = random.choose([2, 2, 3, 3, 3, 4, 5])
        workersPerClient = random.choose([1, 1, 1, 2])
        resources = random.choose([1, 1, 1, 2])
        persistence = random.choose([.aofAlways, .aofAlways, .aofEverySecond, .snapshot, .none])
        driftPartsPerMillion = random.choose([10_000, 10_000, 1_000, 50_000])
        delay = random.logarithmic(50_000...Self.milliseconds(4)) / 1_000 * 1_000
        jitter = random.choose([0, delay / 4, delay, delay * 3]) / 1_000 * 1_000
        // The round trip must fit, or every run would be an outage.
        nodeTimeout = Self.milliseconds(random.within(2...40)) + 8 * delay + 2 * jitter
        let shortest = max(nodeTimeout * 3, Self.milliseconds(100))
        ttl = random.logarithmic(shortest...max(shortest, Self.milliseconds(8_000))) / 1_000_000 * 1_000_000
        retryDelay = Self.milliseconds(random.within(5...150))
        retryJitter = max(Self.milliseconds(random.within(5...150)), 8 * delay)
        twoSites = random.chance(perMille: 200)
        selfExtending = random.choose([0, 500, 1_000])
        cancelled = random.choose([0, 50, 300])
        hold = random.logarithmic(Self.milliseconds(50)...ttl * 2) / 1_000 * 1_000
        think = random.choose([Self.milliseconds(20), Self.milliseconds(200), ttl]) / 1_000 * 1_000
        wait = random.choose([0, ttl, ttl * 4]) / 1_000 * 1_000
        // Without a margin the end of belief is the end of validity: the hardest case.
        lossMargin = random.choose([-1_000, 0, 0, ttl / 4]) / 1_000 * 1_000
        drawRates(&random)
        fallbackDelay = Self.milliseconds(random.choose([200, 1_000, 1_000, 5_000]))
        foreignClients = random.choose([0, 0, 0, 0, 1])
        if random.chance(perMille: 200) { workersPerClient = 4 }
    }

    /// From a stream of its own: it was added when seeds had been noted.
    mutating func drawFencing(_ random: inout Randomness) {
        switch random.below(10) {
        case 0..<5: fencedClients = 0
        case 5..<9: fencedClients = clients
        default: fencedClients = Int(random.within(1...Int64(clients)))
        }
        lateWrites = fencedClients == clients ? random.choose([0, 50, 300]) : 0
        let apart = random.logarithmic(Self.milliseconds(1)...Self.milliseconds(3_600_000)) / 1_000 * 1_000
        wallSkew = random.chance(perMille: 500) ? apart : 0
    }

    /// What makes up for nodes that forget and clocks that jump is there as a rule, and left out now and then.
    mutating func drawGuards(_ seed: UInt64) {
        var random = Randomness(seed: seed, .options, 1)
        quarantine = random.choose([-1_000, -1_000, -1_000, 0])
        guardsClocks = random.chance(perMille: 750)
        trustsDurableNodes = random.chance(perMille: 250)
    }

    /// What else callers ask for; each left out in half of the worlds.
    mutating func drawLimits(_ seed: UInt64) {
        var random = Randomness(seed: seed, .options, 2)
        maximumHolds = random.choose([0, 0, 200, 800])
        maximumAttempts = random.choose([0, 0, 200, 800])
        otherExtensions = random.choose([0, 0, 300, 1_000])
        bodies = random.choose([0, 500, 1_000])
        logTime = random.choose([0, Self.milliseconds(random.within(1...2_000))])
    }

    /// In a third of the worlds clients are configured each in its own way.
    mutating func drawClients(_ seed: UInt64, _ profile: Profile) {
        var random = Randomness(seed: seed, .options, 3)
        guard random.chance(perMille: 333) else { return }
        clientSettings = (0..<clients).map { _ in ClientSettings(random: &random, self) }
        keepContracts(profile)
    }

    /// What settings may be off by without an assumption that they break.
    mutating func keepContracts(_ profile: Profile) {
        for index in clientSettings.indices {
            if !profile.forgets, let longest = clientSettings[index].longestTTL {
                clientSettings[index].longestTTL = max(longest, ttl)
            }
            if !profile.breaksClocks, let drift = clientSettings[index].driftPartsPerMillion {
                clientSettings[index].driftPartsPerMillion = max(drift, driftPartsPerMillion)
            }
            // The longest ttl of a client is at least its own.
            if let longest = clientSettings[index].longestTTL {
                clientSettings[index].ttl = min(clientSettings[index].ttl ?? ttl, longest)
            }
            clientSettings[index].ttl = clientSettings[index].ttl.map { min($0, ttl) }
            clientSettings[index].nodeTimeout = clientSettings[index].nodeTimeout.map { min($0, nodeTimeout) }
            clientSettings[index].fallbackDelay = clientSettings[index].fallbackDelay.map { min($0, fallbackDelay) }
        }
    }

    mutating func drawRates(_ random: inout Randomness) {
        let limit = allowedRate
        switch random.below(4) {
        case 0: break
        case 1:
            nodeRates = Array(repeating: limit, count: nodes)
            clientRates = Array(repeating: -limit, count: clients)
        default:
            nodeRates = (0..<nodes).map { _ in random.within(-limit...limit) }
            clientRates = (0..<clients).map { _ in random.within(-limit...limit) }
        }
    }
}

extension ClientSettings {
    /// Each number is the world's, or another that a client may have.
    init(random: inout Randomness, _ world: WorldOptions) {
        self.init()
        let room = 8 * world.delay + 2 * world.jitter
        let shortest = min(max(world.nodeTimeout * 3, WorldOptions.milliseconds(100)), world.ttl)
        func microseconds(_ nanoseconds: Int64) -> Int64 { nanoseconds / 1_000 * 1_000 }
        if random.chance(perMille: 500) { ttl = microseconds(random.within(shortest...world.ttl)) }
        if random.chance(perMille: 300) {
            nodeTimeout = microseconds(random.within(min(room + 1_000_000, world.nodeTimeout)...world.nodeTimeout))
        }
        if random.chance(perMille: 300) {
            fallbackDelay = microseconds(random.within(world.fallbackDelay / 4...world.fallbackDelay))
        }
        if random.chance(perMille: 300) {
            longestTTL = microseconds(random.choose([world.ttl / 2, world.ttl, world.ttl * 2]))
            ttl = min(ttl ?? world.ttl, longestTTL!)
        }
        if random.chance(perMille: 200) { driftPartsPerMillion = random.choose([1_000, 20_000, 50_000, 100_000]) }
        if random.chance(perMille: 300) { trustsDurableNodes = random.chance(perMille: 500) }
    }
}
