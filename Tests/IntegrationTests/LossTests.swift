import LocalCluster
import Redlock
import Testing

@Suite("Loss")
struct LossTests {
    @Test("A majority that dies cancels the body before the validity ends, and the error has the votes")
    func bodyIsCancelledAhead() async throws {
        let cluster = try await startCluster()
        let redlock = try Redlock.patient(cluster.urls)
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.withLock("resource", ttl: .seconds(2)) { lease in
                for node in cluster.nodes[..<3] { node.kill() }
                let end = lease.validUntil
                do {
                    try await Task.sleep(for: .seconds(600))
                } catch {
                    // A tenth of the ttl ahead; how much of it is left when a task runs is up to the machine.
                    #expect(lease.validUntil == end)
                    #expect(!lease.isValid)
                    #expect(lease.loss?.code == .lost)
                    throw error
                }
            }
        }
        #expect(error?.code == .lost)
        #expect(error?.votes.count { $0.kind == .unreachable } == 3)
        await redlock.shutdown()
    }

    @Test("The loss is told ahead by the margin that was asked for")
    func margin() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.lossMargin = .seconds(4) }
        let lease = try await redlock.acquire("resource", ttl: .seconds(8))
        let loss = await lease.waitForLoss()
        #expect(loss?.code == .lost)
        let told = events.events.first { $0.kind == .lost }
        #expect(told?.remaining ?? .zero > .zero)
        #expect(told?.remaining ?? .zero <= .seconds(4))
        let error = await #expect(throws: RedlockError.self) { try await lease.extend() }
        #expect([.lost, .expired].contains(error?.code))
        await lease.release()
        await redlock.shutdown()
    }

    @Test("When a quorum has lost the key, the holder is told at the next extension, long before the end")
    func taken() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.withLock("resource", ttl: .seconds(3)) { lease in
                for node in cluster.nodes { node.command("FLUSHALL") }
                try await Task.sleep(for: .seconds(600))
            }
        }
        #expect(error?.code == .lost)
        #expect(error?.votes.count { $0.kind == .missing } ?? 0 >= 2)
        await redlock.shutdown()
    }

    @Test("An extension that fails leaves the lease as it was, and deletes nothing")
    func failedExtension() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let lease = try await redlock.acquire("resource", ttl: .seconds(60))
        let end = lease.validUntil
        await eventually("all keys") { !cluster.values(of: "resource").contains(nil) }
        for node in cluster.nodes[..<2] { node.kill() }
        let error = await #expect(throws: RedlockError.self) { try await lease.extend() }
        #expect(error?.code == .notExtended)
        #expect(lease.validUntil == end)
        #expect(lease.isValid)
        #expect(lease.loss == nil)
        #expect(cluster.values(of: "resource")[2] != nil)
        await lease.release()
        await redlock.shutdown()
    }

    @Test("A lease is lost when it was held for as long as it may be")
    func maximumHold() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, _) = try Redlock.observed(cluster.urls) { $0.maximumHold = .seconds(15) }
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.withLock("resource", ttl: .seconds(20)) { _ in
                try await Task.sleep(for: .seconds(600))
            }
        }
        // On a machine that is slow enough, the lease is over before the body begins.
        #expect(error?.code == .lost || error?.code == .expired)
        #expect(error?.message.contains("maximumHold") == true)
        await redlock.shutdown()
        #expect(!cluster.hasKey("resource"))
    }

    @Test("Waiting for a loss ends with nil at the release, and at cancellation")
    func waitEnds() async throws {
        let cluster = try await startCluster(nodes: 1)
        let redlock = try Redlock.patient(cluster.urls)
        let lease = try await redlock.acquire("resource", ttl: .seconds(60))
        let cancelled = Task { await lease.waitForLoss() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        let released = Task { await lease.waitForLoss() }
        await Task.yield()
        await lease.release()
        #expect(await released.value == nil)
        #expect(await lease.waitForLoss() == nil)
        await redlock.shutdown()
    }
}
