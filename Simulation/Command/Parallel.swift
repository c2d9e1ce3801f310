import Glibc
import Synchronization

/// Numbers handed out to as many threads as there are jobs.
enum Parallel {
    static let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    /// Calls `work` for every number below `count`, each job adding to a total of its own, and adds the totals up.
    static func run<Total: Sendable>(
        count: Int, jobs: Int, until deadline: ContinuousClock.Instant? = nil, start: @escaping @Sendable () -> Total,
        progress: @escaping @Sendable (Int) -> Void = { _ in },
        work: @escaping @Sendable (Int, inout Total) -> Bool, add: (inout Total, Total) -> Void
    ) async -> Total {
        let next = Counter()
        var sum = start()
        await withTaskGroup(of: Total.self) { group in
            for job in 0..<jobs {
                group.addTask {
                    var total = start()
                    while true {
                        let number = next.take()
                        guard number < count else { return total }
                        if let deadline, number % 16 == 0, ContinuousClock.now >= deadline { return total }
                        if job == 0, number % 64 < jobs { progress(number) }
                        guard work(number, &total) else {
                            next.stop()
                            return total
                        }
                    }
                }
            }
            for await total in group { add(&sum, total) }
        }
        return sum
    }

    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)

        func take() -> Int { value.add(1, ordering: .relaxed).oldValue }
        func stop() { value.store(Int.max / 2, ordering: .relaxed) }
    }
}
