import Redlock

/// A server that can finish what it has begun.
protocol DrainableServer: Sendable {
    /// Serves until it is cancelled or drained.
    func run() async throws
    /// Takes no more requests, and returns when those it has are answered, or after `limit`.
    func drain(within limit: Duration) async
}

/// Serves a shard for as long as its lock is held. When the lock is lost, the server stops taking requests and finishes what
/// it has while the lease is still valid; so another instance never serves beside it.
///
/// - Throws: ``RedlockError`` with the code `lost`, or what the server throws.
func serve(_ server: some DrainableServer, shard: Resource, _ redlock: Redlock) async throws {
    let lease = try await redlock.acquire(
        shard, ttl: .seconds(15), waitingUpTo: .seconds(60), extendingItself: true)
    let serving = Task { try await server.run() }
    let watching = Task {
        guard let loss = await lease.waitForLoss() else { return nil as RedlockError? }
        // `lossMargin` is what is left: a tenth of the ttl unless configured.
        await server.drain(within: lease.remaining)
        serving.cancel()
        return loss
    }
    let outcome = await withTaskCancellationHandler {
        await serving.result
    } onCancel: {
        serving.cancel()
    }
    watching.cancel()
    let loss = await watching.value
    await lease.release()
    if let loss { throw loss }
    try outcome.get()
}
