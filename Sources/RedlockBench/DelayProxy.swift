internal import CHiredis
import Dispatch
import Glibc
import PosixLock
import RedlockRedis

/// Stands between clients and nodes, and holds back every byte for the same time in each direction.
///
/// One thread, `poll`, a timer as a descriptor, and one queue: with one delay for all, what comes first is due first.
final class DelayProxy: Sendable {
    private struct Link {
        let client: Int32
        let node: Int32
    }

    private struct Parcel {
        let due: Int64
        let link: Int
        let toNode: Bool
        let bytes: [UInt8]
    }

    /// Of all clients together.
    private static let maximumLinks = 256
    private static let readBytes = 65_536

    /// Where it listens, on the loopback interface: a port for each node.
    let ports: [UInt16]
    private let stopSocket: (own: Int32, proxy: Int32)
    private let finished = DispatchSemaphore(value: 0)
    private let isStopped = Locked(false)

    init(to nodes: [NodeAddress], delay: Duration) throws(BenchError) {
        var listeners: [Int32] = []
        var ports: [UInt16] = []
        var targets: [(host: String, port: UInt16)] = []
        for node in nodes {
            guard case .tcp(let host, let port) = node.endpoint else {
                throw BenchError("\(node): the case delay needs nodes at TCP ports")
            }
            targets.append((host, port))
        }
        for _ in nodes {
            let (listener, port) = try Self.listen()
            listeners.append(listener)
            ports.append(port)
        }
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw BenchError("no socket for the proxy: error \(errno)")
        }
        self.ports = ports
        stopSocket = (ends[0], ends[1])
        let relay = Relay(listeners: listeners, targets: targets, stop: ends[1], delay: delay.nanoseconds)
        DispatchQueue(label: "redlock-bench.proxy").async { [finished] in
            relay.run()
            finished.signal()
        }
    }

    deinit { stop() }

    /// Closes all; returns when the thread is gone.
    func stop() {
        let isFirst = isStopped.withLock { isStopped in
            defer { isStopped = true }
            return !isStopped
        }
        guard isFirst else { return }
        close(stopSocket.own)
        finished.wait()
        close(stopSocket.proxy)
    }

    private static func listen() throws(BenchError) -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw BenchError("no socket for the proxy: error \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            let generic = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            guard unsafe bind(listener, generic, length) == 0, Glibc.listen(listener, 64) == 0 else { return false }
            return unsafe getsockname(listener, generic, &length) == 0
        }
        guard isListening else {
            close(listener)
            throw BenchError("the proxy cannot listen on the loopback interface: error \(errno)")
        }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// What the proxy's thread works with, and nobody else.
    private final class Relay: @unchecked Sendable {
        private let listeners: [Int32]
        private let targets: [(host: String, port: UInt16)]
        private let stop: Int32
        private let delay: Int64
        private var links: [Link?] = []
        private var parcels: [Parcel] = []
        private var delivered = 0
        private let timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC))

        init(listeners: [Int32], targets: [(host: String, port: UInt16)], stop: Int32, delay: Int64) {
            self.listeners = listeners
            self.targets = targets
            self.stop = stop
            self.delay = delay
        }

        func run() {
            while step() {}
            for index in links.indices { drop(index) }
            for listener in listeners { close(listener) }
            close(timer)
        }

        /// Waits for what comes next, and deals with it; false when it is told to stop.
        private func step() -> Bool {
            var polled = [stop, timer].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            polled += listeners.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            var sources: [(link: Int, toNode: Bool)] = []
            for (index, link) in links.enumerated() {
                guard let link else { continue }
                polled.append(pollfd(fd: link.client, events: Int16(POLLIN), revents: 0))
                polled.append(pollfd(fd: link.node, events: Int16(POLLIN), revents: 0))
                sources += [(index, true), (index, false)]
            }
            waitUntilDue(&polled)
            deliver()
            guard polled[0].revents == 0 else { return false }
            for (index, source) in sources.enumerated() where polled[2 + listeners.count + index].revents != 0 {
                receive(source.link, toNode: source.toNode)
            }
            for index in listeners.indices where polled[2 + index].revents != 0 { accept(index) }
            return true
        }

        private func waitUntilDue(_ polled: inout [pollfd]) {
            if delivered < parcels.count {
                let due = parcels[delivered].due
                var time = itimerspec()
                time.it_value = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
                _ = unsafe timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &time, nil)
            }
            _ = unsafe poll(&polled, nfds_t(polled.count), -1)
        }

        private func deliver() {
            let now = Stopwatch.nanoseconds
            while delivered < parcels.count, parcels[delivered].due <= now {
                let parcel = parcels[delivered]
                delivered += 1
                guard let link = links[parcel.link] else { continue }
                let target = parcel.toNode ? link.node : link.client
                let sent = unsafe parcel.bytes.withUnsafeBytes {
                    unsafe send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if sent != parcel.bytes.count { drop(parcel.link) }
            }
            if delivered == parcels.count {
                parcels.removeAll(keepingCapacity: true)
                delivered = 0
            }
        }

        private func receive(_ index: Int, toNode: Bool) {
            guard let link = links[index] else { return }
            var bytes = [UInt8](repeating: 0, count: DelayProxy.readBytes)
            let source = toNode ? link.client : link.node
            let count = unsafe recv(source, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                bytes.removeLast(bytes.count - count)
                parcels.append(
                    Parcel(due: Stopwatch.nanoseconds + delay, link: index, toNode: toNode, bytes: bytes))
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                drop(index)
            }
        }

        private func accept(_ listener: Int) {
            let client = Glibc.accept(listeners[listener], nil, nil)
            guard client >= 0 else { return }
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            guard links.count < DelayProxy.maximumLinks, let node = connect(targets[listener]) else {
                close(client)
                return
            }
            for descriptor in [client, node] {
                var on: Int32 = 1
                _ = unsafe setsockopt(
                    descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            }
            links.append(Link(client: client, node: node))
        }

        private func connect(_ target: (host: String, port: UInt16)) -> Int32? {
            var hints = unsafe addrinfo()
            unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            guard unsafe getaddrinfo(target.host, String(target.port), &hints, &list) == 0, let first = unsafe list
            else { return nil }
            defer { unsafe freeaddrinfo(list) }
            let node = unsafe socket(first.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard node >= 0 else { return nil }
            guard unsafe Glibc.connect(node, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
                close(node)
                return nil
            }
            return node
        }

        private func drop(_ index: Int) {
            guard let link = links[index] else { return }
            links[index] = nil
            close(link.client)
            close(link.node)
        }
    }
}
