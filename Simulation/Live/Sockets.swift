internal import Glibc

/// Sockets of the loopback interface, none of which blocks.
enum Sockets {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    private static let backlog: Int32 = 64

    /// A listener on a port that the system chooses.
    static func listen() throws(Failure) -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw Failure(description: "no socket: \(lastError)") }
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            let generic = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            guard unsafe bind(descriptor, generic, length) == 0 else { return Int32(-1) }
            return unsafe getsockname(descriptor, generic, &length)
        }
        guard status == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let failure = Failure(description: "no port to listen on: \(lastError)")
            close(descriptor)
            throw failure
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    /// Nil when nobody listens there, or when the process has no descriptors left.
    static func connect(to port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { return nil }
        var address = loopback(port)
        let status = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            unsafe Glibc.connect(
                descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        // The loopback interface refuses at once; in progress is a full backlog.
        guard status == 0 || errno == EINPROGRESS else {
            close(descriptor)
            return nil
        }
        setNoDelay(descriptor)
        return descriptor
    }

    static func accept(_ listener: Int32) -> Int32? {
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        setNoDelay(descriptor)
        return descriptor
    }

    private static func setNoDelay(_ descriptor: Int32) {
        var one: Int32 = 1
        _ = unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Ends a connection as a reset does: the other side loses what it has not read.
    static func reset(_ descriptor: Int32) {
        var abort = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
        close(descriptor)
    }

    enum Input {
        case bytes([UInt8])
        case nothing
        case ended
    }

    static func read(_ descriptor: Int32, atMost limit: Int = 65_536) -> Input {
        var received = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            received = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            count = max(received, 0)
        }
        if received > 0 { return .bytes(bytes) }
        return received < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .ended
    }

    /// Whether the other side has closed, and all that it sent was read.
    static func hasEnded(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        return unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK)) == 0
    }

    /// How many bytes it took; nil when the connection is over.
    static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int? {
        let sent = unsafe bytes.withUnsafeBytes {
            unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if sent >= 0 { return sent }
        // A connection that is being made takes nothing yet.
        return errno == EAGAIN || errno == EINTR || errno == ENOTCONN ? 0 : nil
    }

    static var lastError: String { unsafe String(cString: strerror(errno)) }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }
}
