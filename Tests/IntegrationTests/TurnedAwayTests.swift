import LocalCluster
import PosixLock
import Redlock
import Testing

/// Nodes that answer, and give no locks: what a client is told of them.
@Suite("Nodes that turn a client away")
struct TurnedAwayTests {
    private static let info = """
        run_id:a\r\nuptime_in_seconds:500000\r\nloading:0\r\naof_enabled:0\r\nrole:master\r\n
        """

    /// The vote of a node, and the reason of its disconnection.
    private static func told(_ url: String, _ node: Int = 0) async throws -> (vote: NodeVote, reason: String) {
        let (redlock, events) = try Redlock.observed([url])
        await events.wait { $0.kind == .nodeDisconnected }
        let error = await #expect(throws: RedlockError.self) {
            _ = try await redlock.acquire("resource", ttl: .seconds(60))
        }
        await redlock.shutdown()
        #expect(error?.code == .unavailable)
        let reasons = events.events.filter { $0.kind == .nodeDisconnected }.map(\.reason)
        return (try #require(error?.votes.first), try #require(reasons.first))
    }

    @Test(
        "an error before the server closes the connection is the reason that is told",
        arguments: [
            ("-ERR max number of clients reached\r\n", "ERR max number of clients reached"),
            ("-DENIED Redis is running in protected mode\r\n", "DENIED Redis is running in protected mode"),
            ("-ERR too many connections for this tenant\r\n", "PING: ERR too many connections for this tenant"),
            ("-ERR \u{1b}[31m\u{202e}no\r\n", #"PING: ERR \u{1b}[31m\u{202e}no"#),
        ])
    func errorAndEnd(sent: String, reason: String) async throws {
        let server = try HostileServer(.turnsAway(sent))
        let told = try await Self.told(server.url)
        #expect(told.vote.kind == .unreachable)
        #expect(told.vote.detail == reason)
        #expect(told.reason == reason)
    }

    @Test("an error that nothing follows is told with the time-out")
    func errorAndSilence() async throws {
        let server = try HostileServer(.complains("-ERR no room\r\n"))
        let told = try await Self.told(server.url)
        #expect(told.vote.detail == "PING: ERR no room; not connected within the connect timeout")
        #expect(told.reason == "PING: ERR no room; not connected within the connect timeout")
    }

    @Test("a client that is turned away with a password in its URL is told the same, and not the password")
    func withPassword() async throws {
        let full = try HostileServer(.turnsAway("-ERR max number of clients reached\r\n"))
        let place = "127.0.0.1:\(full.port)"
        #expect(try await Self.told("redis://:hunter2@\(place)").reason == "ERR max number of clients reached")
        let quoting = try HostileServer(.turnsAway("-ERR no hunter2 here\r\n"))
        let reason = try await Self.told("redis://:hunter2@127.0.0.1:\(quoting.port)").reason
        #expect(reason == "AUTH: refused")
    }

    @Test("too many clients is what a real server says, and what is told")
    func maximumClients() async throws {
        let cluster = try await startCluster(nodes: 1)
        let (first, events) = try Redlock.observed(cluster.urls)
        await events.nodesConnected(1)
        cluster.nodes[0].command("CONFIG", "SET", "maxclients", "1")
        let told = try await Self.told(cluster.urls[0])
        #expect(told.vote.detail == "ERR max number of clients reached")
        #expect(told.reason == "ERR max number of clients reached")
        await first.shutdown()
    }

    @Test("a replica is named as one, and has no quarantine; promoted, it is asked again")
    func replica() async throws {
        let cluster = try await startCluster(nodes: 2)
        cluster.nodes[1].command("REPLICAOF", "127.0.0.1", "\(cluster.nodes[0].port)")
        let (redlock, events) = try Redlock.observed([cluster.urls[1]])
        await events.wait { $0.kind == .nodeDisconnected }
        let error = await #expect(throws: RedlockError.self) {
            _ = try await redlock.acquire("resource", ttl: .seconds(60))
        }
        #expect(error?.votes.map(\.detail) == ["it is a replica; writes go to its primary"])
        #expect(events.events.map(\.kind).contains(.nodeQuarantined) == false)
        cluster.nodes[1].command("REPLICAOF", "NO", "ONE")
        await events.wait { $0.kind == .nodeQuarantined && $0.reason.contains("another server has its address") }
        await redlock.shutdown()
    }

    @Test("a Sentinel is named as one")
    func sentinel() async throws {
        let server = try HostileServer(.says(info: "redis_mode:sentinel\r\nrun_id:a\r\nuptime_in_seconds:5\r\n"))
        let told = try await Self.told(server.url)
        #expect(told.vote.detail == "it is a Sentinel, not a server of data")
        #expect(told.reason == "it is a Sentinel, not a server of data")
    }

    @Test("several names of one server have one vote, and the others say whose name they are")
    func sameServer() async throws {
        let cluster = try await startCluster(nodes: 2)
        let port = cluster.nodes[0].port
        // Another database is no other server either.
        let names = ["redis://127.0.0.1:\(port)", "redis://localhost:\(port)/1", "redis://127.1:\(port)"]
        let (redlock, events) = try Redlock.observed(names)
        await events.nodesConnected(3)
        let error = await #expect(throws: RedlockError.self) {
            _ = try await redlock.acquire("resource", ttl: .seconds(60))
        }
        #expect(error?.code == .unavailable)
        let twins = error?.votes.filter { $0.kind == .sameServer } ?? []
        #expect(twins.count == 2)
        let told = events.events.filter { $0.kind == .sameServer }
        #expect(told.compactMap(\.node).sorted() == twins.map(\.node).sorted())
        let first = try #require(error?.votes.first { $0.kind != .sameServer }).node
        #expect(twins.allSatisfy { $0.detail == "the same server as \(first)" })
        #expect(told.allSatisfy { $0.reason == "it is the same server as \(first), and has no vote beside it" })
        await redlock.shutdown()

        // With servers enough beside it, one name too many does no harm.
        let (other, _) = try Redlock.observed([names[0], cluster.urls[1], names[1]])
        let lease = try await other.acquire("resource", ttl: .seconds(60))
        try await lease.extend()
        await lease.release()
        await other.shutdown()
    }

    @Test("a server that answers and then closes is dialled ever more rarely")
    func answersAndCloses() async throws {
        let server = try HostileServer(.answersAndCloses(info: Self.info))
        let (redlock, events) = try Redlock.observed([server.url]) { $0.quarantine = .off }
        await eventually("nine connections") { server.connections.count >= 9 }
        let connections = server.connections
        try #require(connections.count >= 9)
        // The shortest pauses between nine: half of 10, 20, 40 … ms, and of one second.
        let shortest = [5, 10, 20, 40, 80, 160, 320, 500].reduce(0, +)
        #expect(connections[8] - connections[0] >= .milliseconds(shortest))
        #expect(events.events.contains { $0.kind == .nodeConnected })
        await redlock.shutdown()
    }
}
