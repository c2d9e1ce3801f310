import RedlockCore

// What the worlds of a mutant's hunt have in common: tolerated faults all of them, but more of what the rule is for.

extension Schedule {
    /// Virtual machines of holders that are stopped for about as long as a lease; their wall clocks are right at once.
    mutating func stopHolders() {
        pauseHolders(.clientStop)
        options.guardsClocks = true
    }

    /// Holders that extend, and that reach one node alone for a ttl and a half.
    mutating func cutHoldersOff() {
        var random = Randomness(seed: seed, .test)
        options.nodes = max(options.nodes, 3)
        options.selfExtending = 1_000
        options.hold = options.ttl * 3 / 1_000 * 1_000
        for client in 0..<options.clients {
            var time = random.below(options.ttl * 2)
            while time < healAt {
                var fault = Fault(.partition, at: time / 1_000 * 1_000, nodes: Array(1..<options.nodes))
                fault.clients = [client]
                fault.duration = options.ttl * 3 / 2 / 1_000 * 1_000
                faults.append(fault)
                time = fault.end + options.ttl + random.below(options.ttl * 2)
            }
        }
        faults.sort { $0.at < $1.at }
        endAt = max(endAt, lastFaultEnd + options.livenessBound)
    }

    /// All nodes as fast, all clients as slow as the drift allows: what the allowance is for.
    mutating func spreadClocks() {
        options.nodeRates = Array(repeating: options.allowedRate, count: options.nodes)
        options.clientRates = Array(repeating: -options.allowedRate, count: options.clients)
        options.selfExtending = 0
        options.hold = options.ttl * 3
    }

    /// Replies that take a good part of the node timeout, and holders that go on to the end of their lease.
    mutating func slowReplies() {
        options.driftPartsPerMillion = 1_000
        options.nodeRates = []
        options.clientRates = []
        options.jitter = options.nodeTimeout / 2
        options.selfExtending = 0
        options.hold = options.ttl * 3
        faults = faults.filter { $0.kind != .nodeClockRate && $0.kind != .clientClockRate }
    }

    /// Holders that stand still for about as long as their lease, again and again.
    mutating func pauseHolders(_ kind: Fault.Kind = .clientPause) {
        var random = Randomness(seed: seed, .test)
        options.selfExtending = 1_000
        options.hold = options.ttl * 3
        for client in 0..<options.clients {
            var time = random.below(options.ttl)
            while time < healAt {
                let length = options.ttl / 2 + random.below(options.ttl)
                faults.append(Fault(kind, at: time / 1_000 * 1_000, clients: [client], for: length / 1_000 * 1_000))
                time += length + random.below(options.ttl * 2)
            }
        }
        faults.sort { $0.at < $1.at }
        endAt = max(endAt, lastFaultEnd + options.livenessBound)
    }

    /// Holders that extend by hand, and nodes that fall silent and come back all the time.
    mutating func silenceNodes() {
        var random = Randomness(seed: seed, .test)
        options.selfExtending = 0
        options.hold = options.ttl * 3
        options.cancelled = 0
        options.workersPerClient = 1
        options.think = options.ttl / 4 + 1
        options.nodeTimeout = max(options.nodeTimeout, options.ttl / 3)
        healAt = min(healAt, options.ttl * 6)
        faults = []
        for node in 0..<options.nodes {
            var time = random.below(options.ttl)
            while time < healAt {
                let length = options.ttl / 4 + random.below(options.ttl * 2)
                faults.append(Fault(.nodePause, at: time / 1_000 * 1_000, nodes: [node], for: length / 1_000 * 1_000))
                time += length + random.below(options.ttl * 3)
            }
        }
        faults.sort { $0.at < $1.at }
        endAt = max(endAt, lastFaultEnd + options.livenessBound)
    }

    /// Leases that extend themselves for a long time, and nodes that are restarted one after the other, each away for
    /// longer than a ttl. The clients are well.
    mutating func restartInTurn() {
        var random = Randomness(seed: seed, .test)
        options.selfExtending = 1_000
        options.cancelled = 0
        options.hold = options.ttl * 20
        faults = faults.filter { $0.kind.target != .client && $0.kind != .nodeKill }
        var time = options.ttl
        var node = 0
        while time < healAt {
            let length = options.ttl + random.below(options.ttl)
            faults.append(Fault(.nodeKill, at: time / 1_000 * 1_000, nodes: [node], for: length / 1_000 * 1_000))
            node = (node + 1) % options.nodes
            time += length + random.below(options.ttl * 2)
        }
        faults.sort { $0.at < $1.at }
        keepContracts(.tolerated)
        endAt = max(endAt, lastFaultEnd + options.livenessBound)
    }

    /// Wall clocks of clients that are set to and fro.
    mutating func setClientClocks() {
        var random = Randomness(seed: seed, .test)
        options.selfExtending = 0
        options.hold = options.ttl * 3
        for client in 0..<options.clients {
            var time = random.below(options.ttl)
            while time < healAt {
                let amount = random.within(-2 * options.ttl...options.ttl) / 1_000 * 1_000
                faults.append(Fault(.clientClockJump, at: time / 1_000 * 1_000, clients: [client]).with(amount: amount))
                time += options.ttl + random.below(options.ttl * 4)
            }
        }
        faults.sort { $0.at < $1.at }
    }

    /// No faults, short holds, long waits, and a ttl and a fallback that nobody wants to wait for.
    mutating func waitInPeace() {
        faults = []
        options.foreignClients = 0
        options.selfExtending = 0
        options.cancelled = 0
        options.ttl = WorldOptions.milliseconds(60_000)
        options.wait = WorldOptions.milliseconds(50_000)
        options.hold = 40 * options.roundTrip
        options.retryDelay = WorldOptions.milliseconds(20_000)
        options.fallbackDelay = WorldOptions.milliseconds(40_000)
        // Long enough for subscriptions to end in between.
        options.think = WorldOptions.milliseconds(3_000)
        healAt = WorldOptions.milliseconds(40_000)
        endAt = healAt + options.livenessBound
    }

    /// The same, among clients that tell nobody of a release.
    mutating func waitForForeigners() {
        waitInPeace()
        options.retryDelay = WorldOptions.milliseconds(100)
        options.fallbackDelay = WorldOptions.milliseconds(1_000)
        options.hold = WorldOptions.milliseconds(500)
        options.think = WorldOptions.milliseconds(500)
        options.foreignClients = options.clients
    }

    /// Two clients, each near half of an even number of nodes, that want the same at the same time for ever.
    mutating func splitVotes() {
        options.nodes = 4
        options.clients = 2
        options.workersPerClient = 1
        options.resources = 1
        options.twoSites = true
        options.jitter = 0
        options.nodeRates = []
        options.clientRates = []
        options.cancelled = 0
        options.wait = WorldOptions.milliseconds(120_000)
        options.think = 1_000
        faults = []
        healAt = 0
        endAt = options.livenessBound * 3
    }

    /// Nodes that keep nothing and are killed one after the other, for a moment each; their clocks may be set as soon
    /// as they are back, when there is no key yet that it could harm. No client is made anew: all have met all nodes.
    mutating func killNodesWithoutMemory(settingClocks: Bool = false) {
        var random = Randomness(seed: seed, .test)
        options.persistence = .none
        options.quarantine = -1_000
        options.ttl = max(options.ttl, WorldOptions.milliseconds(1_000))
        options.selfExtending = 0
        options.hold = options.ttl * 3
        faults = []
        var time = options.ttl
        while time < healAt {
            let node = Int(random.below(Int64(options.nodes)))
            let start = Self.microseconds(time)
            let length = Self.microseconds(1 + random.below(options.ttl / 8))
            faults.append(Fault(.nodeKill, at: start, nodes: [node], for: length))
            if settingClocks {
                // The guard would see it too.
                options.guardsClocks = false
                faults.append(
                    Fault(.nodeClockJump, at: start + length + 1_000, nodes: [node]).with(
                        amount: WorldOptions.milliseconds(3_600_000)))
            }
            time += options.ttl / 2 + random.below(options.ttl)
        }
        faults.sort { $0.at < $1.at }
        endAt = max(endAt, lastFaultEnd + options.livenessBound)
    }

    /// Nodes that kept nothing are killed one after the other, and started again with a log: the roll-out of a setting.
    mutating func switchLogsOn() {
        var random = Randomness(seed: seed, .test, 1)
        killNodesWithoutMemory()
        trustNothing()
        for fault in faults where fault.kind == .nodeKill {
            var settings = Fault(.nodeSettings, at: fault.at, nodes: fault.nodes, for: max(healAt, fault.at) - fault.at)
            settings.text = WorldOptions.Persistence.aofAlways.rawValue
            faults.append(settings)
            // It meets the node for the first time.
            let newcomer = Int(random.below(Int64(options.clients)))
            faults.append(Fault(.clientCrash, at: fault.at, clients: [newcomer], for: fault.duration))
        }
        faults.sort { $0.at < $1.at }
    }

    /// Logs of a majority are switched off for a while and on again by a restart, and one client is cut off meanwhile.
    mutating func switchLogsOffUnseen() {
        var random = Randomness(seed: seed, .test)
        trustNothing()
        options.persistence = .aofAlways
        options.ttl = max(options.ttl, WorldOptions.milliseconds(12_000))
        options.selfExtending = 0
        options.hold = options.ttl * 3
        options.clients = max(options.clients, 2)
        options.think = WorldOptions.milliseconds(200)
        options.wait = options.ttl
        faults = []
        let nodes = Array(0..<options.quorum)
        var time = options.ttl * 2
        healAt = options.ttl * 6
        while time < healAt {
            let start = Self.microseconds(time + random.below(options.ttl))
            let length = Limits.durabilityGap.count + WorldOptions.milliseconds(3_000)
            let cut = (0..<options.clients - 1).map { $0 }
            faults.append(Fault(.partition, at: start, nodes: Array(0..<options.nodes), clients: cut, for: length))
            var settings = Fault(
                .nodeSettings, at: start, nodes: nodes, for: length - WorldOptions.milliseconds(100))
            settings.text = WorldOptions.Persistence.none.rawValue
            faults.append(settings)
            faults.append(
                Fault(
                    .nodeKill, at: start + length - WorldOptions.milliseconds(500), nodes: nodes,
                    for: WorldOptions.milliseconds(450)))
            time += options.ttl * 2
        }
        faults.sort { $0.at < $1.at }
        endAt = max(endAt, lastFaultEnd + options.livenessBound)
    }

    /// Addresses of a majority lead to replicas that are behind, and are promoted a moment later.
    mutating func promoteReplicas() {
        var random = Randomness(seed: seed, .test)
        trustNothing()
        options.persistence = .aofAlways
        options.ttl = max(options.ttl, WorldOptions.milliseconds(4_000))
        options.selfExtending = 0
        options.hold = options.ttl * 3
        faults = []
        var time = options.ttl
        while time < healAt {
            faults.append(
                Fault(
                    .nodeReplica, at: Self.microseconds(time), nodes: Array(0..<options.quorum),
                    for: WorldOptions.milliseconds(1_000)
                ).with(amount: options.ttl))
            time += options.ttl * 2 + Self.microseconds(random.below(options.ttl))
        }
        endAt = max(endAt, lastFaultEnd + options.livenessBound)
    }

    /// Nodes that keep nothing, and that no client may ask what they are.
    mutating func killSilentNodes() {
        killNodesWithoutMemory()
        let length = max(healAt, lastFaultEnd)
        faults.append(Fault(.nodeInfoDenied, at: 0, nodes: Array(0..<options.nodes), for: length))
        faults.sort { $0.at < $1.at }
    }

    private mutating func trustNothing() {
        options.trustsDurableNodes = false
        options.quarantine = -1_000
    }

    /// Holders of long leases, and clocks of so many nodes at once that a lease is lost by it; nothing else goes wrong.
    mutating func jumpMajorities() {
        var random = Randomness(seed: seed, .test)
        options.guardsClocks = true
        options.ttl = max(options.ttl, WorldOptions.milliseconds(4_000))
        options.hold = options.ttl * 3
        faults = []
        var time = WorldOptions.milliseconds(1_000)
        while time < healAt {
            let nodes = Array(0..<options.quorum)
            faults.append(
                Fault(.nodeClockJump, at: Self.microseconds(time), nodes: nodes).with(amount: options.ttl * 2))
            time += options.ttl + random.below(options.ttl * 2)
        }
        endAt = max(endAt, healAt + options.livenessBound)
    }

    /// A clock that goes forward and is right again before anybody reads it, of a node without which there is no quorum.
    mutating func strobeBetweenLooks() {
        var random = Randomness(seed: seed, .test)
        options.guardsClocks = true
        options.nodes = max(options.nodes, 3)
        options.views = []
        options.ttl = max(options.ttl, WorldOptions.milliseconds(6_000))
        options.hold = options.ttl * 3
        options.selfExtending = 1_000
        faults = [
            Fault(
                .partition, at: 0, nodes: Array(options.quorum..<options.nodes), clients: Array(0..<options.clients),
                for: healAt)
        ]
        var time = WorldOptions.milliseconds(1_000)
        while time < healAt {
            let at = Self.microseconds(time)
            faults.append(Fault(.nodeClockJump, at: at, nodes: [0]).with(amount: options.ttl * 2))
            faults.append(
                Fault(.nodeClockJump, at: at + WorldOptions.milliseconds(150), nodes: [0])
                    .with(amount: -options.ttl * 2))
            time += options.ttl * 2 + random.below(options.ttl * 2)
        }
        endAt = max(endAt, healAt + options.livenessBound)
    }
}
