import LocalCluster
import Redlock
import TestSupport
import Testing

@Suite("Repair")
struct RepairTests {
    /// Short enough that a try at a node is soon repeated, long enough for a busy machine.
    private static let nodeTimeout = Duration.seconds(2)

    private func lifetime(_ key: String, on node: LocalNode) -> Duration {
        guard case .integer(let milliseconds) = node.command("PTTL", key) else { return .zero }
        return .milliseconds(milliseconds)
    }

    @Test("A node that comes back under a lease gets its key, for what is left of it, and carries it when another dies")
    func bareQuorum() async throws {
        let cluster = try await startCluster()
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.nodeTimeout = Self.nodeTimeout }
        await events.nodesConnected(5)
        let fourth = cluster.nodes[3]
        for node in cluster.nodes[3...] { node.kill() }
        let name = "127.0.0.1:\(fourth.port)"
        await events.wait { $0.kind == .nodeDisconnected && $0.node == name }
        await events.wait { $0.kind == .nodeDisconnected && $0.node == "127.0.0.1:\(cluster.nodes[4].port)" }

        let lease = try await redlock.acquire("resource", ttl: .seconds(60))
        await events.wait(for: .atRisk)
        await eventually("the holder knows") { lease.isAtRisk }
        #expect(lease.isValid)
        let risk = events.events.first { $0.kind == .atRisk }
        #expect(risk?.reason.contains("no spare node") == true)
        #expect(risk?.votes.count { $0.kind == .granted } == 3)

        try await onOwnThread { Result { try fourth.start() } }.get()
        await events.wait { $0.kind == .repaired && $0.node == name }
        // The first try comes a fortieth of the ttl after the grant, or later.
        let left = lifetime("resource", on: fourth)
        #expect(left <= .milliseconds(58_500))
        #expect(left >= lease.remaining)
        #expect(cluster.values(of: "resource")[3] == cluster.values(of: "resource")[0])
        await events.wait(for: .recovered)
        await eventually("the holder knows") { !lease.isAtRisk }

        cluster.nodes[0].kill()
        try await lease.extend()
        await lease.release()
        await redlock.shutdown()
        #expect(!cluster.hasKey("resource"))
    }

    @Test("A minority that lost its keys has them again after the next extension")
    func flushed() async throws {
        let cluster = try await startCluster()
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.nodeTimeout = Self.nodeTimeout }
        await events.nodesConnected(5)
        let lease = try await redlock.acquire("resource", ttl: .seconds(30))
        await eventually("all keys") { !cluster.values(of: "resource").contains(nil) }
        cluster.nodes[1].command("FLUSHALL")
        try await lease.extend()
        await events.wait { $0.kind == .repaired && $0.node == "127.0.0.1:\(cluster.nodes[1].port)" }
        #expect(Set(cluster.values(of: "resource")).count == 1)
        #expect(lifetime("resource", on: cluster.nodes[1]) >= lease.remaining)
        await lease.release()
        await redlock.shutdown()
        #expect(!cluster.hasKey("resource"))
    }

    @Test("Another's key is never replaced, and taken over by nobody when the holder lets go")
    func foreign() async throws {
        let cluster = try await startCluster(nodes: 3)
        cluster.nodes[2].command("SET", "resource", "other", "PX", "300000")
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.nodeTimeout = Self.nodeTimeout }
        let lease = try await redlock.acquire("resource", ttl: .seconds(20), waitingUpTo: .seconds(60))
        await events.wait(for: .atRisk)
        let third = cluster.nodes[2]
        await eventually("a repair was tried") {
            guard case .string(let statistics) = third.command("INFO", "commandstats") else { return false }
            return statistics.contains("cmdstat_eval:calls=")
        }
        #expect(cluster.values(of: "resource")[2] == "other")
        await lease.release()
        await redlock.shutdown()
        #expect(cluster.values(of: "resource") == [nil, nil, "other"])
    }

    @Test("Where all nodes are well, a lock costs one SET and one release, and a lease its extensions")
    func nothingExtra() async throws {
        let cluster = try await startCluster()
        let (redlock, events) = try Redlock.observed(cluster.urls)
        await events.nodesConnected(5)
        // So that the nodes know the scripts.
        let first = try await redlock.acquire("resource", ttl: .seconds(60))
        try await first.extend()
        await first.release()
        await eventually("all have executed the release") { !cluster.hasKey("resource") }
        for node in cluster.nodes { node.command("CONFIG", "RESETSTAT") }

        for turn in 0..<50 {
            let lease = try await redlock.acquire("turn:\(turn)", ttl: .seconds(60))
            await lease.release()
        }
        // Long enough for a few tries to repair, if there were any.
        let extended = events.events.count { $0.kind == .extended }
        try await redlock.withLock("long", ttl: .milliseconds(1_500)) { _ in
            await eventually("extended three times") { events.events.count { $0.kind == .extended } >= extended + 3 }
        }
        await redlock.shutdown()
        let extensions = events.events.count { $0.kind == .extended } - extended
        for node in cluster.nodes {
            guard case .string(let statistics) = node.command("INFO", "commandstats") else { continue }
            #expect(statistics.contains("cmdstat_set:calls=51,"))
            #expect(!statistics.contains("cmdstat_eval:"))
            // One more extension may have begun when the body had ended.
            let calls = [extensions, extensions + 1].map { "cmdstat_evalsha:calls=\(51 + $0)," }
            #expect(calls.contains { statistics.contains($0) }, "\(extensions) extensions, \(statistics)")
        }
        #expect(!events.events.contains { $0.kind == .repaired })
    }

    @Test("A lease that cannot be extended is at risk until it can")
    func extensionFails() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        await events.nodesConnected(3)
        let lease = try await redlock.acquire("resource", ttl: .seconds(60))
        for node in cluster.nodes[..<2] { node.command("CONFIG", "SET", "min-replicas-to-write", "1") }
        await #expect(throws: RedlockError.self) { try await lease.extend() }
        await eventually("the holder knows") { lease.isAtRisk }
        let risk = events.events.first { $0.kind == .atRisk }
        #expect(risk?.reason.contains("could not be extended") == true)
        #expect(risk?.votes.count { $0.kind == .errorReply } == 2)
        #expect(lease.isValid)
        for node in cluster.nodes[..<2] { node.command("CONFIG", "SET", "min-replicas-to-write", "0") }
        try await lease.extend()
        await events.wait(for: .recovered)
        await eventually("the holder knows") { !lease.isAtRisk }
        await lease.release()
        #expect(!lease.isAtRisk)
        await redlock.shutdown()
    }
}
