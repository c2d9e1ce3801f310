import Redlock

/// Callers that lock and release for a while, each its own resource.
struct LibraryLoad: Sendable {
    let redlock: Redlock
    let keyPrefix: String

    static let ttl = Duration.seconds(10)
    /// A caller that has not got its own resource by then has a problem that is not the bench's.
    static let wait = Duration.seconds(5)

    /// - Parameters:
    ///   - countsCPU: Whether this process does nothing else meanwhile.
    ///   - onItsThread: Whether the callers are tasks on the coordinator's own thread.
    func run(
        callers: Int, for time: Duration, countsCPU: Bool = true, onItsThread: Bool = false
    ) async throws -> Figures {
        let resources = (0..<callers).map { Resource("\(keyPrefix)\($0)") }
        return try await TaskLoad(locks: LibraryLocks(redlock: redlock, resources: resources)).run(
            callers: callers, for: time, countsCPU: countsCPU, on: onItsThread ? redlock.taskExecutor : nil)
    }
}

private struct LibraryLocks: Locking {
    let redlock: Redlock
    let resources: [Resource]

    func acquire(_ caller: Int) async throws -> Lease {
        try await redlock.acquire(resources[caller], ttl: LibraryLoad.ttl, waitingUpTo: LibraryLoad.wait)
    }

    func release(_ lease: Lease) async {
        await lease.release()
    }
}

/// Gives a coordinator to `body`, and shuts it down however that ends.
func withRedlock<Value: Sendable>(
    _ nodes: [String], _ configuration: Redlock.Configuration = .measuring,
    _ body: (Redlock) async throws -> Value
) async throws -> Value {
    let redlock = try Redlock(nodes: nodes, configuration: configuration)
    let outcome: Result<Value, any Error>
    do {
        outcome = .success(try await body(redlock))
    } catch {
        outcome = .failure(error)
    }
    await redlock.shutdown()
    return try outcome.get()
}

extension Redlock.Configuration {
    /// The servers that a bench starts keep nothing, so that it is the library that is measured and no disk; they would
    /// have no vote for a minute.
    static var measuring: Redlock.Configuration {
        var configuration = Redlock.Configuration()
        configuration.quarantine = .off
        return configuration
    }
}
