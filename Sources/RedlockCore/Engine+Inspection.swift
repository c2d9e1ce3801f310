// What a simulator or a test may ask an engine. Nothing here decides anything.

extension Engine {
    /// The token of the request's current attempt; nil when the request is over or has not begun.
    package func token(of lock: LockID) -> Token? {
        slot(of: lock).flatMap { slots[$0].machine!.attempt.token }
    }

    /// Counts the request's attempts from one; nil when the request is over.
    package func attemptNumber(of lock: LockID) -> Int? {
        slot(of: lock).map { Int(slots[$0].machine!.attempt.number) }
    }
}
