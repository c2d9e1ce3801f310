import PosixLock
import Redlock

/// What a held lease and a waiting caller occupy: the growth of the process' resident memory, divided.
struct MemoryUse: Sendable {
    let nodes: [String]
    let keyPrefix: String
    let count: Int

    private static let ttl = Duration.seconds(300)
    /// Asked for at the same time, so that no node has more to do than it takes.
    private static let atOnce = 1_000

    func run() async throws -> MemoryFigures {
        var configuration = Redlock.Configuration.measuring
        configuration.ttlLimits = .milliseconds(10)...Self.ttl
        // Nobody is to try again while this is measured.
        configuration.retryDelay = .seconds(60)
        configuration.retryJitter = .seconds(60)
        // And a node that is slow to take so many at once has not failed.
        configuration.nodeTimeout = .seconds(10)
        // Each with an instance of its own: what one has left behind is not there for the next to use.
        let perLease = try await measure(configuration, bytesPerLease)
        let (perWaiter, cancelling) = try await measure(configuration, bytesPerWaiter)
        return MemoryFigures(
            count: count, bytesPerLease: perLease, bytesPerWaiter: perWaiter, bytesPerTask: await bytesPerTask(),
            cancelMicroseconds: cancelling)
    }

    private func measure<Figure: Sendable>(
        _ configuration: Redlock.Configuration, _ body: (Redlock) async throws -> Figure
    ) async throws -> Figure {
        try await withRedlock(nodes, configuration) { redlock in
            // What every load needs once does not count.
            _ = try await LibraryLoad(redlock: redlock, keyPrefix: keyPrefix)
                .run(callers: Self.atOnce, for: .milliseconds(100))
            return try await body(redlock)
        }
    }

    private func bytesPerLease(_ redlock: Redlock) async throws -> Double {
        let before = ProcessUsage.residentBytes
        var leases: [Lease] = []
        leases.reserveCapacity(count)
        let outcome: Result<Double, any Error>
        do {
            try await acquireAll(redlock, into: &leases)
            outcome = .success(Double(ProcessUsage.residentBytes - before) / Double(count))
        } catch {
            outcome = .failure(error)
        }
        await releaseAll(leases)
        return try outcome.get()
    }

    private func acquireAll(_ redlock: Redlock, into leases: inout [Lease]) async throws {
        for start in stride(from: 0, to: count, by: Self.atOnce) {
            try Task.checkCancellation()
            leases += try await withThrowingTaskGroup(of: Lease.self) { group in
                for index in start..<min(start + Self.atOnce, count) {
                    group.addTask {
                        try await redlock.acquire(
                            Resource("\(keyPrefix)\(index)"), ttl: Self.ttl, waitingUpTo: .seconds(120))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
    }

    private func releaseAll(_ leases: [Lease]) async {
        for start in stride(from: 0, to: leases.count, by: Self.atOnce) {
            await withTaskGroup { group in
                for lease in leases[start..<min(start + Self.atOnce, leases.count)] {
                    group.addTask { await lease.release() }
                }
            }
        }
    }

    /// A task that waits for nothing but a continuation: what Swift itself takes of a waiter.
    private func bytesPerTask() async -> Double {
        let bare = Locked<[BareWaiter]>([])
        bare.withLock { $0.reserveCapacity(count) }
        let before = ProcessUsage.residentBytes
        let tasks = (0..<count).map { _ in
            Task {
                unsafe await withUnsafeContinuation { continuation in
                    bare.withLock { unsafe $0.append(BareWaiter(continuation: continuation)) }
                }
            }
        }
        while bare.withLock({ $0.count }) < count { await Task.yield() }
        let bytes = Double(ProcessUsage.residentBytes - before) / Double(count)
        for waiter in bare.withLock({ $0 }) { waiter.resume() }
        for task in tasks { await task.value }
        return bytes
    }

    private func bytesPerWaiter(_ redlock: Redlock) async throws -> (bytes: Double, cancelMicroseconds: Double) {
        let resource = Resource("\(keyPrefix)waited-for")
        let held = try await redlock.acquire(resource, ttl: Self.ttl, waitingUpTo: LibraryLoad.wait)
        let before = ProcessUsage.residentBytes
        var waiters: [Task<Void, Never>] = []
        waiters.reserveCapacity(count)
        for start in stride(from: 0, to: count, by: Self.atOnce) where !Task.isCancelled {
            for _ in start..<min(start + Self.atOnce, count) {
                waiters.append(
                    Task { _ = try? await redlock.acquire(resource, ttl: Self.ttl, waitingUpTo: .seconds(3_600)) })
            }
            // Goes to the loop after them, and comes back when their first attempt, if they make one, is over.
            let marker = Resource("\(keyPrefix)marker")
            await (try redlock.acquire(marker, ttl: Self.ttl, waitingUpTo: .seconds(120))).release()
        }
        let bytes = Double(ProcessUsage.residentBytes - before) / Double(max(1, waiters.count))
        let start = Stopwatch.nanoseconds
        for waiter in waiters { waiter.cancel() }
        for waiter in waiters { await waiter.value }
        let cancelling = Double(Stopwatch.nanoseconds - start) / 1_000 / Double(max(1, waiters.count))
        await held.release()
        try Task.checkCancellation()
        return (bytes, cancelling)
    }
}

/// What the library occupies.
package struct MemoryFigures: Sendable {
    package var count: Int
    package var bytesPerLease: Double
    /// The task that waits included.
    package var bytesPerWaiter: Double
    /// What a task that waits for something else takes: Swift's share of a waiter.
    package var bytesPerTask: Double
    /// From the first cancellation until the last waiter has its answer, for each.
    package var cancelMicroseconds: Double

    init(
        count: Int, bytesPerLease: Double, bytesPerWaiter: Double, bytesPerTask: Double, cancelMicroseconds: Double
    ) {
        self.count = count
        self.bytesPerLease = bytesPerLease
        self.bytesPerWaiter = bytesPerWaiter
        self.bytesPerTask = bytesPerTask
        self.cancelMicroseconds = cancelMicroseconds
    }

    init(medianOf rounds: [MemoryFigures]) {
        func middle(_ figure: (MemoryFigures) -> Double) -> Double { rounds.map(figure).median }
        self.init(
            count: rounds[0].count, bytesPerLease: middle(\.bytesPerLease), bytesPerWaiter: middle(\.bytesPerWaiter),
            bytesPerTask: middle(\.bytesPerTask), cancelMicroseconds: middle(\.cancelMicroseconds))
    }
}

/// A task that waits, as a caller of the library does in a release build.
@safe
private struct BareWaiter: Sendable {
    let continuation: UnsafeContinuation<Void, Never>

    func resume() {
        unsafe continuation.resume()
    }
}
