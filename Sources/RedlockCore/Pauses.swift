/// Times at which this process, or the thread that calls the engine, did not run.
///
/// An engine names the instant at which it wants to be called. If the call comes much later, nothing ran in between: the
/// process was stopped, starved or suspended, or its event loop was blocked. The pause began at that instant or earlier,
/// so its length is a lower bound.
struct Pauses: Sendable {
    private struct Pause: Sendable {
        let start: Instant
        let end: Instant

        var length: Nanoseconds { end - start }
    }

    /// Several pauses as one.
    struct Sum: Hashable, Sendable {
        /// Of all together.
        var length: Nanoseconds
        /// Of the longest: votes from before say nothing about the time after.
        var end: Instant
    }

    /// Oldest first, at most ``Limits/keptPauses``.
    private var pauses: [Pause] = []
    /// The engine asked for a call at this instant.
    private var due = Instant.distantFuture
    private var lastCall = Instant(nanoseconds: 0)

    var isEmpty: Bool { pauses.isEmpty }

    /// The engine wants to be called at this instant, or earlier.
    mutating func expectCall(at instant: Instant) { due = instant }

    /// The engine is called.
    mutating func noteCall(at now: Instant) {
        let start = max(due, lastCall)
        lastCall = now
        if now - start >= Limits.shortestPause { note(Pause(start: start, end: now)) }
    }

    private mutating func note(_ pause: Pause) {
        if pauses.count == Limits.keptPauses { pauses.removeFirst() }
        pauses.append(pause)
    }

    /// The pauses that ended after this instant; nil if they are shorter than `length` in all.
    func sum(since instant: Instant, atLeast length: Nanoseconds) -> Sum? {
        var sum = Sum(length: .zero, end: instant)
        var longest = Nanoseconds.zero
        for pause in pauses where pause.end > instant {
            sum.length = sum.length + pause.length
            if pause.length >= longest {
                longest = pause.length
                sum.end = pause.end
            }
        }
        return sum.length > .zero && sum.length >= length ? sum : nil
    }
}
