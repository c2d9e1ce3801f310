/// Runs schedules, each on its own.
package enum Sweep {
    /// One of this many seeds is run twice, and must do the same both times.
    package static let repeated: UInt64 = 64

    package static func run(_ schedule: Schedule, repeating: Bool = false, into tally: inout Tally) {
        var world = World(schedule)
        let outcome = world.run()
        tally.add(schedule, outcome)
        guard repeating else { return }
        var again = World(schedule)
        if again.run().hash != outcome.hash { tally.nondeterministic.append(schedule.seed) }
    }
}
