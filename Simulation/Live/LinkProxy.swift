internal import ChildProcesses
internal import Glibc
internal import PosixLock
internal import RedlockSimulation

/// How one client and one node are connected.
struct LinkSettings: Sendable {
    /// One way, for every message, in nanoseconds.
    var delay: Int64 = 0
    /// On top, evenly.
    var jitter: Int64 = 0
    var extraDelay: Int64 = 0
    /// Of a thousand messages, those that TCP has to send again.
    var loss: Int64 = 0
    /// How long the node takes for each message, one after the other.
    var service: Int64 = 0
    var blocksToNode = 0
    var blocksToClient = 0
    /// Where the node is.
    var port: UInt16

    init(port: UInt16) {
        self.port = port
    }
}

/// One client's network: a listener for each node, and what becomes of the connections that it accepts.
///
/// It is TCP: order holds within a connection, what is lost comes later, and what a partition keeps back arrives after
/// it, the end of a connection too. It has one thread and nothing that blocks.
final class LinkProxy: Sendable {
    /// What was seen on the wire.
    enum Sight: Sendable {
        /// A token was sent with a command.
        case token(LockToken.Sight, node: Int)
        /// A command on this resource was delivered from a connection that the client had given up.
        case late(resource: Int, node: Int)
    }

    private struct Shared {
        var links: [LinkSettings]
        var resets: Set<Int> = []
        var isStopped = false
    }

    let client: Int
    /// Where the client finds each node.
    let ports: [UInt16]
    private let listeners: [Int32]
    private let shared: Locked<Shared>
    private let wake: (Int32, Int32)
    private let finished = Signal()

    init(client: Int, links: [LinkSettings]) throws {
        self.client = client
        wake = try socketPair()
        var listeners: [Int32] = []
        var ports: [UInt16] = []
        for _ in links {
            let (descriptor, port) = try Sockets.listen()
            listeners.append(descriptor)
            ports.append(port)
        }
        self.listeners = listeners
        self.ports = ports
        shared = Locked(Shared(links: links))
    }

    /// Begins to serve. `seen` is called on the proxy's thread.
    func start(
        seed: UInt64, resources: [[UInt8]: Int], seen: @escaping @Sendable (LinkProxy.Sight, Int64) -> Void
    ) {
        let random = Randomness(seed: seed, .network, client)
        runOnThread { [self] in
            var loop = ProxyLoop(listeners: listeners, wake: wake.0, random: random, resources: resources)
            while serve(&loop, seen) { loop.wait() }
            loop.end()
            finished.send()
        }
    }

    /// One turn; false when there is to be no other. Whoever changes a link waits for it: what comes after the change
    /// sees nothing of the old state.
    private func serve(_ loop: inout ProxyLoop, _ seen: (LinkProxy.Sight, Int64) -> Void) -> Bool {
        shared.withLock { shared in
            guard !shared.isStopped else { return false }
            loop.serve(shared.links, resets: shared.resets, seen)
            shared.resets = []
            return true
        }
    }

    func change(_ node: Int, _ change: (inout LinkSettings) -> Void) {
        shared.withLock { change(&$0.links[node]) }
        poke()
    }

    func reset(_ node: Int) {
        shared.withLock { _ = $0.resets.insert(node) }
        poke()
    }

    /// Ends all connections, and returns when the thread has.
    func stop() {
        shared.withLock { $0.isStopped = true }
        poke()
        finished.wait()
        close(wake.0)
        close(wake.1)
    }

    private func poke() {
        var byte: UInt8 = 1
        _ = unsafe send(wake.1, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    }
}

extension LinkProxy {
    /// Nothing is wrong with any link any more.
    func heal() {
        for node in ports.indices {
            change(node) { link in
                (link.blocksToNode, link.blocksToClient) = (0, 0)
                (link.extraDelay, link.loss, link.service) = (0, 0, 0)
            }
        }
    }

    func block(_ node: Int, _ direction: Fault.Direction = .both) {
        change(node) { link in
            if direction != .toClient { link.blocksToNode += 1 }
            if direction != .toNode { link.blocksToClient += 1 }
        }
    }

    func unblock(_ node: Int, _ direction: Fault.Direction = .both) {
        change(node) { link in
            if direction != .toClient { link.blocksToNode -= 1 }
            if direction != .toNode { link.blocksToClient -= 1 }
        }
    }
}
