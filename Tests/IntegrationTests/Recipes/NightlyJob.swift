import Redlock

/// Where a job notes that it has run, beside what it writes: a table of a database, as a rule.
protocol RunLog: Sendable {
    func hasRun(_ job: String, on day: String) async throws -> Bool
    func noteRun(_ job: String, on day: String) async throws
}

/// Runs a job once a day, though every machine's cron starts it.
///
/// The lock keeps two from running at the same time. That it does not run again when the first is done, on a machine whose
/// clock is late, is what the log is for.
///
/// - Returns: Whether it was this call that ran it.
func runOnce(
    _ job: String, on day: String, _ redlock: Redlock, log: some RunLog,
    work: @escaping @Sendable () async throws -> Void
) async throws -> Bool {
    do {
        return try await redlock.withLock("cron/\(job)", ttl: .seconds(30)) { _ in
            guard try await !log.hasRun(job, on: day) else { return false }
            try await work()
            try await log.noteRun(job, on: day)
            return true
        }
    } catch let error as RedlockError where error.code == .heldByAnother {
        return false  // another machine is at it
    }
}
