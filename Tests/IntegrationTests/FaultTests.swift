import LocalCluster
import Redlock
import TestSupport
import Testing

/// What can be wrong with a node.
enum Fault: Sendable, CaseIterable, CustomTestStringConvertible {
    case refused
    case hung
    case noAuth
    case readOnly
    case outOfMemory
    case loading
    case misconfigured
    case busy
    case garbage
    case wrongAnswer
    case hugeArray
    case flood
    case closesAtOnce
    case closesAfterCommand

    var testDescription: String { "\(self)" }

    /// The faults that a real server can have, and whose connection is there when they begin.
    /// A password that is set later does not concern them.
    static let whileConnected: [Fault] = [.refused, .hung, .readOnly, .outOfMemory]

    /// Of the others a server of our own has to stand in: no command brings a redis-server to it.
    var behaviour: HostileServer.Behaviour? {
        switch self {
        case .refused, .hung, .noAuth, .readOnly, .outOfMemory: nil
        case .loading: .answers(error: "LOADING Redis is loading the dataset in memory")
        case .misconfigured: .answers(error: "MISCONF Redis is configured to save RDB snapshots, but cannot")
        case .busy: .answers(error: "BUSY Redis is busy running a script")
        case .garbage: .sends("\u{0}\u{1}HTTP/1.1 400 Bad Request\r\n\r\n")
        case .wrongAnswer: .sends(":7\r\n:7\r\n")
        case .hugeArray: .sends("*1000000000\r\n")
        case .flood: .floods
        case .closesAtOnce: .closesAtOnce
        case .closesAfterCommand: .closesAfterCommand
        }
    }

    func befall(_ node: LocalNode) {
        switch self {
        case .refused: node.kill()
        case .hung: node.pause()
        case .noAuth: node.command("CONFIG", "SET", "requirepass", "secret")
        case .readOnly: node.command("REPLICAOF", "127.0.0.1", "1")
        case .outOfMemory: node.command("CONFIG", "SET", "maxmemory", "1")
        default: preconditionFailure("not a fault of a real server")
        }
    }
}

@Suite("Faulty nodes")
struct FaultTests {
    /// Five nodes, the first of them faulty from the start; the servers are to be kept until the end of the test.
    private func nodes(
        _ cluster: LocalCluster, faulty count: Int, _ fault: Fault
    ) throws -> (urls: [String], servers: [HostileServer]) {
        guard let behaviour = fault.behaviour else {
            for node in cluster.nodes[..<count] { fault.befall(node) }
            return (cluster.urls, [])
        }
        let servers = try (0..<count).map { _ in try HostileServer(behaviour) }
        return (servers.map(\.url) + cluster.urls[count...], servers)
    }

    @Test(
        "A faulty minority costs nothing: the healthy three grant, and nobody waits for the others",
        arguments: Fault.allCases)
    func minority(_ fault: Fault) async throws {
        let cluster = try await startCluster()
        let (urls, servers) = try nodes(cluster, faulty: 2, fault)
        let (redlock, events) = try Redlock.observed(urls) {
            // So long that a test which waited for it would not end.
            $0.nodeTimeout = .seconds(60)
        }
        for turn in 1...3 {
            let lease = try await redlock.acquire("resource:\(turn)", ttl: .seconds(60))
            try await lease.extend()
            await lease.release()
        }
        let acquired = events.events.filter { $0.kind == .acquired }
        #expect(acquired.count == 3)
        for event in acquired { #expect(event.votes[2...].allSatisfy { $0.kind == .granted }) }
        withExtendedLifetime(servers) {}
    }

    @Test("A grant counts, though nonsense follows it in the same read")
    func grantBeforeRaving() async throws {
        let server = try HostileServer(.grantsAndRaves)
        let (redlock, events) = try Redlock.observed([server.url]) {
            $0.quarantine = .off
            $0.nodeTimeout = .seconds(60)
        }
        // Once: the next attempt would ask by a script, which is granted in peace. Not whether the lease is valid, as a
        // machine that is busy may come back to this when it is over.
        let lease = try await redlock.acquire("resource", ttl: .seconds(60))
        await events.wait { $0.kind == .nodeDisconnected && $0.reason.hasPrefix("protocol error") }
        withExtendedLifetime((server, lease)) {}
    }

    @Test("Nodes that fail later cost nothing either", arguments: Fault.whileConnected)
    func minorityLater(_ fault: Fault) async throws {
        let cluster = try await startCluster()
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.nodeTimeout = .seconds(60) }
        await events.nodesConnected(5)
        for node in cluster.nodes[..<2] { fault.befall(node) }
        for turn in 1...3 {
            let lease = try await redlock.acquire("resource:\(turn)", ttl: .seconds(60))
            try await lease.extend()
            await lease.release()
        }
        #expect(events.events.count { $0.kind == .acquired } == 3)
    }

    @Test("A faulty majority refuses within the node timeout, and what was set is released", arguments: Fault.allCases)
    func majority(_ fault: Fault) async throws {
        let cluster = try await startCluster()
        let (urls, servers) = try nodes(cluster, faulty: 3, fault)
        let redlock = try Redlock.trusting(urls)
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("resource", ttl: .seconds(60))
        }
        #expect(error?.code == .unavailable)
        #expect(error?.votes.count == 5)
        #expect(error?.votes[..<3].allSatisfy { $0.kind != .granted && $0.kind != .heldByAnother } == true)
        await redlock.shutdown()
        for node in cluster.nodes { node.resume() }
        for node in cluster.nodes[..<3] where node.isRunning {
            node.command("CONFIG", "SET", "requirepass", "")
        }
        await eventually("no key is left") { !cluster.hasKey("resource") }
        withExtendedLifetime(servers) {}
    }

    @Test("A majority that fails later refuses, too, and what was set is released", arguments: Fault.whileConnected)
    func majorityLater(_ fault: Fault) async throws {
        let cluster = try await startCluster()
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.nodeTimeout = .milliseconds(100) }
        await events.nodesConnected(5)
        for node in cluster.nodes[..<3] { fault.befall(node) }
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("resource", ttl: .seconds(60))
        }
        #expect(error?.code == .unavailable)
        for node in cluster.nodes { node.resume() }
        await eventually("no key is left") { !cluster.hasKey("resource") }
        await redlock.shutdown()
    }

    @Test("The votes say what was wrong with each node, and repeat no password and no token")
    func evidence() async throws {
        let cluster = try await startCluster(nodes: 3, options: ["--rename-command", "SET", ""])
        Fault.refused.befall(cluster.nodes[0])
        let redlock = try Redlock.patient(cluster.urls)
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("resource", ttl: .seconds(60), waitingUpTo: .milliseconds(300))
        }
        #expect(error?.votes[0].kind == .unreachable)
        #expect(error?.votes[0].detail == "Connection refused")
        let answer = error?.votes.first { $0.kind == .errorReply }
        // The words are the server's; by the second attempt it is a script that asks.
        #expect(answer?.detail.hasPrefix("ERR ") == true && answer?.detail.contains("nknown") == true)
        #expect(answer?.detail.contains("args") == false)
        await redlock.shutdown()
    }

    @Test("A SET that was applied without a reply is released when the node answers again")
    func lateSet() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        await events.nodesConnected(3)
        cluster.nodes[2].pause()
        let lease = try await redlock.acquire("resource", ttl: .seconds(60))
        // The third has the SET, unread. It is released behind it, down the same connection.
        await lease.release()
        cluster.nodes[2].resume()
        await eventually("no key is left") { !cluster.hasKey("resource") }
        await redlock.shutdown()
    }

    @Test("A SET that a hung node applies after its connection was given up is released by the next connection")
    func lateSetOnOldConnection() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.nodeTimeout = .milliseconds(200) }
        await events.nodesConnected(3)
        let third = cluster.nodes[2]
        third.pause()
        let lease = try await redlock.acquire("resource", ttl: .seconds(60), waitingUpTo: .seconds(60))
        // The silence timeout: two seconds.
        await events.wait { $0.kind == .nodeDisconnected && $0.node == "127.0.0.1:\(third.port)" }
        await lease.release()
        third.resume()
        let connections = { @Sendable in events.events.count { $0.kind == .nodeConnected } }
        await eventually("the third is connected again") { connections() >= 4 }
        await eventually("no key is left") { !cluster.hasKey("resource") }
        await redlock.shutdown()
    }

    @Test("A node that is started again is used again, with a script that it does not know any more")
    func restart() async throws {
        let cluster = try await startCluster(nodes: 1)
        let redlock = try Redlock.patient(cluster.urls)
        for _ in 1...3 {
            let lease = try await redlock.acquire("resource", ttl: .seconds(30), waitingUpTo: .seconds(60))
            try await lease.extend()
            await lease.release()
            #expect(!cluster.hasKey("resource"))
            try await onOwnThread {
                Result {
                    cluster.nodes[0].kill()
                    try cluster.nodes[0].start()
                }
            }.get()
        }
        cluster.nodes[0].command("SCRIPT", "FLUSH")
        let lease = try await redlock.acquire("resource", ttl: .seconds(30), waitingUpTo: .seconds(60))
        cluster.nodes[0].command("SCRIPT", "FLUSH")
        try await lease.extend()
        await lease.release()
        #expect(!cluster.hasKey("resource"))
        await redlock.shutdown()
    }
}
