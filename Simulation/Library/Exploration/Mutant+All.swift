import RedlockCore

extension Mutant {
    /// All of them, by name; each call makes its own counters, so that runs side by side do not disturb each other.
    package static var all: [Mutant] { rulesMutants + repairMutants + nodeMutants + clockMutants + fencingMutants }

    package static func named(_ name: String) -> Mutant? {
        (all + variants + [canary]).first { $0.name == name }
    }

    /// Fails in every run.
    package static var canary: Mutant {
        var mutant = Mutant("canary", "fails in every run, whatever happens", killedBy: [.canary])
        mutant.isCanary = true
        return mutant
    }

    static func broken(
        _ name: String, _ summary: String, killedBy oracles: [Oracle],
        hunt: @escaping @Sendable (inout Schedule) -> Void = { _ in }, _ breakRules: (inout BrokenRules) -> Void
    ) -> Mutant {
        let counter = ActivationCounter()
        var rules = BrokenRules(counter: counter)
        breakRules(&rules)
        var mutant = Mutant(name, summary, killedBy: oracles)
        mutant.rules = rules
        mutant.counter = counter
        mutant.hunt = hunt
        return mutant
    }

    private static var rulesMutants: [Mutant] {
        [
            broken(
                "quorum-half", "half of the nodes are enough", killedBy: [.quorumMargin, .overlap],
                { $0.quorum = { max(1, $0 / 2) } }),
            broken(
                "validity-ignores-elapsed", "the time that acquiring took is not subtracted",
                killedBy: [.quorumMargin, .overlap], hunt: { $0.slowReplies() },
                { $0.validUntil = { _, decided, ttl, drift in decided + (ttl - drift) } }),
            broken(
                "start-after-replies", "the start is read late, when three quarters of the replies are there",
                killedBy: [.quorumMargin, .overlap], hunt: { $0.slowReplies() },
                {
                    $0.validUntil = { start, decided, ttl, drift in
                        start + (max(decided, start) - start) * 3 / 4 + (ttl - drift)
                    }
                }),
            broken(
                "start-a-little-late", "the start is read when an eighth of the time for the replies has passed",
                killedBy: [.quorumMargin, .overlap], hunt: { $0.slowReplies() },
                {
                    $0.validUntil = { start, decided, ttl, drift in
                        start + (max(decided, start) - start) / 8 + (ttl - drift)
                    }
                }),
            broken(
                "no-drift", "no allowance for clocks that run at different rates", killedBy: [.quorumMargin, .overlap],
                hunt: { $0.spreadClocks() }, { $0.drift = { _ in .zero } }),
            broken(
                "one-token", "one token for all attempts of a request", killedBy: [.tokenReuse],
                { $0.keepsToken = true }),
            broken(
                "extension-without-quorum", "one node is enough to extend", killedBy: [.quorumMargin, .overlap],
                // The guard ends a lease whose key is gone from a node that it needs, also after such an extension.
                hunt: {
                    $0.cutHoldersOff()
                    $0.options.guardsClocks = false
                }, { $0.extensionQuorum = { _ in 1 } }),
            broken(
                "no-release-on-failure", "an attempt that failed releases nothing", killedBy: [.orphanKey, .liveness],
                { $0.nodesToRelease = { asked, granted, _ in granted.count * 2 <= asked.count ? NodeSet() : asked } }),
            broken(
                "release-where-granted", "only nodes that granted are told to release", killedBy: [.orphanKey],
                { $0.nodesToRelease = { _, granted, _ in granted } }),
            broken(
                "no-jitter", "the pause between attempts is not random", killedBy: [.livelock],
                hunt: { $0.splitVotes() }, { $0.withoutJitter = true }),
            broken(
                "lapsed-lease-extended", "a lease whose end has passed can be extended", killedBy: [.resurrection],
                hunt: { $0.pauseHolders() }, { $0.alwaysExtends = true }),
            broken(
                "quarantine-off", "a node that may have forgotten votes at once", killedBy: [.quorumMargin, .overlap],
                hunt: { $0.killNodesWithoutMemory() }, { $0.quarantineEnd = { seen, _, _, _ in seen } }),
            broken(
                "quarantine-too-short", "a node that may have forgotten waits for half of the longest ttl",
                killedBy: [.quorumMargin, .overlap], hunt: { $0.killNodesWithoutMemory() },
                { $0.quarantineEnd = { seen, started, isNew, length in (isNew ? seen : started) + length / 2 } }),
            broken(
                "quarantine-by-node-clock", "a node that forgot is believed how long it has been running",
                killedBy: [.quorumMargin, .overlap], hunt: { $0.killNodesWithoutMemory(settingClocks: true) },
                { $0.quarantineEnd = { _, started, _, length in started + length } }),
            broken(
                "durability-believed", "a node that was just started is believed that it always kept every write",
                killedBy: [.quorumMargin, .overlap], hunt: { $0.switchLogsOn() }, { $0.trustsDurability = true }),
            broken(
                "durability-unseen", "a node counts as durable through times in which nobody looked",
                killedBy: [.quorumMargin, .overlap], hunt: { $0.switchLogsOffUnseen() }, { $0.seesThroughGaps = true }),
            broken(
                "promotion-believed", "a replica that is promoted votes at once", killedBy: [.quorumMargin, .overlap],
                hunt: { $0.promoteReplicas() }, { $0.believesPromotions = true }),
            broken(
                "unknown-votes", "a node that does not say what it is votes at once",
                killedBy: [.quorumMargin, .overlap], hunt: { $0.killSilentNodes() }, { $0.letsUnknownVote = true }),
            broken(
                "guard-off", "clocks that jump are not noticed", killedBy: [.clockGuard], hunt: { $0.jumpMajorities() },
                { $0.withoutGuard = true }),
            broken(
                "lost-key-ignored", "a key that is gone before its time is no sign of a clock that jumped",
                killedBy: [.clockGuard], hunt: { $0.strobeBetweenLooks() }, { $0.ignoresKeysGone = true }),
        ] + waitingMutants
    }

    private static var waitingMutants: [Mutant] {
        [
            broken(
                "no-check-after-subscribing", "a release between the refusal and the subscription is missed",
                killedBy: [.lostWakeUp, .liveness], hunt: { $0.waitInPeace() }, { $0.neverChecks = true }),
            broken(
                "no-fallback", "a waiter that hears nothing never asks again", killedBy: [.lostWakeUp, .liveness],
                hunt: { $0.waitForForeigners() }, { $0.fallbackDelay = { _ in .forever } }),
            broken(
                "fallback-polls", "a waiter that hears nothing asks every 5 ms", killedBy: [.polling],
                hunt: { $0.waitInPeace() }, { $0.fallbackDelay = { _ in .milliseconds(5) } }),
            broken(
                "last-come-first-served", "in a process the newest request is next", killedBy: [.order],
                hunt: { $0.options.workersPerClient = 4 }, { $0.takesNewest = true }),
            broken(
                "handover-keeps-token", "the next in a process takes over the token of the one before",
                killedBy: [.tokenReuse], hunt: { $0.options.workersPerClient = 4 }, { $0.keepsTokenOnHandover = true }),
        ]
    }

    static func onNode(
        _ name: String, _ summary: String, killedBy oracles: [Oracle],
        hunt: @escaping @Sendable (inout Schedule) -> Void = { _ in }, _ change: (inout SimulatedNode.Defects) -> Void
    ) -> Mutant {
        var mutant = Mutant(name, summary, killedBy: oracles)
        mutant.hunt = hunt
        change(&mutant.defects)
        return mutant
    }

    private static var nodeMutants: [Mutant] {
        [
            onNode(
                "delete-without-check", "a release deletes whatever token is there", killedBy: [.ownership],
                { $0.deletesWithoutCheck = true }),
            onNode(
                "set-without-nx", "an acquire replaces the key of another", killedBy: [.ownership, .overlap],
                { $0.setsOverOthers = true }),
            onNode(
                "extend-without-check", "an extension raises the expiry of whatever token is there",
                killedBy: [.ownership], { $0.raisesWithoutCheck = true }),
            onNode(
                "extend-sets-missing", "an extension sets a key that is not there", killedBy: [.ownership],
                { $0.setsOnExtension = true }),
            onNode(
                "release-tells-nobody", "a release deletes the key and publishes nothing", killedBy: [.lostWakeUp],
                hunt: { $0.waitInPeace() }, { $0.tellsNobody = true }),
        ]
    }

    private static var clockMutants: [Mutant] {
        var wall = Mutant(
            "elapsed-from-wall-clock", "time is read from a clock that can be set",
            killedBy: [.quorumMargin, .overlap, .resurrection, .answers, .liveness])
        wall.clock = .wall
        wall.hunt = { $0.setClientClocks() }
        var blind = Mutant(
            "suspend-blind-clock", "time stands still while the machine sleeps", killedBy: [.quorumMargin, .overlap])
        blind.clock = .blindToSuspend
        blind.hunt = { $0.pauseHolders(.clientSuspend) }
        var withoutWall = Mutant(
            "client-gain-ignored", "a wall clock that gained on the boot clock is no sign that the machine was stopped",
            killedBy: [.clockGuard])
        withoutWall.clock = .withoutWall
        withoutWall.hunt = { $0.stopHolders() }
        var endless = Mutant(
            "maximum-hold-ignored", "a lease that extends itself goes on beyond its maximum hold", killedBy: [.limits])
        endless.dropsMaximumHold = true
        endless.hunt = {
            $0.options.maximumHolds = 1_000
            $0.options.selfExtending = 1_000
        }
        var stubborn = Mutant(
            "maximum-attempts-ignored", "a request makes as many attempts as fit into its wait", killedBy: [.limits])
        stubborn.dropsMaximumAttempts = true
        stubborn.hunt = { $0.options.maximumAttempts = 1_000 }
        return [wall, blind, withoutWall, endless, stubborn]
    }
}
