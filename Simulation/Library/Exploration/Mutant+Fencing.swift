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
