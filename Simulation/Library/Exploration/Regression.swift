/// An old failure that is run again.
///
/// A schedule without a mutant must hold, or be inconclusive as it is now. One with a mutant must show it still.
package struct Regression {
    package enum Result: Hashable, Sendable {
        case asExpected
        /// The mutant is noticed, in another way than when the schedule was kept. No failure.
        case noticedOtherwise(String)
        case failed(String)
    }

    private let schedule: Schedule
    private let oracles: [Oracle]?

    /// - Parameter oracles: Those that are to notice the mutant; nil for those that the mutant names.
    package init(_ schedule: Schedule, noticedBy oracles: [Oracle]? = nil) {
        self.schedule = schedule
        self.oracles = oracles
    }

    package func replay() -> Result {
        let outcome = run(schedule)
        guard let name = schedule.mutant else {
            guard outcome.verdict == .violated, let worst = outcome.worst else { return .asExpected }
            return .failed("\(worst.oracle.rawValue): \(worst.message)")
        }
        guard let mutant = Mutant.named(name) else { return .failed("there is no mutant \(name)") }
        guard let worst = outcome.worst else { return .failed("\(name) is not noticed") }
        let isExpected = (oracles ?? mutant.oracles).contains(worst.oracle)
        if outcome.verdict == .violated {
            return isExpected ? .asExpected : .noticedOtherwise("\(name) is noticed by \(worst.oracle.rawValue)")
        }
        // Excused by a broken assumption: then it takes the right rule to see that the mutant is the cause.
        var right = schedule
        right.mutant = nil
        guard run(right).worst == nil else { return .failed("\(name) is not noticed: the right rule does no better") }
        return .noticedOtherwise(
            "\(name) is noticed by \(worst.oracle.rawValue), excused by a broken assumption; without it the schedule holds"
        )
    }

    private func run(_ schedule: Schedule) -> Outcome {
        var world = World(schedule)
        return world.run()
    }
}
