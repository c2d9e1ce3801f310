internal import Glibc
internal import RedlockSimulation

/// The connections of one client's proxy, and one turn of serving them.
struct ProxyLoop {
    /// Bytes that one direction of a connection keeps at most; then the sender has to wait, as with TCP's window.
    static let maximumHeld = 1 << 20
    /// When TCP sends again, in nanoseconds: first after this, each time after twice as long, and no later than that.
    private static let firstRetransmission: Int64 = 200_000_000
    private static let lastRetransmission: Int64 = 10_000_000_000
    /// Of a thousand messages: with more nothing would ever arrive.
    private static let mostLost: Int64 = 900

    private struct Parcel {
        var readyAt: Int64
        /// Empty for the end of the stream.
        var bytes: ArraySlice<UInt8>
        /// The resource of a command in it, for one that comes too late.
        var resource = -1
    }

    private struct Lane {
        var parcels: [Parcel] = []
        var held = 0
        var lastReady: Int64 = 0
        /// The sender has closed; the end is among the parcels or was delivered.
        var isEnding = false

        mutating func add(_ bytes: [UInt8], at time: Int64, resource: Int = -1) {
            lastReady = max(lastReady, time)
            parcels.append(Parcel(readyAt: lastReady, bytes: bytes[...], resource: resource))
            held += bytes.count
        }
    }

    private struct Connection {
        let node: Int
        /// -1 once the client has closed.
        var client: Int32
        /// -1 until the first message is delivered, and once the node has closed.
        var server: Int32 = -1
        var isDialled = false
        var isOver = false
        var toNode = Lane()
        var toClient = Lane()
        var sniffer = CommandSniffer()
    }

    private let listeners: [Int32]
    private let wake: Int32
    private var random: Randomness
    private let resources: [[UInt8]: Int]
    private var connections: [Connection] = []
    private var links: [LinkSettings] = []
    /// Connections that had something to read when they were waited for.
    private var ready: [Int] = []

    init(listeners: [Int32], wake: Int32, random: Randomness, resources: [[UInt8]: Int]) {
        self.listeners = listeners
        self.wake = wake
        self.random = random
        self.resources = resources
    }

    /// Reads what has come and delivers what is due; nothing in it blocks.
    mutating func serve(
        _ links: [LinkSettings], resets: Set<Int>, _ seen: (LinkProxy.Sight, Int64) -> Void
    ) {
        self.links = links
        for index in connections.indices where resets.contains(connections[index].node) { reset(index) }
        for index in ready where !connections[index].isOver { read(index, seen) }
        ready = []
        deliver(seen)
        connections.removeAll { $0.isOver }
    }

    mutating func end() {
        for index in connections.indices { abort(index) }
        for listener in listeners { close(listener) }
    }

    // MARK: Waiting

    /// Until something has come or is due; new connections are accepted meanwhile.
    mutating func wait() {
        var descriptors = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
        descriptors += listeners.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        for connection in connections {
            // A negative descriptor is passed over.
            descriptors.append(Self.interest(connection.client, in: connection.toNode))
            descriptors.append(Self.interest(connection.server, in: connection.toClient))
        }
        let count = unsafe poll(&descriptors, nfds_t(descriptors.count), timeout)
        guard count > 0 else { return }
        if descriptors[0].revents != 0 {
            var bytes = [UInt8](repeating: 0, count: 256)
            while unsafe recv(wake, &bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
        }
        let first = 1 + listeners.count
        ready = connections.indices.filter {
            descriptors[first + 2 * $0].revents != 0 || descriptors[first + 2 * $0 + 1].revents != 0
        }
        for node in listeners.indices where descriptors[1 + node].revents != 0 {
            while let descriptor = Sockets.accept(listeners[node]) {
                connections.append(Connection(node: node, client: descriptor))
            }
        }
    }

    private static func interest(_ descriptor: Int32, in lane: Lane) -> pollfd {
        let isOpen = !lane.isEnding && lane.held < maximumHeld
        return pollfd(fd: isOpen ? descriptor : -1, events: Int16(POLLIN), revents: 0)
    }

    /// Milliseconds until a parcel is due.
    private var timeout: Int32 {
        var next = Int64.max
        for connection in connections {
            if let first = connection.toNode.parcels.first, links[connection.node].blocksToNode == 0 {
                next = min(next, first.readyAt)
            }
            if let first = connection.toClient.parcels.first, links[connection.node].blocksToClient == 0 {
                next = min(next, first.readyAt)
            }
        }
        guard next < Int64.max else { return 1_000 }
        // Rounded up: a turn too early is a turn for nothing. What a full socket did not take is tried again soon.
        return Int32(min(max((next - MachineClock.now() + 999_999) / 1_000_000, 1), 1_000))
    }

    // MARK: Reading

    private mutating func read(_ index: Int, _ seen: (LinkProxy.Sight, Int64) -> Void) {
        let now = MachineClock.now()
        if connections[index].client >= 0, !connections[index].toNode.isEnding {
            switch Sockets.read(connections[index].client) {
            case .bytes(let bytes): takeFromClient(index, bytes, now, seen)
            case .nothing: break
            case .ended:
                connections[index].toNode.isEnding = true
                connections[index].toNode.add([], at: now + transit(connections[index].node))
                close(connections[index].client)
                connections[index].client = -1
            }
        }
        if connections[index].server >= 0, !connections[index].toClient.isEnding {
            switch Sockets.read(connections[index].server) {
            case .bytes(let bytes): connections[index].toClient.add(bytes, at: now + transit(connections[index].node))
            case .nothing: break
            case .ended:
                connections[index].toClient.isEnding = true
                connections[index].toClient.add([], at: now + transit(connections[index].node))
                close(connections[index].server)
                connections[index].server = -1
            }
        }
    }

    private mutating func takeFromClient(
        _ index: Int, _ bytes: [UInt8], _ now: Int64, _ seen: (LinkProxy.Sight, Int64) -> Void
    ) {
        let node = connections[index].node
        var touched = -1
        connections[index].sniffer.feed(bytes) { words in
            guard let sight = LockToken.find(in: words, resources: resources) else { return }
            touched = sight.resource
            seen(.token(sight, node: node), now)
        }
        // A node that is slow takes one after the other.
        let start = max(now + transit(node), connections[index].toNode.lastReady)
        connections[index].toNode.add(bytes, at: start + links[node].service, resource: touched)
    }

    /// How long a message is under way, retransmissions included; as in the simulated network.
    private mutating func transit(_ node: Int) -> Int64 {
        let link = links[node]
        var delay = link.delay
        if link.jitter > 0 { delay += random.below(link.jitter + 1) }
        if link.extraDelay > 0 { delay += random.below(link.extraDelay + 1) }
        if link.loss > 0 {
            var pause = Self.firstRetransmission
            while random.chance(perMille: min(link.loss, Self.mostLost)), pause < Self.lastRetransmission {
                delay += pause
                pause *= 2
            }
        }
        return delay
    }

    // MARK: Delivering

    private mutating func deliver(_ seen: (LinkProxy.Sight, Int64) -> Void) {
        let now = MachineClock.now()
        for index in connections.indices where !connections[index].isOver {
            let link = links[connections[index].node]
            if link.blocksToNode == 0 { deliverToNode(index, now, seen) }
            if !connections[index].isOver, link.blocksToClient == 0 { deliverToClient(index, now) }
        }
    }

    private mutating func deliverToNode(_ index: Int, _ now: Int64, _ seen: (LinkProxy.Sight, Int64) -> Void) {
        while let parcel = connections[index].toNode.parcels.first, parcel.readyAt <= now {
            if parcel.bytes.isEmpty {
                // The client is gone, and all that it sent has arrived.
                return abort(index)
            }
            guard dial(index) else { return }
            guard let sent = Sockets.write(parcel.bytes, to: connections[index].server) else {
                // The node will see to it that the client learns of this.
                return nodeIsGone(index, now)
            }
            connections[index].toNode.held -= sent
            guard sent == parcel.bytes.count else {
                connections[index].toNode.parcels[0].bytes = parcel.bytes.dropFirst(sent)
                return
            }
            // The end of a client may be there and not be read yet, when the way was opened right after it.
            let client = connections[index].client
            if parcel.resource >= 0, client < 0 || Sockets.hasEnded(client) {
                seen(.late(resource: parcel.resource, node: connections[index].node), now)
            }
            connections[index].toNode.parcels.removeFirst()
        }
    }

    /// The way to the node is made when the first message gets there; false when there is nobody.
    private mutating func dial(_ index: Int) -> Bool {
        if connections[index].server >= 0 { return true }
        guard !connections[index].isDialled, let server = Sockets.connect(to: links[connections[index].node].port)
        else {
            nodeIsGone(index, MachineClock.now())
            return false
        }
        connections[index].isDialled = true
        connections[index].server = server
        return true
    }

    /// What was sent to it is lost, and the client is told when the network allows.
    private mutating func nodeIsGone(_ index: Int, _ now: Int64) {
        connections[index].isDialled = true
        if connections[index].server >= 0 { close(connections[index].server) }
        connections[index].server = -1
        connections[index].toNode.parcels = []
        connections[index].toNode.held = 0
        guard connections[index].client >= 0 else { return abort(index) }
        guard !connections[index].toClient.isEnding else { return }
        connections[index].toClient.isEnding = true
        connections[index].toClient.add([], at: now + transit(connections[index].node))
    }

    private mutating func deliverToClient(_ index: Int, _ now: Int64) {
        while let parcel = connections[index].toClient.parcels.first, parcel.readyAt <= now {
            if parcel.bytes.isEmpty { return abort(index) }
            if connections[index].client >= 0 {
                guard let sent = Sockets.write(parcel.bytes, to: connections[index].client) else {
                    // Its end is read as well.
                    connections[index].toClient.parcels = []
                    return
                }
                connections[index].toClient.held -= sent
                guard sent == parcel.bytes.count else {
                    connections[index].toClient.parcels[0].bytes = parcel.bytes.dropFirst(sent)
                    return
                }
            } else {
                connections[index].toClient.held -= parcel.bytes.count
            }
            connections[index].toClient.parcels.removeFirst()
        }
    }

    /// Some of what is under way arrives, the rest is lost; both ends are told.
    private mutating func reset(_ index: Int) {
        let parcels = connections[index].toNode.parcels.filter { !$0.bytes.isEmpty }
        if !parcels.isEmpty, connections[index].server >= 0 {
            let arriving = Int(random.below(Int64(parcels.count + 1)))
            for parcel in parcels.prefix(arriving) {
                _ = Sockets.write(parcel.bytes, to: connections[index].server)
            }
        }
        if connections[index].client >= 0 { Sockets.reset(connections[index].client) }
        // An orderly end here: a reset would take back what has just been sent.
        if connections[index].server >= 0 { close(connections[index].server) }
        connections[index].client = -1
        connections[index].server = -1
        connections[index].isOver = true
    }

    private mutating func abort(_ index: Int) {
        if connections[index].client >= 0 { close(connections[index].client) }
        if connections[index].server >= 0 { close(connections[index].server) }
        connections[index].client = -1
        connections[index].server = -1
        connections[index].isOver = true
    }
}
