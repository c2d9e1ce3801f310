/// All that decides a run: the seed for what is drawn as it goes, the world, and the faults as data.
package struct Schedule: Hashable, Sendable {
    package var seed: UInt64
    package var options = WorldOptions()
    /// By their beginning.
    package var faults: [Fault] = []
    package var script: [Step] = []
    /// No fault begins later; those that last, last as long as they say.
    package var healAt = WorldOptions.milliseconds(20_000)
    /// The run ends here.
    package var endAt = WorldOptions.milliseconds(40_000)
    /// The rule that is broken on purpose; nil for the library as it ships.
    package var mutant: String?

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// What a worker does at a moment, in a scenario.
    package struct Step: Hashable, Sendable {
        package enum Action: String, Hashable, Sendable, CaseIterable {
            case acquire
            case extend
            case release
            case cancel
            /// Check the lease and write to the resource, if it is valid.
            case write
        }

        package var at: Int64
        package var worker: Int
        package var action: Action
        package var resource = 0
        /// Of an acquire or an extension; zero for the world's.
        package var ttl: Int64 = 0
        /// How long an acquire waits.
        package var wait: Int64 = 0
        /// The longest that an acquired lease may be held; zero for no limit.
        package var maximumHold: Int64 = 0
        /// Attempts of an acquire at most; zero for no limit.
        package var maximumAttempts = 0
        /// How long the worker takes between its check and its write.
        package var delay: Int64 = 0
        package var extendsItself = false

        package init(_ action: Action, at: Int64, worker: Int) {
            self.action = action
            self.at = at
            self.worker = worker
        }
    }

    /// When the last fault is over: healing keeps to what the faults say of themselves.
    package var lastFaultEnd: Int64 {
        faults.reduce(0) { max($0, $1.end) }
    }
}
