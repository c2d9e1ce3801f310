import Redlock

/// A database that knows which version its tables have.
protocol Migratable: Sendable {
    func version() async throws -> Int
    /// In a transaction that fails when the version is not `current` any more.
    func migrate(from current: Int) async throws
}

/// Brings the tables up to date before a server starts; all instances call it, one does the work, the others wait for it.
///
/// The transaction's own check is what protects the tables from an instance that was paused. The lock saves the others from
/// failing by it.
func migrate(_ database: some Migratable, to target: Int, _ redlock: Redlock) async throws {
    try await redlock.withLock("migration", ttl: .seconds(30), waitingUpTo: .seconds(600)) { _ in
        while true {
            let current = try await database.version()
            guard current < target else { return }
            // Cancelled when the lock is lost; another instance goes on from here then.
            try Task.checkCancellation()
            try await database.migrate(from: current)
        }
    }
}
