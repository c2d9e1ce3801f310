import Redlock

/// Callers that lock and release for a while, each its own resource.
struct LibraryLoad: Sendable {
    let redlock: Redlock
    let keyPrefix: String

    static let ttl = Duration.seconds(10)
    /// A caller that has not got its own resource by then has a problem that is not the bench's.
    static let wait = Duration.seconds(5)

    private struct Outcome {
        var cycles = Samples()
        var acquires = Samples()
    }

    /// Cycles until the time is over, or the task is cancelled.
    ///
    /// - Parameter countsCPU: Whether this process does nothing else meanwhile.
    func run(callers: Int, for time: Duration, countsCPU: Bool = true) async throws -> Figures {
        let cpu = ProcessUsage.cpuSeconds
        let start = Stopwatch.nanoseconds
        let end = start + time.nanoseconds
        let all = try await withThrowingTaskGroup(of: Outcome.self) { group in
            for caller in 0..<callers {
                group.addTask { try await cycles(of: Resource("\(keyPrefix)\(caller)"), until: end) }
            }
            return try await group.reduce(into: Outcome()) { all, one in
                all.cycles.add(one.cycles)
                all.acquires.add(one.acquires)
            }
        }
        let seconds = Double(Stopwatch.nanoseconds - start) / 1e9
        return Figures(
            cycles: all.cycles, acquires: all.acquires, seconds: seconds,
            cpuSeconds: countsCPU ? ProcessUsage.cpuSeconds - cpu : nil)
    }

    private func cycles(of resource: Resource, until end: Int64) async throws -> Outcome {
        var outcome = Outcome()
        var now = Stopwatch.nanoseconds
        repeat {
            let begun = now
            let lease = try await redlock.acquire(resource, ttl: Self.ttl, waitingUpTo: Self.wait)
            let acquired = Stopwatch.nanoseconds
            await lease.release()
            now = Stopwatch.nanoseconds
            outcome.acquires.add(acquired - begun)
            outcome.cycles.add(now - begun)
        } while now < end && !Task.isCancelled
        return outcome
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
    /// The servers that a bench starts keep nothing, so that it is the library that is measured and no disk; they would have no
    /// vote for a minute.
    static var measuring: Redlock.Configuration {
        var configuration = Redlock.Configuration()
        configuration.quarantine = .off
        return configuration
    }
}
