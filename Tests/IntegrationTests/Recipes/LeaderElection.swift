import Redlock

/// Runs `lead` in one process at a time. When that process dies or loses the lock, another one takes over.
///
/// Returns when `lead` returns, and throws what it throws.
func electLeader(
    _ redlock: Redlock, for role: Resource, ttl: Duration = .seconds(10),
    lead: @escaping @Sendable (Lease) async throws -> Void
) async throws {
    while true {
        do {
            return try await redlock.withLock(role, ttl: ttl, waitingUpTo: .seconds(60)) { lease in
                try await lead(lease)
            }
        } catch let error as RedlockError where [.heldByAnother, .unavailable, .expired, .lost].contains(error.code) {
            // Another leads, or nobody can: stand again. The wait above keeps this from being a busy loop.
            try Task.checkCancellation()
        }
    }
}
