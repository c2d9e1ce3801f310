/// What acquires and releases, each caller its own resource.
protocol Locking: Sendable {
    associatedtype Held

    func acquire(_ caller: Int) async throws -> Held
    func release(_ held: Held) async throws
}

/// Tasks that acquire and release for a while.
///
/// Specialized for what they do it with: what calls by way of closures cost would count as the lock's.
struct TaskLoad<Locks: Locking>: Sendable {
    let locks: Locks

    private struct Outcome {
        var cycles = Samples()
        var acquires = Samples()
    }

    /// Cycles until the time is over, or the task is cancelled.
    ///
    /// - Parameters:
    ///   - countsCPU: Whether this process does nothing else meanwhile.
    ///   - executor: Where the tasks run; nil for where tasks run.
    func run(
        callers: Int, for time: Duration, countsCPU: Bool = true, on executor: (any TaskExecutor)? = nil
    ) async throws -> Figures {
        let cpu = ProcessUsage.cpuSeconds
        let start = Stopwatch.nanoseconds
        let end = start + time.nanoseconds
        let all = try await withThrowingTaskGroup(of: Outcome.self) { group in
            for caller in 0..<callers {
                // Not with an executor that is nil: where the tasks run is the same, but they keep the preference for
                // none, and whenever they are resumed or call something it is looked for under a lock.
                if let executor {
                    group.addTask(executorPreference: executor) { try await cycles(of: caller, until: end) }
                } else {
                    group.addTask { try await cycles(of: caller, until: end) }
                }
            }
            return try await group.reduce(into: Outcome()) { all, one in
                all.cycles.add(one.cycles)
                all.acquires.add(one.acquires)
            }
        }
        return Figures(
            cycles: all.cycles, acquires: all.acquires, seconds: Double(Stopwatch.nanoseconds - start) / 1e9,
            cpuSeconds: countsCPU ? ProcessUsage.cpuSeconds - cpu : nil)
    }

    private func cycles(of caller: Int, until end: Int64) async throws -> Outcome {
        var outcome = Outcome()
        var now = Stopwatch.nanoseconds
        repeat {
            let begun = now
            let held = try await locks.acquire(caller)
            let acquired = Stopwatch.nanoseconds
            try await locks.release(held)
            now = Stopwatch.nanoseconds
            outcome.acquires.add(acquired - begun)
            outcome.cycles.add(now - begun)
        } while now < end && !Task.isCancelled
        return outcome
    }
}
