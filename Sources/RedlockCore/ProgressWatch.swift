/// Notices an engine that asks for a timer event and is still due after it, again and again: an error of the engine.
///
/// If the shell followed such an engine, it would use a whole core. It asks this watch when to bring the next timer event.
package struct ProgressWatch: Sendable {
    /// Timer events in a row after which the engine was still due.
    private var idleTimers = 0
    /// The next timer event comes no earlier.
    private var pausedUntil = Instant(nanoseconds: .min)
    private var isReported = false

    package init() {}

    /// To be called after every timer event. True if the engine is to be reported: once in its life, when it has been
    /// due after ``Limits/idleTimers`` timer events in a row.
    ///
    /// Other inputs between the timer events change nothing: they may come at any rate, and the engine is still due.
    ///
    /// - Parameters:
    ///   - now: The time that the engine was told, or one shortly before it.
    ///   - deadline: ``Engine/nextDeadline`` after the event.
    package mutating func noteTimer(at now: Instant, nextDeadline deadline: Instant) -> Bool {
        guard deadline <= now else {
            idleTimers = 0
            pausedUntil = Instant(nanoseconds: .min)
            return false
        }
        idleTimers += 1
        guard idleTimers >= Limits.idleTimers else { return false }
        let doublings = min(idleTimers - Limits.idleTimers, 10)
        pausedUntil = now + min(Limits.firstIdleDelay * (1 << Int64(doublings)), Limits.longestIdleDelay)
        defer { isReported = true }
        return !isReported
    }

    /// When the shell is to bring the next timer event to an engine with this deadline.
    package func wakeTime(for deadline: Instant) -> Instant { max(deadline, pausedUntil) }
}
