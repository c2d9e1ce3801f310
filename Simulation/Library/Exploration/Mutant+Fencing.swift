import RedlockCore

// What can be wrong with fencing tokens, on either side.

extension Mutant {
    static var fencingMutants: [Mutant] {
        var counters = broken(
            "fencing-max-of-counters", "each node counts its grants, and the highest count is the token",
            killedBy: [.fencingOrder, .outOfOrderWrite], hunt: { $0.fence() },
            {
                $0.isAcceptance = { _, _ in true }
                $0.fencingToken = { _, highest in highest }
            })
        counters.defects.countsGrants = true
        var resource = Mutant(
            "resource-accepts-lower", "the protected resource does not compare the tokens", killedBy: [.outOfOrderWrite]
        )
        resource.resourceAcceptsLower = true
        resource.hunt = { $0.fence(writingLate: true) }
        return [
            counters,
            broken(
                "number-equal-is-acceptance", "a node that has the number already is taken to have accepted it",
                killedBy: [.fencingOrder, .outOfOrderWrite], hunt: { $0.fence(equalProposals: true) },
                { $0.isAcceptance = { $0 == $1 } }),
            broken(
                "one-acceptance-is-enough", "a single node's acceptance makes the token",
                killedBy: [.fencingOrder, .outOfOrderWrite], hunt: { $0.fence() },
                { $0.acceptanceQuorum = { _ in 1 } }),
            broken(
                "fencing-from-clock", "the client's clock alone makes the token",
                killedBy: [.fencingOrder, .outOfOrderWrite], hunt: { $0.fence() },
                { $0.acceptanceQuorum = { _ in 0 } }),
            onNode(
                "node-accepts-lower", "a node takes any number for the highest",
                killedBy: [.fencingOrder, .outOfOrderWrite], hunt: { $0.fence() }, { $0.acceptsLowerNumbers = true }),
            onNode(
                "raise-not-checked-against-token", "a number is raised whoever has the lock", killedBy: [.ownership],
                hunt: { $0.fence(losingConnections: true) }, { $0.raisesNumbersWithoutCheck = true }),
            broken(
                "any-number-is-believed", "whatever a node reports is raised to",
                killedBy: [.fencingRange, .liveness], hunt: { $0.plantNumbers() }, { $0.believesAllNumbers = true }),
            onNode(
                "numbers-expire", "a node's clock makes numbers expire", killedBy: [.fencingOrder, .outOfOrderWrite],
                hunt: { $0.fence(settingNodeClocks: true) }, { $0.expiresNumbers = true }),
            onNode(
                "forgets-without-floor", "old numbers are deleted, and nothing takes their place",
                killedBy: [.fencingOrder, .outOfOrderWrite], hunt: { $0.fence(forgettingNumbers: true) },
                { $0.forgetsWithoutFloor = true }),
            resource,
        ]
    }
}

extension Schedule {
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
            time = fault.end + random.below(options.ttl)
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
