import PosixLock
import Redlock
import Testing

/// The lock on five containers that are killed, paused, restarted and cut off.
@Suite("The compose cluster", .serialized, .enabled(if: ComposeCluster.isThere))
struct ComposeTests {
    private let cluster = ComposeCluster()
    private static let minority = 1...2
    private static let majority = 1...3
    private static let all = 1...5
    /// Containers come and go slowly.
    private static let patience = Duration.seconds(120)
    private static let ttl = Duration.seconds(60)

    init() async throws {
        try await cluster.heal()
    }

    private func redlock(nodeTimeout: Duration = .seconds(2)) throws -> Redlock {
        var configuration = Redlock.Configuration()
        configuration.nodeTimeout = nodeTimeout
        // The containers may have been started a moment ago.
        configuration.trustsDurableNodes = true
        return try Redlock(nodes: cluster.urls, configuration: configuration)
    }

    /// A lock can be had and let go, and leaves nothing behind.
    private func works(_ redlock: Redlock, _ resource: Resource) async throws {
        let lease = try await redlock.acquire(resource, ttl: Self.ttl, waitingUpTo: Self.patience)
        #expect(lease.isValid)
        await lease.release()
    }

    /// Nobody can have it while a majority is away.
    private func isUnavailable(_ redlock: Redlock, _ resource: Resource) async {
        let error = await #expect(throws: RedlockError.self) {
            _ = try await redlock.acquire(resource, ttl: Self.ttl)
        }
        #expect(error?.code == .unavailable)
    }

    @Test("a lock is acquired on all nodes, excludes others, and is released on all of them")
    func acquire() async throws {
        let (one, other) = (try redlock(), try redlock())
        let lease = try await one.acquire("compose", ttl: Self.ttl, waitingUpTo: Self.patience)
        let error = await #expect(throws: RedlockError.self) { _ = try await other.acquire("compose", ttl: Self.ttl) }
        #expect(error?.code == .heldByAnother)
        #expect(await cluster.values(of: "compose").count { $0 != nil } >= 3)
        await lease.release()
        try await works(other, "compose")
        await one.shutdown()
        await other.shutdown()
        #expect(await cluster.values(of: "compose").allSatisfy { $0 == nil })
    }

    @Test("contenders in several coordinators never hold at the same time, and all get their turn")
    func contention() async throws {
        let coordinators = [try redlock(), try redlock()]
        let holders = Locked(0)
        let turns = Locked(0)
        try await withThrowingTaskGroup { group in
            for task in 0..<20 {
                group.addTask {
                    try await coordinators[task % 2].withLock(
                        "contended", ttl: Self.ttl, waitingUpTo: Self.patience
                    ) { _ in
                        #expect(
                            holders.withLock {
                                $0 += 1; return $0
                            } == 1)
                        await Task.yield()
                        holders.withLock { $0 -= 1 }
                        turns.withLock { $0 += 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(turns.withLock { $0 } == 20)
        for coordinator in coordinators { await coordinator.shutdown() }
    }

    @Test("a killed minority is not missed, a killed majority is; with the nodes the lock comes back")
    func kill() async throws {
        let redlock = try redlock()
        try await works(redlock, "killed")
        try await cluster.compose("kill", Self.minority)
        try await works(redlock, "killed")
        try await cluster.compose("kill", 3...3)
        await isUnavailable(redlock, "killed")
        try await cluster.compose("start", Self.majority)
        try await works(redlock, "killed")
        await redlock.shutdown()
    }

    @Test("a lock outlives the death of all nodes: every write is on the disk before it is answered")
    func durable() async throws {
        let (one, other) = (try redlock(), try redlock())
        let lease = try await one.acquire("durable", ttl: .seconds(60), waitingUpTo: Self.patience)
        try await cluster.compose("kill", Self.all)
        try await cluster.compose("start", Self.all)
        // Once the nodes are reached again, they know whose it is.
        var answer = RedlockError.Code.unavailable
        while answer == .unavailable {
            try await Task.sleep(for: .milliseconds(50))
            do throws(RedlockError) {
                _ = try await other.acquire("durable", ttl: .seconds(60))
                answer = .lost
            } catch {
                answer = error.code
            }
        }
        #expect(answer == .heldByAnother)
        #expect(lease.isValid)
        await lease.release()
        await one.shutdown()
        await other.shutdown()
    }

    @Test("a paused minority is not missed, a paused majority is; what they were sent leaves no key")
    func pause() async throws {
        let redlock = try redlock(nodeTimeout: .milliseconds(500))
        try await works(redlock, "paused")
        try await cluster.compose("pause", Self.minority)
        try await works(redlock, "paused")
        try await cluster.compose("pause", 3...3)
        await isUnavailable(redlock, "paused")
        try await cluster.compose("unpause", Self.majority)
        try await works(redlock, "paused")
        await redlock.shutdown()
        // The releases follow the commands that the nodes find when they wake.
        try await Self.eventually { await cluster.values(of: "paused").allSatisfy { $0 == nil } }
    }

    @Test("a restart of one node after the other takes nothing from a holder that extends")
    func restart() async throws {
        let redlock = try redlock()
        let receipt = try await redlock.withLock("restarted", ttl: Self.ttl, waitingUpTo: Self.patience) { lease in
            for node in Self.all {
                try await cluster.compose("restart", node...node, ["--timeout", "1"])
                try await lease.extend()
            }
            return lease.isValid
        }
        #expect(receipt)
        await redlock.shutdown()
    }

    @Test("a minority that is cut off is not missed; with a majority the holder is told of its loss in time")
    func disconnect() async throws {
        let redlock = try redlock(nodeTimeout: .milliseconds(500))
        try await works(redlock, "cut off")
        try await cluster.network("disconnect", Self.minority)
        try await works(redlock, "cut off")
        let lease = try await redlock.acquire(
            "held", ttl: .seconds(15), waitingUpTo: Self.patience, extendingItself: true)
        try await cluster.network("disconnect", 3...3)
        await isUnavailable(redlock, "cut off")
        let loss = await lease.waitForLoss()
        #expect(loss?.code == .lost)
        #expect(!lease.isValid)
        await lease.release()
        try await cluster.network("connect", Self.majority)
        try await works(redlock, "cut off")
        await redlock.shutdown()
    }

    /// Waits for what sends no event, without holding a thread.
    private static func eventually(_ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now.advanced(by: patience)
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                throw ComposeCluster.Failure(description: "it did not happen within \(patience)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
