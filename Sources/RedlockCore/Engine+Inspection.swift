// What a simulator or a test may ask an engine. Nothing here decides anything.

extension Engine {
    /// The token of the request's current attempt; nil when the request is over or has not begun.
    package func token(of lock: LockID) -> Token? {
        locks.slot(of: lock).flatMap { locks[$0].attempt?.token }
    }

    /// What the server at a node's address said of itself last; nil when it has said nothing.
    package func facts(of node: Int) -> NodeFacts? { sessions[node].memory.server }

    /// Why a node casts no votes; nil when it does.
    package func quarantine(of node: Int, at now: Instant) -> Quarantine? { sessions[node].memory.quarantine(at: now) }

    /// Counts the request's attempts from one; nil when the request is over.
    package func attemptNumber(of lock: LockID) -> Int? {
        locks.slot(of: lock).map { Int(locks[$0].attemptNumber) }
    }

    /// Which parts are due, for the report of an engine that makes no progress: `a lock`, `node 2`.
    package mutating func dueParts(at now: Instant) -> [String] {
        var parts: [String] = []
        if isLockDue(at: now) { parts.append("a lock") }
        if contentions.deadline <= now { parts.append("a queue") }
        if listenersDeadline <= now { parts.append("a subscription") }
        for node in sessions.indices where sessions[node].deadline(isHolding: isHolding, policy) <= now {
            parts.append("node \(node)")
        }
        return parts
    }
}
