/// Looks for a seed that shows a mutant.
package struct MutantHunt: Sendable {
    package struct Result: Sendable {
        package var runs = 0
        package var activations = 0
        package var kill: (oracle: Oracle, seed: UInt64)?
    }

    private let mutant: Mutant

    package init(_ mutant: Mutant) {
        self.mutant = mutant
    }

    /// The seed's world, broken or as it ships.
    package func schedule(_ seed: UInt64, isBroken: Bool) -> Schedule {
        var schedule = Schedule(random: seed, .tolerated)
        // Mutants of fencing numbers bring such faults themselves; in the worlds of the others they would hide kills.
        schedule.removeFaultsOfNumbers()
        // Hunts set what the settings of single clients would undo.
        schedule.options.clientSettings = []
        mutant.hunt(&schedule)
        if isBroken { schedule.mutant = mutant.name }
        return schedule
    }

    /// Killed is: one of the oracles named fails without a broken assumption, the broken rule decided otherwise than
    /// the right one in that very run, and the same world holds with the right rule.
    package func run(budget: Int) -> Result {
        var result = Result()
        for seed in 0..<UInt64(budget) {
            var world = World(schedule(seed, isBroken: true))
            let outcome = world.run()
            result.runs += 1
            result.activations += outcome.mutantActivations
            guard let worst = outcome.worst, worst.excuse == nil, mutant.oracles.contains(worst.oracle),
                outcome.mutantActivations > 0 || mutant.isCanary
            else { continue }
            var right = World(schedule(seed, isBroken: false))
            guard right.run().verdict != .violated else { continue }
            result.kill = (worst.oracle, seed)
            return result
        }
        return result
    }
}
