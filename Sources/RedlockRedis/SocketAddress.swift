internal import Glibc

/// An address that a socket can be connected to.
struct SocketAddress: Sendable {
    let family: Int32
    /// A `sockaddr` of that family, as bytes.
    private let bytes: [UInt8]

    private init(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
        family = unsafe Int32(address.pointee.sa_family)
        unsafe bytes = [UInt8](UnsafeRawBufferPointer(start: address, count: Int(length)))
    }

    /// The address of a Unix socket; the path fits, ``NodeAddress`` has seen to that.
    init(path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        self = unsafe withUnsafeBytes(of: &address) {
            unsafe SocketAddress(
                $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                length: socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }

    /// Looks a host up. With `numeric` it takes addresses only, and never blocks; else it may, for as long as DNS does.
    static func resolve(host: String, port: UInt16, numeric: Bool) -> Result<[SocketAddress], ResolveError> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : AI_ADDRCONFIG)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            return .failure(ResolveError(description: "\(host): \(unsafe String(cString: gai_strerror(status)))"))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var entry = unsafe list
        while let info = unsafe entry {
            unsafe addresses.append(SocketAddress(info.pointee.ai_addr, length: info.pointee.ai_addrlen))
            unsafe entry = info.pointee.ai_next
        }
        return .success(addresses)
    }

    struct ResolveError: Error, CustomStringConvertible {
        var description: String
    }

    /// An IPv6 address in its shortest form; anything else as it is. Two spellings of one address are one node.
    static func canonical(_ host: String) -> String {
        var address = in6_addr()
        guard unsafe inet_pton(AF_INET6, host, &address) == 1 else { return host }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            guard unsafe inet_ntop(AF_INET6, &address, text.baseAddress!, socklen_t(text.count)) != nil else {
                return host
            }
            return unsafe String(cString: text.baseAddress!)
        }
    }

    /// A new socket that is on its way to this address, or there already; closed on exec, and never waited for.
    func connectedSocket() -> Result<Int32, SocketError> {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { return .failure(SocketError(number: errno)) }
        if family != AF_UNIX {
            var on: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            // A command is one small write, and waits for nothing. A peer that vanished while idle is noticed some day.
            _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, size)
        }
        let status = unsafe bytes.withUnsafeBytes {
            unsafe connect(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        guard status == 0 || errno == EINPROGRESS else {
            let number = errno
            _ = close(descriptor)
            return .failure(SocketError(number: number))
        }
        return .success(descriptor)
    }

    struct SocketError: Error, CustomStringConvertible {
        var number: Int32
        var description: String { describeError(number) }
    }
}
