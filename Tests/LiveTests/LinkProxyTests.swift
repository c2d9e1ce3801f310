import Glibc
import LocalCluster
import PosixLock
import RedlockSimulation
import TestSupport
import Testing

@testable import RedlockLive

/// One client's network, in front of a real server.
@Suite("The proxy")
struct LinkProxyTests {
    private final class Network: Sendable {
        let cluster: LocalCluster
        let proxy: LinkProxy
        let sights = Locked<[LinkProxy.Sight]>([])

        init() throws {
            cluster = try LocalCluster(nodes: 1)
            proxy = try LinkProxy(client: 0, links: [LinkSettings(port: cluster.nodes[0].port)])
            proxy.start(seed: 1, resources: LiveKeys.numbers(1)) { [sights] sight, _ in
                sights.withLock { $0.append(sight) }
            }
        }

        deinit { proxy.stop() }

        /// A client behind the proxy; its patience is two seconds.
        func client() throws -> BlockingClient { try BlockingClient(port: proxy.ports[0]) }
        var node: LocalNode { cluster.nodes[0] }
        var lateCommands: Int {
            sights.withLock { $0.count { if case .late = $0 { true } else { false } } }
        }
    }

    private static let token = String(repeating: "a", count: LockToken.length)

    @Test("commands and answers pass, and tokens are seen")
    func passes() async throws {
        try await onOwnThread {
            let network = try Network()
            let client = try network.client()
            #expect(client.command("SET", LiveKeys.key(of: 0), Self.token) == .status("OK"))
            #expect(network.node.command("GET", LiveKeys.key(of: 0)) == .string(Self.token))
            guard case .token(let sight, node: 0)? = network.sights.withLock({ $0.first }) else {
                throw Unexpected("the token was not seen")
            }
            #expect(sight.token == Self.token)
            // More than a socket takes at once.
            let long = String(repeating: "x", count: 3 << 20)
            #expect(client.command("SET", "long", long) == .status("OK"))
            #expect(client.command("GET", "long") == .string(long))
        }
    }

    @Test("a delay is kept, both ways, and order with it")
    func delay() async throws {
        try await onOwnThread {
            let network = try Network()
            let client = try network.client()
            network.proxy.change(0) { $0.delay = 50_000_000 }
            let start = MachineClock.now()
            #expect(client.command("INCR", "count") == .integer(1))
            #expect(MachineClock.now() - start >= 100_000_000)
            network.proxy.change(0) {
                $0.delay = 0
                $0.jitter = 20_000_000
            }
            for number in 2..<20 { #expect(client.command("INCR", "count") == .integer(Int64(number))) }
        }
    }

    @Test("a partition of one direction lets the other pass, and nothing is lost")
    func oneWay() async throws {
        try await onOwnThread {
            let network = try Network()
            let client = try network.client()
            #expect(client.command("PING") == .status("PONG"))
            network.proxy.block(0, .toClient)
            #expect(client.command("SET", "key", "value") == nil, "the answer does not come")
            #expect(network.node.command("GET", "key") == .string("value"), "the command did")
            network.proxy.unblock(0, .toClient)
            #expect(try network.client().command("GET", "key") == .string("value"))
        }
    }

    @Test("what a client sent into a partition arrives after it, even if the client has given up")
    func partition() async throws {
        try await onOwnThread {
            let network = try Network()
            do {
                let client = try network.client()
                #expect(client.command("PING") == .status("PONG"))
                network.proxy.block(0)
                #expect(client.command("SET", LiveKeys.key(of: 0), Self.token) == nil)
                #expect(try network.client().command("PING") == nil, "a new connection is a black hole too")
            }
            #expect(network.node.command("GET", LiveKeys.key(of: 0)) == .null)
            #expect(network.lateCommands == 0)
            network.proxy.unblock(0)
            try eventually { network.node.command("GET", LiveKeys.key(of: 0)) == .string(Self.token) }
            try eventually { network.lateCommands == 1 }
        }
    }

    @Test("a node that is gone is told, and one that is back is found")
    func nodeGone() async throws {
        try await onOwnThread {
            let network = try Network()
            let client = try network.client()
            #expect(client.command("PING") == .status("PONG"))
            network.node.kill()
            #expect(client.command("PING") == nil)
            #expect(try network.client().command("PING") == nil)
            try network.node.start()
            #expect(try network.client().command("PING") == .status("PONG"))
        }
    }

    @Test("a reset ends connections, and new ones can be made")
    func reset() async throws {
        try await onOwnThread {
            let network = try Network()
            let client = try network.client()
            #expect(client.command("PING") == .status("PONG"))
            network.proxy.reset(0)
            try eventually { client.command("PING") == nil }
            #expect(try network.client().command("PING") == .status("PONG"))
        }
    }
}

/// Waits until a condition on the outside world holds, which sends no event when it does; a minute at most.
func eventually(line: Int = #line, _ condition: () -> Bool) throws {
    for _ in 0..<12_000 {
        if condition() { return }
        usleep(5_000)
    }
    throw Unexpected("what line \(line) waits for did not happen within a minute")
}
