package import RedlockSimulation

/// What came of a live run.
package struct LiveResult: Sendable {
    package let verdict: LiveVerdict
    /// About the machine, one line each.
    package let notes: [String]
    /// Processes that took more and more.
    package let leaks: [String]
    /// How much later than planned the latest fault or step came, or for how long this machine stood still; in
    /// nanoseconds.
    package let lateness: Int64
    package let isInterrupted: Bool

    package var outcome: Outcome { verdict.outcome }
    package var trace: [TraceRecord] { verdict.trace }

    init(_ verdict: LiveVerdict, notes: [String], leaks: [String], lateness: Int64, isInterrupted: Bool) {
        self.verdict = verdict
        self.notes = notes
        self.leaks = leaks
        self.lateness = lateness
        self.isInterrupted = isInterrupted
    }

    /// In nanoseconds; zero where nothing was granted.
    package func latency(perMille: Int) -> Int64 {
        let sorted = verdict.latencies.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * perMille / 1_000)]
    }
}
