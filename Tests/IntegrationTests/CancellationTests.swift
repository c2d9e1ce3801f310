import LocalCluster
import Redlock
import Testing

@Suite("Cancellation leaves no key and lets the caller go")
struct CancellationTests {
    private func expectCancelled(_ task: Task<Lease, any Error>) async {
        let error = await #expect(throws: RedlockError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test("before the nodes are asked")
    func before() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let task = Task {
            // Cancelled from the start.
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await redlock.acquire("resource", ttl: .seconds(60), waitingUpTo: .seconds(600))
        }
        await expectCancelled(task)
        await redlock.shutdown()
        #expect(!cluster.hasKey("resource"))
    }

    @Test("while the nodes vote")
    func duringVotes() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.nodeTimeout = .seconds(60) }
        await events.nodesConnected(3)
        for node in cluster.nodes[1...] { node.pause() }
        let task = Task { try await redlock.acquire("resource", ttl: .seconds(60), waitingUpTo: .seconds(600)) }
        await events.wait { $0.kind == .vote }
        task.cancel()
        // The others hang for ever: nobody waits for them.
        await expectCancelled(task)
        for node in cluster.nodes { node.resume() }
        await eventually("no key is left") { !cluster.hasKey("resource") }
        await redlock.shutdown()
    }

    @Test("while another holds it")
    func whileWaiting() async throws {
        let cluster = try await startCluster(nodes: 3)
        for node in cluster.nodes { node.command("SET", "resource", "other", "PX", "300000") }
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.retryDelay = .seconds(60) }
        let task = Task { try await redlock.acquire("resource", ttl: .seconds(60), waitingUpTo: .seconds(600)) }
        await events.wait(for: .retry)
        task.cancel()
        await expectCancelled(task)
        await redlock.shutdown()
        #expect(cluster.values(of: "resource") == ["other", "other", "other"])
    }

    @Test("when the votes are in and the caller has not run yet")
    func afterVotes() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        await events.nodesConnected(3)
        for turn in 1...200 {
            let name = Resource("resource:\(turn)")
            let task = Task { try await redlock.acquire(name, ttl: .seconds(60)) }
            await events.wait { $0.kind == .attempt && $0.resource == name }
            // Somewhere between the first vote and the caller.
            for _ in 0..<turn % 20 { await Task.yield() }
            task.cancel()
            if let lease = try? await task.value { await lease.release() }
        }
        await redlock.shutdown()
        for node in cluster.nodes { #expect(node.command("DBSIZE") == .integer(0)) }
    }

    @Test("in the body, whose error is thrown")
    func inBody() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let (begun, body) = AsyncStream<Void>.makeStream()
        let task = Task {
            try await redlock.withLock("resource", ttl: .seconds(60)) { _ in
                body.finish()
                try await Task.sleep(for: .seconds(600))
            }
        }
        for await _ in begun {}
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await redlock.shutdown()
        #expect(!cluster.hasKey("resource"))
    }

    @Test("of one waiter among many, at random moments", .timeLimit(.minutes(2)))
    func atRandom() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, _) = try Redlock.observed(cluster.urls) {
            $0.retryDelay = .milliseconds(1)
            $0.retryJitter = .milliseconds(5)
        }
        await withTaskGroup { group in
            for index in 0..<300 {
                group.addTask {
                    let task = Task {
                        try await redlock.withLock("resource", ttl: .seconds(60), waitingUpTo: .seconds(600)) { _ in
                            await Task.yield()
                        }
                    }
                    for _ in 0..<index { await Task.yield() }
                    task.cancel()
                    _ = await task.result
                }
            }
        }
        await redlock.shutdown()
        #expect(!cluster.hasKey("resource"))
    }
}
