/// What came of one point of an experiment and one series.
package struct ExperimentCell: Sendable {
    package private(set) var overlap = Proportion()
    package private(set) var damage = Proportion()
    /// Of requests that were answered, those that were granted.
    package private(set) var granted = Proportion()
    /// In nanoseconds, of those that were granted.
    private var waits: [Int64] = []
    /// Runs that broke a promise without a broken assumption. There are none, or there is a bug.
    package private(set) var violated: [Tally.Failure] = []

    package init() {}

    package var runs: Int { overlap.total }
    package var grants: Int { granted.count }

    package mutating func add(_ schedule: Schedule, _ outcome: Outcome) {
        overlap.add(outcome.violations.contains { $0.oracle == .overlap })
        damage.add(outcome.damages > 0)
        granted.add(Proportion(outcome.grants, of: outcome.grants + outcome.refusals))
        waits += outcome.waits
        if outcome.verdict == .violated, let worst = outcome.worst {
            violated.append(Tally.Failure(schedule: schedule, violation: worst))
        }
    }

    package mutating func add(_ other: ExperimentCell) {
        overlap.add(other.overlap)
        damage.add(other.damage)
        granted.add(other.granted)
        waits += other.waits
        violated += other.violated
    }

    /// Requests of one run are not independent of each other, so that each run counts as one observation: an interval
    /// that is too wide rather than too narrow.
    package var availability: (share: Double, interval: ClosedRange<Double>) {
        (granted.share, Proportion.interval(granted.share, of: granted.total == 0 ? 0 : runs))
    }

    /// The time that so large a share of the grants took at most; nil without a grant. The interval is that of the
    /// share's, read off the same distribution.
    package func wait(_ share: Double) -> (nanoseconds: Int64, interval: ClosedRange<Int64>)? {
        guard !waits.isEmpty else { return nil }
        let sorted = waits.sorted()
        func quantile(_ share: Double) -> Int64 {
            sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
        let interval = Proportion.interval(share, of: runs)
        return (quantile(share), quantile(interval.lowerBound)...quantile(interval.upperBound))
    }
}
