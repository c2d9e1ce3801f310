import LocalCluster
import Redlock
import Testing

@Suite("Ways to a node")
struct ConnectionTests {
    private func expectLock(_ url: String, refuses wrong: [String] = []) async throws {
        let redlock = try Redlock.patient([url])
        let lease = try await redlock.acquire("resource", ttl: .seconds(30))
        try await lease.extend()
        await lease.release()
        await redlock.shutdown()
        for url in wrong {
            let redlock = try Redlock.patient([url])
            let error = await #expect(throws: RedlockError.self) {
                try await redlock.acquire("resource", ttl: .seconds(30))
            }
            #expect(error?.code == .unavailable)
            #expect(error?.description.contains("secret") == false)
            await redlock.shutdown()
        }
    }

    @Test("A password, right and wrong and missing")
    func password() async throws {
        let cluster = try await startCluster(nodes: 1, options: ["--requirepass", "s e:c@r%t"])
        let port = cluster.nodes[0].port
        try await expectLock(
            "redis://:s%20e:c%40r%25t@127.0.0.1:\(port)",
            refuses: ["redis://:secret@127.0.0.1:\(port)", "redis://127.0.0.1:\(port)"])
    }

    @Test("A user and a password, right and wrong; and a password where none is wanted")
    func userAndPassword() async throws {
        let cluster = try await startCluster(nodes: 1, options: ["--user", "bob", "on", ">secret1", "~*", "+@all"])
        let port = cluster.nodes[0].port
        try await expectLock(
            "redis://bob:secret1@127.0.0.1:\(port)",
            refuses: ["redis://bob:secret2@127.0.0.1:\(port)", "redis://eve:secret1@127.0.0.1:\(port)"])
    }

    @Test("A server that does not know AUTH is refused without repeating the password")
    func noAuthCommand() async throws {
        let cluster = try await startCluster(nodes: 1, options: ["--rename-command", "AUTH", ""])
        let (redlock, events) = try Redlock.observed(["redis://bob:secret@127.0.0.1:\(cluster.nodes[0].port)"])
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("resource", ttl: .seconds(30))
        }
        #expect(error?.code == .unavailable)
        #expect(error.map { "\($0)" }?.contains("secret") == false)
        #expect(!events.events.contains { "\($0)".contains("secret") })
        await redlock.shutdown()
    }

    @Test("An outage is told once, however often it is tried; and again when the password is wrong from then on")
    func outage() async throws {
        let user = ["--user", "bob", "on", ">secret1", "~*", "&*", "+@all"]
        let cluster = try await startCluster(nodes: 1, options: user)
        let node = cluster.nodes[0]
        let (redlock, events) = try Redlock.observed(["redis://bob:secret1@127.0.0.1:\(node.port)"])
        await events.nodesConnected(1)
        node.command("ACL", "SETUSER", "bob", "resetpass", ">secret2")
        node.command("CONFIG", "RESETSTAT")
        node.command("CLIENT", "KILL", "USER", "bob")
        await eventually("it was tried five times") {
            guard case .string(let text) = node.command("INFO", "commandstats") else { return false }
            guard let line = text.split(separator: "\r\n").first(where: { $0.hasPrefix("cmdstat_auth:calls=") })
            else { return false }
            return (Int(line.drop { $0 != "=" }.dropFirst().prefix { $0 != "," }) ?? 0) >= 5
        }
        node.command("ACL", "SETUSER", "bob", ">secret1")
        await eventually("it is connected again") { events.events.count { $0.kind == .nodeConnected } == 2 }
        let told = events.events.filter { $0.kind == .nodeDisconnected }.map(\.reason)
        #expect(told.count == 2)
        #expect(told.last?.hasPrefix("AUTH: WRONGPASS") == true)
        await redlock.shutdown()
    }

    @Test("A database of its own, and one that does not exist")
    func database() async throws {
        let cluster = try await startCluster(nodes: 1)
        let port = cluster.nodes[0].port
        let redlock = try Redlock.patient(["redis://127.0.0.1:\(port)/3"])
        let lease = try await redlock.acquire("resource", ttl: .seconds(30))
        #expect(cluster.nodes[0].command("EXISTS", "resource") == .integer(0))
        guard case .string(let keys) = cluster.nodes[0].command("INFO", "keyspace") else { return }
        #expect(keys.contains("db3:keys=1"))
        await lease.release()
        await redlock.shutdown()
        try await expectLock("redis://127.0.0.1:\(port)/1", refuses: ["redis://127.0.0.1:\(port)/99"])
    }

    @Test("A Unix socket")
    func unixSocket() async throws {
        let cluster = try await startCluster(nodes: 1, options: ["--unixsocket", "socket"])
        try await expectLock("unix://\(cluster.nodes[0].folder)/socket")
        try await expectLock(
            "unix://\(cluster.nodes[0].folder)/socket?db=2", refuses: ["unix://\(cluster.nodes[0].folder)/none"])
    }

    @Test("A host name with an address of each family, of which one is refused")
    func hostName() async throws {
        let cluster = try await startCluster(nodes: 1)
        try await expectLock(
            "redis://localhost:\(cluster.nodes[0].port)",
            refuses: ["redis://no-such-host.invalid:\(cluster.nodes[0].port)"])
    }

    @Test("An IPv6 address", .enabled(if: IPv6.isThere))
    func ipv6() async throws {
        let cluster = try await startCluster(nodes: 1, options: ["--bind", "127.0.0.1", "::1"])
        try await expectLock("redis://[::1]:\(cluster.nodes[0].port)")
    }

    @Test("One node is the plain lock; even numbers need more than half", arguments: 1...7)
    func numbers(_ count: Int) async throws {
        let cluster = try await startCluster(nodes: count)
        let redlock = try Redlock.patient(cluster.urls)
        let spare = count - (count / 2 + 1)
        for node in cluster.nodes[..<spare] { node.kill() }
        let lease = try await redlock.acquire("resource", ttl: .seconds(30), waitingUpTo: .seconds(30))
        await lease.release()
        cluster.nodes[spare].kill()
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("resource", ttl: .seconds(30))
        }
        #expect(error?.code == .unavailable)
        await redlock.shutdown()
        for node in cluster.nodes where node.isRunning { #expect(node.command("DBSIZE") == .integer(0)) }
    }
}
