/// Tasks that acquire and release for a while, each its own resource.
enum TaskLoad {
    private struct Outcome {
        var cycles = Samples()
        var acquires = Samples()
    }

    /// Cycles until the time is over, or the task is cancelled.
    ///
    /// - Parameters:
    ///   - countsCPU: Whether this process does nothing else meanwhile.
    ///   - executor: Where the tasks run; nil for where tasks run.
    ///   - acquire: Acquires the resource of this caller.
    ///   - release: Releases what that gave.
    static func run<Lease>(
        callers: Int, for time: Duration, countsCPU: Bool = true, on executor: (any TaskExecutor)? = nil,
        acquire: @escaping @Sendable (Int) async throws -> Lease,
        release: @escaping @Sendable (Lease) async throws -> Void
    ) async throws -> Figures {
        let cpu = ProcessUsage.cpuSeconds
        let start = Stopwatch.nanoseconds
        let end = start + time.nanoseconds
        let all = try await withThrowingTaskGroup(of: Outcome.self) { group in
            for caller in 0..<callers {
                group.addTask(executorPreference: executor) {
                    var outcome = Outcome()
                    var now = Stopwatch.nanoseconds
                    repeat {
                        let begun = now
                        let lease = try await acquire(caller)
                        let acquired = Stopwatch.nanoseconds
                        try await release(lease)
                        now = Stopwatch.nanoseconds
                        outcome.acquires.add(acquired - begun)
                        outcome.cycles.add(now - begun)
                    } while now < end && !Task.isCancelled
                    return outcome
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
}
