import RedlockCore

// Worlds in which what fencing numbers rest on fails again and again: those of the hunts for mutants, and the profile
// `fencing`.

/// What goes wrong in a world of the profile `fencing`.
enum FencingWorld: Int, CaseIterable {
    case clientClocks
    case equalProposals
    case lateWrites
    case connections
    case nodeClocks
    case forgottenNumbers
    case badNumbers
    /// Connections and forgotten numbers, beside the faults of numbers that the seed has itself.
    case mixed

    init(seed: UInt64) {
        var random = Randomness(seed: seed, .fencing, 1)
        self = random.choose(Self.allCases)
    }
}

extension Schedule {
    mutating func fence(as world: FencingWorld) {
        // As in a hunt: these worlds bring such faults themselves.
        if world != .mixed { removeFaultsOfNumbers() }
        switch world {
        case .clientClocks: fence()
        case .equalProposals: fence(equalProposals: true)
        case .lateWrites: fence(writingLate: true)
        case .connections: fence(losingConnections: true)
        case .nodeClocks: fence(settingNodeClocks: true)
        case .forgottenNumbers: fence(forgettingNumbers: true)
        case .badNumbers: plantNumbers()
        case .mixed: fence(losingConnections: true, forgettingNumbers: true)
        }
    }

    mutating func removeFaultsOfNumbers() {
        faults.removeAll { $0.kind == .nodeBadNumber || $0.kind == .nodeForgetNumbers }
    }

    /// One node after the other is given a number that is the highest a node reports, and is mended.
    mutating func plantNumbers() {
        fence()
        options.nodes = max(options.nodes, 3)
        var random = Randomness(seed: seed, .test, 1)
        var time = random.below(options.ttl)
        while time < healAt {
            var fault = Fault(
                .nodeBadNumber, at: time / 1_000 * 1_000, nodes: [Int(random.below(Int64(options.nodes)))])
            fault.duration = options.ttl / 1_000 * 1_000
            faults.append(fault.with(amount: Limits.fencingNumber - 1))
            // No attempt is to hear of two such nodes, one before it was mended: that would be a majority for it.
            time = fault.end + options.ttl + random.below(options.ttl)
        }
        faults.sort { $0.at < $1.at }
        endAt = max(endAt, lastFaultEnd + options.livenessBound)
    }

    /// Nodes that keep what they know, clients whose clocks are set again and again, and much coming and going.
    mutating func fence(
        equalProposals: Bool = false, writingLate: Bool = false, losingConnections: Bool = false,
        settingNodeClocks: Bool = false, forgettingNumbers: Bool = false
    ) {
        var random = Randomness(seed: seed, .test)
        options.persistence = .aofAlways
        options.clients = max(options.clients, 3)
        fenceAll()
        options.resources = 1
        options.hold = min(options.hold, options.ttl / 2)
        options.think = WorldOptions.milliseconds(20)
        if writingLate { options.lateWrites = 300 }
        for client in 0..<options.clients {
            var time = random.below(options.ttl)
            while time < healAt {
                // Far behind what was granted before: proposals come from memory, and may be equal.
                let amount =
                    equalProposals && time > options.ttl * 2
                    ? -WorldOptions.milliseconds(3_600_000)
                    : random.within(-2 * options.ttl...2 * options.ttl) / 1_000 * 1_000
                faults.append(Fault(.clientClockJump, at: time / 1_000 * 1_000, clients: [client]).with(amount: amount))
                time += options.ttl + random.below(options.ttl * 2)
            }
        }
        if losingConnections {
            var time = random.below(options.ttl)
            while time < healAt {
                var fault = Fault(.partition, at: time / 1_000 * 1_000, nodes: Array(0..<options.nodes))
                fault.clients = [Int(random.below(Int64(options.clients)))]
                fault.duration = (options.nodeTimeout + random.below(options.ttl)) / 1_000 * 1_000
                fault.direction = .toNode
                faults.append(fault)
                time += options.ttl / 2 + random.below(options.ttl)
            }
        }
        for node in 0..<options.nodes where settingNodeClocks || forgettingNumbers {
            var time = random.below(options.ttl)
            while time < healAt {
                if settingNodeClocks {
                    // A month, in jumps that a schedule can have.
                    for step in 0..<Int64(5) {
                        let fault = Fault(.nodeClockJump, at: (time / 1_000 + step) * 1_000, nodes: [node])
                        faults.append(fault.with(amount: WorldOptions.milliseconds(6 * 86_400_000)))
                    }
                } else {
                    let fault = Fault(.nodeForgetNumbers, at: time / 1_000 * 1_000, nodes: [node])
                    faults.append(fault.with(amount: WorldOptions.milliseconds(1)))
                }
                time += options.ttl + random.below(options.ttl * 2)
            }
        }
        faults.sort { $0.at < $1.at }
        endAt = max(endAt, lastFaultEnd + options.livenessBound)
    }
}
