import LocalCluster
import PosixLock
import Redlock
import Testing

/// Waiting on real servers. The fallback is set to minutes: a test that needed it would not end in time.
@Suite("Waiting", .timeLimit(.minutes(3)))
struct WaitingTests {
    private static let ttl = Duration.seconds(60)
    private static let wait = Duration.seconds(3_000)

    private func waiter(
        _ cluster: LocalCluster, fallback: Duration = .seconds(3_000)
    ) throws -> (redlock: Redlock, events: EventRecorder) {
        try Redlock.observed(cluster.urls) {
            $0.fallbackDelay = fallback
            $0.retryDelay = .seconds(60)
        }
    }

    /// Waits until somebody is subscribed to the resource on every node, and has asked again since.
    private func subscribed(_ cluster: LocalCluster, _ events: EventRecorder, _ resource: String = "resource") async {
        await eventually("somebody is subscribed") {
            cluster.nodes.allSatisfy {
                $0.command("PUBSUB", "NUMSUB", "redlock:\(resource)")
                    == .array([.string("redlock:\(resource)"), .integer(1)])
            }
        }
        await events.wait { $0.kind == .retry && $0.attempt >= 2 }
    }

    @Test("A release wakes a waiter of another instance", arguments: [1, 2, 3, 5])
    func release(nodes: Int) async throws {
        let cluster = try await startCluster(nodes: nodes)
        let holder = try Redlock.patient(cluster.urls)
        let (redlock, events) = try waiter(cluster)
        for _ in 1...3 {
            let held = try await holder.acquire("resource", ttl: Self.ttl, waitingUpTo: .seconds(60))
            let task = Task { try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: Self.wait) }
            await subscribed(cluster, events)
            await held.release()
            let lease = try await task.value
            #expect(lease.isValid)
            await lease.release()
        }
        await holder.shutdown()
        await redlock.shutdown()
    }

    @Test("A task that waits for a lock of its own process is told so, and not that another holds it")
    func ownLock() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        let held = try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: .seconds(60))
        for wait in [Duration.zero, .milliseconds(200)] {
            let error = await #expect(throws: RedlockError.self) {
                try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: wait)
            }
            #expect(error?.code == .heldByAnother)
            #expect(error?.message.contains("this process holds it itself") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("another holds it") == false)
            #expect(error?.votes.allSatisfy { $0.detail == "this process holds the lock itself" } == true)
        }
        let refusal = events.events.last { $0.kind == .refused }
        #expect(refusal?.reason.contains("this process holds it itself") == true)

        // Another coordinator is like another process.
        let (other, _) = try Redlock.observed(cluster.urls)
        let error = await #expect(throws: RedlockError.self) {
            try await other.acquire("resource", ttl: Self.ttl, waitingUpTo: .milliseconds(200))
        }
        #expect(error?.message == "another holds it")
        await held.release()
        await redlock.shutdown()
        await other.shutdown()
    }

    @Test("A task behind others of its process that wait is told of both")
    func ownQueue() async throws {
        let cluster = try await startCluster(nodes: 3)
        let holder = try Redlock.patient(cluster.urls)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        let held = try await holder.acquire("resource", ttl: Self.ttl, waitingUpTo: .seconds(60))
        let first = Task { try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: Self.wait) }
        await events.wait(for: .retry)
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: .milliseconds(200))
        }
        #expect(error?.message == "another holds it, and other tasks of this process are ahead in the queue for it")
        first.cancel()
        _ = await first.result
        await held.release()
        await holder.shutdown()
        await redlock.shutdown()
    }

    @Test("Without its subscription connections a waiter makes progress: it subscribes again, and looks")
    func connectionsKilled() async throws {
        let cluster = try await startCluster(nodes: 3)
        let holder = try Redlock.patient(cluster.urls)
        let (redlock, events) = try waiter(cluster)
        let held = try await holder.acquire("resource", ttl: Self.ttl, waitingUpTo: .seconds(60))
        let task = Task { try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: Self.wait) }
        await subscribed(cluster, events)
        for node in cluster.nodes { node.command("CLIENT", "KILL", "TYPE", "pubsub") }
        await held.release()
        await (try task.value).release()
        await holder.shutdown()
        await redlock.shutdown()
    }

    @Test("A key that a client of another make deletes without a word is found by the fallback")
    func foreign() async throws {
        let cluster = try await startCluster(nodes: 3)
        for node in cluster.nodes { node.command("SET", "resource", "other", "PX", "300000") }
        let (redlock, events) = try waiter(cluster, fallback: .milliseconds(200))
        let task = Task { try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: Self.wait) }
        await subscribed(cluster, events)
        for node in cluster.nodes { node.command("DEL", "resource") }
        await (try task.value).release()
        await redlock.shutdown()
    }

    @Test("Keys of a holder that died are taken when they have expired")
    func expiry() async throws {
        let cluster = try await startCluster(nodes: 3)
        for node in cluster.nodes { node.command("SET", "resource", "other", "PX", "2000") }
        let (redlock, _) = try waiter(cluster)
        let lease = try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: Self.wait)
        #expect(!cluster.values(of: "resource").contains("other"))
        await lease.release()
        await redlock.shutdown()
    }

    /// Commands that clients sent, by name: those inside scripts count under other names.
    private func calls(_ name: String, _ node: LocalNode) -> Int {
        guard case .string(let text) = node.command("INFO", "commandstats"),
            let line = text.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix("cmdstat_\(name):calls=") })
        else { return 0 }
        return Int(line.drop { $0 != "=" }.dropFirst().prefix { $0 != "," }) ?? 0
    }

    @Test("A waiter costs no command while nothing changes")
    func silence() async throws {
        let cluster = try await startCluster(nodes: 3)
        let holder = try Redlock.patient(cluster.urls)
        let (redlock, events) = try waiter(cluster)
        let held = try await holder.acquire("resource", ttl: Self.ttl, waitingUpTo: .seconds(60))
        // The script is known from here on.
        await (try holder.acquire("other", ttl: Self.ttl)).release()
        let tasks = (0..<100).map { _ in
            Task { try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: Self.wait) }
        }
        await subscribed(cluster, events)
        await eventually("the releases of its attempts are there") {
            cluster.nodes.allSatisfy { calls("evalsha", $0) + calls("eval", $0) >= 4 }
        }
        let before = cluster.nodes.map { calls("set", $0) }
        // What happens meanwhile elsewhere is all that happens.
        for _ in 0..<200 { await (try holder.acquire("other", ttl: Self.ttl)).release() }
        #expect(cluster.nodes.map { calls("set", $0) } == before.map { $0 + 200 })
        for task in tasks { task.cancel() }
        await held.release()
        await holder.shutdown()
        await redlock.shutdown()
        #expect(!cluster.hasKey("resource"))
    }

    @Test("Ten thousand waiters are one contender; cancelled, they leave nothing")
    func many() async throws {
        let cluster = try await startCluster(nodes: 3)
        let holder = try Redlock.patient(cluster.urls)
        let (redlock, events) = try waiter(cluster)
        let held = try await holder.acquire("resource", ttl: Self.ttl, waitingUpTo: .seconds(60))
        let before = cluster.nodes.map { calls("set", $0) }
        let tasks = (0..<10_000).map { _ in
            Task { try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: Self.wait) }
        }
        await subscribed(cluster, events)
        for task in tasks { task.cancel() }
        var codes = Set<RedlockError.Code>()
        for task in tasks {
            if case .failure(let error as RedlockError) = await task.result { codes.insert(error.code) }
        }
        #expect(codes == [.cancelled])
        for (node, before) in zip(cluster.nodes, before) {
            // At once, when the subscriptions stood, and again for whoever was first while others were cancelled.
            #expect(calls("set", node) - before < 100)
        }
        await held.release()
        #expect(!cluster.hasKey("resource"))
        await redlock.shutdown()
        await holder.shutdown()
        for node in cluster.nodes {
            await eventually("no subscription is left") { node.command("PUBSUB", "CHANNELS") == .array([]) }
        }
    }

    @Test("Tasks of one process are served in the order in which they asked, those that gave up left out")
    func order() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let held = try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: .seconds(60))
        let served = Locked<[Int]>([])
        let tasks = (0..<50).map { number in
            Task.immediate {
                let lease = try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: Self.wait)
                served.withLock { $0.append(number) }
                await lease.release()
            }
        }
        for number in stride(from: 1, to: 50, by: 7) {
            tasks[number].cancel()
            _ = await tasks[number].result
        }
        await held.release()
        for task in tasks { _ = await task.result }
        #expect(served.withLock { $0 } == (0..<50).filter { $0 % 7 != 1 })
        await redlock.shutdown()
        #expect(!cluster.hasKey("resource"))
    }

    @Test("Behind others of its process a caller without a wait is told so at once, and one with a wait in time")
    func deadlines() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let held = try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: .seconds(60))
        for wait in [Duration.zero, .milliseconds(50)] {
            let error = await #expect(throws: RedlockError.self) {
                try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: wait)
            }
            #expect(error?.code == .heldByAnother)
            #expect(error?.votes.count { $0.kind == .heldByAnother } ?? 0 >= 2)
            #expect(error?.votes.allSatisfy { $0.kind == .heldByAnother || $0.kind == .notAsked } == true)
        }
        await held.release()
        await redlock.shutdown()
    }

    @Test("A user who may not publish or subscribe locks as ever, waits by the clock, and is reported once a node")
    func denied() async throws {
        let cluster = try await startCluster(nodes: 3)
        for node in cluster.nodes {
            node.command(
                "ACL", "SETUSER", "limited", "on", ">secret", "~*", "resetchannels", "+@all", "-publish", "-subscribe")
        }
        let urls = cluster.urls.map { $0.replacing("redis://", with: "redis://limited:secret@") }
        let (holder, holderEvents) = try Redlock.observed(urls)
        let (redlock, events) = try Redlock.observed(urls) { $0.fallbackDelay = .milliseconds(50) }
        for _ in 1...2 {
            let held = try await holder.acquire("resource", ttl: Self.ttl, waitingUpTo: .seconds(60))
            let task = Task { try await redlock.acquire("resource", ttl: Self.ttl, waitingUpTo: Self.wait) }
            await events.wait { $0.kind == .notificationsDenied && $0.reason.contains("NOPERM") }
            await held.release()
            await (try task.value).release()
        }
        await holder.shutdown()
        await redlock.shutdown()
        #expect(!cluster.hasKey("resource"))
        for events in [events, holderEvents] {
            let denied = events.events.filter { $0.kind == .notificationsDenied }.compactMap(\.node)
            #expect(denied.count == Set(denied).count)
            #expect(!denied.isEmpty)
        }
    }
}
