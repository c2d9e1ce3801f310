/// What many runs came to.
package struct Tally: Sendable {
    package var runs = 0
    package var violated: [Failure] = []
    package var inconclusive: [Failure] = []
    package var grants = 0
    package var attempts = 0
    package var extensions = 0
    package var losses = 0
    package var extendingLosses = 0
    package var risks = 0
    package var fencedGrants = 0
    package var raises = 0
    /// Runs with fencing tokens, and those of them in which no number was lost that a client's clock is behind.
    package var fencedRuns = 0
    package var unexcusedFencedRuns = 0
    package var events = 0
    package var duration: Int64 = 0
    package var faults = 0
    package var marks = Marks()
    /// Runs by the least margin that they came to; the last is for runs without a hold.
    package var margins: [Int] = Array(repeating: 0, count: 10)
    /// Runs in which each oracle failed, by its place in `Oracle.allCases`. One run may count for several.
    package var failures: [Int] = Array(repeating: 0, count: Oracle.allCases.count)
    package var nondeterministic: [UInt64] = []
    package var hash: UInt64 = 0

    package struct Failure: Sendable {
        package let schedule: Schedule
        package let violation: Violation

        package init(schedule: Schedule, violation: Violation) {
            self.schedule = schedule
            self.violation = violation
        }
    }

    package init() {}

    package mutating func add(_ schedule: Schedule, _ outcome: Outcome) {
        runs += 1
        grants += outcome.grants
        attempts += outcome.attempts
        extensions += outcome.extensions
        losses += outcome.losses
        extendingLosses += outcome.extendingLosses
        risks += outcome.risks
        fencedGrants += outcome.fencedGrants
        raises += outcome.raises
        if outcome.fencedGrants > 0 {
            fencedRuns += 1
            if !outcome.breaches.contains(where: { $0.assumption == .numbers }) { unexcusedFencedRuns += 1 }
        }
        events += outcome.events
        duration += outcome.duration
        faults += schedule.faults.count
        marks.formUnion(outcome.marks)
        margins[outcome.leastMargin.map { min(max($0, 0), 8) } ?? 9] += 1
        // A sum, so that the order in which threads come back does not matter.
        hash &+= outcome.hash
        for violation in outcome.violations { failures[Oracle.allCases.firstIndex(of: violation.oracle)!] += 1 }
        guard let worst = outcome.worst else { return }
        let failure = Failure(schedule: schedule, violation: worst)
        if outcome.verdict == .violated { violated.append(failure) } else { inconclusive.append(failure) }
    }

    package mutating func add(_ other: Tally) {
        runs += other.runs
        grants += other.grants
        attempts += other.attempts
        extensions += other.extensions
        losses += other.losses
        extendingLosses += other.extendingLosses
        risks += other.risks
        fencedGrants += other.fencedGrants
        raises += other.raises
        fencedRuns += other.fencedRuns
        unexcusedFencedRuns += other.unexcusedFencedRuns
        events += other.events
        duration += other.duration
        faults += other.faults
        marks.formUnion(other.marks)
        for index in margins.indices { margins[index] += other.margins[index] }
        for index in failures.indices { failures[index] += other.failures[index] }
        hash &+= other.hash
        violated += other.violated
        inconclusive += other.inconclusive
        nondeterministic += other.nondeterministic
    }

    /// Too little happened for the verdict to mean anything.
    package var isVacuous: Bool { grants < runs * 2 }

    /// For a sweep without a violation: the share of seeds that may still have one, at 95 %, by the rule of three.
    package var bound: String { "0 of \(Format.grouped(runs)) seeds (≤ 3/\(Format.grouped(runs)) at 95 %)" }
}
