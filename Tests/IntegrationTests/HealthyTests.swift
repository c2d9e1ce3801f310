import LocalCluster
import Redlock
import Testing

@Suite("Five healthy nodes")
struct HealthyTests {
    @Test("An acquire is one SET on every node: one token, and the ttl that was asked for")
    func oneRoundTrip() async throws {
        let cluster = try await startCluster()
        let (redlock, events) = try Redlock.observed(cluster.urls)
        await events.nodesConnected(5)
        for node in cluster.nodes { node.command("CONFIG", "RESETSTAT") }

        let lease = try await redlock.acquire("invoice:42", ttl: .seconds(30))
        // The late votes of the broadcast: all five keys are there when all five have answered.
        await eventually("a key on every node") { !cluster.values(of: "invoice:42").contains(nil) }
        let values = cluster.values(of: "invoice:42")
        #expect(Set(values).count == 1)
        #expect(values[0]?.utf8.count == 40)
        for node in cluster.nodes {
            guard case .integer(let left) = node.command("PTTL", "invoice:42") else {
                Issue.record("no PTTL")
                continue
            }
            #expect((1...30_000).contains(left))
            #expect(left > 20_000)
            guard case .string(let statistics) = node.command("INFO", "commandstats") else { continue }
            #expect(statistics.contains("cmdstat_set:calls=1,"))
            #expect(!statistics.contains("eval"))
        }
        #expect(lease.isValid)
        // 30 s less 1 % and 2 ms, and what has passed since.
        #expect(lease.remaining <= .milliseconds(29_698))
        await lease.release()
        #expect(!lease.isValid)
        #expect(lease.remaining == .zero)
        await redlock.shutdown()
        #expect(!cluster.hasKey("invoice:42"))
    }

    @Test("A second holder is refused, and is let in after the release")
    func exclusion() async throws {
        let cluster = try await startCluster(nodes: 3)
        let anna = try Redlock.patient(cluster.urls)
        let bert = try Redlock.patient(cluster.urls)
        let lease = try await anna.acquire("report", ttl: .seconds(30))
        let error = await #expect(throws: RedlockError.self) { try await bert.acquire("report", ttl: .seconds(30)) }
        #expect(error?.code == .heldByAnother)
        #expect(error?.votes.count { $0.kind == .heldByAnother } ?? 0 >= 2)
        await lease.release()
        let second = try await bert.acquire("report", ttl: .seconds(30), waitingUpTo: .seconds(30))
        await second.release()
        await anna.shutdown()
        await bert.shutdown()
    }

    @Test("Who may ask three times asks three times, however long it would wait")
    func maximumAttempts() async throws {
        let cluster = try await startCluster(nodes: 1)
        cluster.nodes[0].command("SET", "report", "other", "PX", "300000")
        let (redlock, events) = try Redlock.observed(cluster.urls) {
            $0.maximumAttempts = 3
            $0.retryDelay = .milliseconds(1)
        }
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("report", ttl: .seconds(30), waitingUpTo: .seconds(600))
        }
        #expect(error?.code == .heldByAnother)
        #expect(events.events.count { $0.kind == .attempt } == 3)
        await redlock.shutdown()
    }

    @Test("A foreign client that follows the Redis documentation is kept out, and keeps us out")
    func foreignClient() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)

        let lease = try await redlock.acquire("shared", ttl: .seconds(30))
        await eventually("all keys") { !cluster.values(of: "shared").contains(nil) }
        for node in cluster.nodes { #expect(node.command("SET", "shared", "foreign", "NX", "PX", "30000") == .null) }
        await lease.release()
        await eventually("all released") { !cluster.hasKey("shared") }

        for node in cluster.nodes {
            #expect(node.command("SET", "shared", "foreign", "NX", "PX", "30000") == .status("OK"))
        }
        let error = await #expect(throws: RedlockError.self) { try await redlock.acquire("shared", ttl: .seconds(30)) }
        #expect(error?.code == .heldByAnother)
        await redlock.shutdown()
        #expect(cluster.values(of: "shared") == ["foreign", "foreign", "foreign"])
    }

    @Test("withLock returns what its body returns, extends while it runs, and leaves no key")
    func withLock() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        let value = try await redlock.withLock("job", ttl: .seconds(6)) { lease in
            let first = lease.validUntil
            await events.wait(for: .extended)
            await eventually("the end has moved") { lease.validUntil > first }
            return 42
        }
        #expect(value == 42)
        await redlock.shutdown()
        #expect(!cluster.hasKey("job"))
    }

    @Test("An error of the body is thrown as it is, and the lock is released")
    func bodyThrows() async throws {
        struct Mishap: Error {}
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        await #expect(throws: Mishap.self) {
            try await redlock.withLock("job", ttl: .seconds(30)) { _ in throw Mishap() }
        }
        await redlock.shutdown()
        #expect(!cluster.hasKey("job"))
    }

    @Test(
        "An extension by hand moves the end of validity, and the expiry on the nodes; a shorter one takes nothing away")
    func extendByHand() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let lease = try await redlock.acquire("report", ttl: .seconds(25))
        let first = lease.validUntil
        let again = try await lease.extend()
        #expect(again > first, "by the ttl that it was acquired with")
        let second = try await lease.extend(ttl: .seconds(60))
        #expect(second == lease.validUntil)
        #expect(second - first > .seconds(30))
        await eventually("all nodes extended") {
            cluster.nodes.allSatisfy { node in
                if case .integer(let left) = node.command("PTTL", "report") { left > 30_000 } else { false }
            }
        }
        try await lease.extend(ttl: .seconds(1))
        #expect(lease.validUntil == second)
        await lease.release()
        let error = await #expect(throws: RedlockError.self) { try await lease.extend() }
        #expect(error?.code == .released)
        await redlock.shutdown()
    }

    @Test("A lease that is let go is released")
    func letGo() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        _ = try await redlock.acquire("report", ttl: .seconds(60), extendingItself: true)
        await eventually("released") { !cluster.hasKey("report") }
        await redlock.shutdown()
    }

    @Test("A coordinator that is let go with its leases releases them and closes its connections")
    func letGoCoordinator() async throws {
        let cluster = try await startCluster(nodes: 3)
        do {
            let redlock = try Redlock.patient(cluster.urls)
            _ = try await redlock.acquire("report", ttl: .seconds(60))
        }
        await eventually("released and closed") {
            !cluster.hasKey("report")
                && cluster.nodes.allSatisfy { node in
                    guard case .string(let clients) = node.command("CLIENT", "LIST") else { return false }
                    return clients.split(separator: "\n").count == 1
                }
        }
    }

    @Test("Shutdown refuses who waits, tells who holds, and waits for the release")
    func shutdown() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        let other = try Redlock.patient(cluster.urls)
        let taken = try await other.acquire("taken", ttl: .seconds(60))
        let lease = try await redlock.acquire("report", ttl: .seconds(60), extendingItself: true)
        async let waiter = Result { () async throws(RedlockError) in
            try await redlock.acquire("taken", ttl: .seconds(60), waitingUpTo: .seconds(600))
        }
        await events.wait(for: .retry)
        async let isShutDown: Void = redlock.shutdown()
        await events.wait(for: .lost)
        // Its holder may still be at work: the keys stay until the release.
        #expect(cluster.hasKey("report"))
        await lease.release()
        await isShutDown
        if case .failure(let error) = await waiter {
            #expect(error.code == .shutDown)
        } else {
            Issue.record("the waiter got a lease")
        }
        #expect(lease.loss?.code == .lost)
        #expect(!lease.isValid)
        #expect(!cluster.hasKey("report"))
        await lease.release()
        let error = await #expect(throws: RedlockError.self) { try await redlock.acquire("report", ttl: .seconds(60)) }
        #expect(error?.code == .shutDown)
        await redlock.shutdown()
        await taken.release()
        await other.shutdown()
    }

    @Test(
        "Names may be any bytes, and the prefix is put before them",
        arguments: [
            Resource(bytes: [0, 0xff, 0x0d, 0x0a, 0x20]), "with spaces and *$\r\n",
            Resource(String(repeating: "x", count: 1_020)),
        ])
    func names(_ resource: Resource) async throws {
        let cluster = try await startCluster(nodes: 1)
        let (redlock, _) = try Redlock.observed(cluster.urls) { $0.keyPrefix = "pre:" }
        let lease = try await redlock.acquire(resource, ttl: .seconds(30))
        let error = await #expect(throws: RedlockError.self) { try await redlock.acquire(resource, ttl: .seconds(30)) }
        #expect(error?.code == .heldByAnother)
        #expect(cluster.nodes[0].command("DBSIZE") == .integer(1))
        await lease.release()
        #expect(cluster.nodes[0].command("DBSIZE") == .integer(0))
        await redlock.shutdown()
    }

    @Test("A thousand locks are held and released by a hundred tasks, each alone with its resource")
    func many() async throws {
        let cluster = try await startCluster()
        let redlock = try Redlock.patient(cluster.urls)
        try await withThrowingTaskGroup { group in
            for task in 0..<100 {
                group.addTask {
                    for turn in 0..<10 {
                        let lease = try await redlock.acquire("task:\(task):\(turn)", ttl: .seconds(60))
                        #expect(lease.isValid)
                        await lease.release()
                    }
                }
            }
            try await group.waitForAll()
        }
        await redlock.shutdown()
        for node in cluster.nodes { #expect(node.command("DBSIZE") == .integer(0)) }
    }
}

extension Result where Failure == RedlockError {
    init(_ body: () async throws(RedlockError) -> Success) async {
        do throws(RedlockError) {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
