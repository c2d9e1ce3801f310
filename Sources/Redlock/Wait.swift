internal import RedlockCore

/// How long a caller still waits for a lock, also if a lease that it got was over before it could begin.
package struct Wait: Sendable {
    let deadline: Instant
    /// Nil if there is no limit.
    var attemptsLeft: Int?
}

extension Redlock {
    /// A wait that begins now.
    ///
    /// - Throws: ``RedlockError`` with the code `invalidArgument` if the length is less than zero.
    package func wait(upTo length: Duration, for resource: Resource) throws(RedlockError) -> Wait {
        guard length >= .zero else {
            throw RedlockError(
                .invalidArgument, "the wait is \(length); it must be zero or more", resource: resource)
        }
        return Wait(
            deadline: driver.clock.now() + Nanoseconds(length), attemptsLeft: configuration.maximumAttempts)
    }
}
