import RedlockCore

extension Mutant {
    static var repairMutants: [Mutant] {
        [
            broken(
                "repair-wins-extension", "a repair is a vote for the extension that is under way",
                killedBy: [.quorumMargin, .overlap], hunt: { $0.silenceNodes() },
                {
                    $0.mayRepair = { isHeld, _, hasFailed in isHeld && !hasFailed }
                    $0.countsRepairs = true
                }),
            broken(
                "repair-after-loss", "nodes are repaired also for a lease that was lost", killedBy: [.repair],
                hunt: {
                    $0.silenceNodes()
                    // Who wakes up and finds the lease over finds the repair due as well.
                    $0.pauseHolders()
                },
                { $0.mayRepair = { _, isExtending, hasFailed in !isExtending && !hasFailed } }),
            broken(
                "repair-while-failing", "nodes are repaired also while a lease cannot be extended", killedBy: [.repair],
                hunt: { $0.silenceNodes() }, { $0.mayRepair = { isHeld, isExtending, _ in isHeld && !isExtending } }),
            broken(
                "repair-with-whole-ttl", "a repaired key gets the whole ttl, not what is left of it",
                killedBy: [.repair], { $0.repairTTL = { _, ttl in ttl } }),
            broken(
                "repaired-not-released", "nodes that got the key by a repair are not told to release",
                killedBy: [.orphanKey], { $0.nodesToRelease = { asked, _, _ in asked } }),
            broken(
                "stale-deadline", "the engine is due for a risk that its holder knows", killedBy: [.progress],
                hunt: { $0.cutHoldersOff() }, { $0.awaitsKnownRisks = true }),
            onNode(
                "repair-replaces", "a repair replaces the key of another", killedBy: [.ownership],
                { $0.repairsOverOthers = true }),
        ]
    }

    /// Not broken, but without a part, or in the worlds of another: for comparisons. Nothing is to notice them.
    package static var variants: [Mutant] {
        [
            broken("without-repair", "no node is repaired", killedBy: [], { $0.mayRepair = { _, _, _ in false } }),
            broken(
                "long-holds", "nothing; in worlds of long holds and of nodes that are restarted in turn", killedBy: [],
                hunt: { $0.restartInTurn() }, { _ in }),
            broken(
                "long-holds-without-repair", "no node is repaired; in the same worlds", killedBy: [],
                hunt: { $0.restartInTurn() }, { $0.mayRepair = { _, _, _ in false } }),
        ]
    }
}
