/// A question about the lock, put to many worlds at each of several points.
package struct Experiment: Sendable {
    /// A place on the horizontal axis: the size of a fault, a number of nodes.
    package struct Point: Sendable {
        package let label: String
        let amount: Int64

        init(_ label: String, _ amount: Int64) {
            self.label = label
            self.amount = amount
        }
    }

    /// A way to run the lock, compared with the others at the same points.
    package struct Series: Sendable {
        package let name: String
        let apply: @Sendable (inout WorldOptions) -> Void

        init(_ name: String, _ apply: @escaping @Sendable (inout WorldOptions) -> Void = { _ in }) {
            self.name = name
            self.apply = apply
        }
    }

    package enum Measure: Sendable {
        /// Runs in which two believed that they hold; runs in which the resource was damaged.
        case safety
        /// Requests that were granted; how long a granted one took.
        case service
    }

    package let name: String
    package let question: String
    /// What the worlds have in common.
    package let setting: String
    package let axis: String
    package let points: [Point]
    package let series: [Series]
    package let measure: Measure
    /// Makes the world, for an amount.
    var world: @Sendable (inout WorldOptions, Int64) -> Void = { _, _ in }
    /// Adds what goes wrong in it, for an amount.
    let faults: @Sendable (inout Schedule, Int64, inout Randomness) -> Void

    package static func named(_ name: String) -> Experiment? { all.first { $0.name == name } }

    /// Worlds with the same seed have the same faults in every series, and at every point as far as the point allows:
    /// what differs is what is asked about.
    package func schedule(_ seed: UInt64, point: Int, series index: Int) -> Schedule {
        var schedule = Schedule(seed: seed)
        schedule.options = WorldOptions(hardLife: ())
        let amount = points[point].amount
        world(&schedule.options, amount)
        series[index].apply(&schedule.options)
        var random = Randomness(seed: seed, .experiment)
        faults(&schedule, amount, &random)
        schedule.faults.sort { $0.at < $1.at }
        // No healing and no judgement of progress: whether somebody gets the lock is what is measured.
        // The last to stand still get a second to do harm.
        let rest = WorldOptions.milliseconds(measure == .safety ? 1_000 : 0)
        schedule.endAt = max(Schedule.life, schedule.lastFaultEnd) + rest
        schedule.healAt = schedule.endAt
        return schedule
    }

    package func run(_ seed: UInt64, point: Int, series: Int, into cell: inout ExperimentCell) {
        let schedule = schedule(seed, point: point, series: series)
        var world = World(schedule, stopsAtViolation: false)
        cell.add(schedule, world.run())
    }
}
