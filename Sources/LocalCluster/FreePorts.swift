internal import Glibc
internal import PosixLock

/// Ports of the loopback interface that nobody listens on, each given out once in this process.
package enum FreePorts {
    private static let given = Locked<Set<UInt16>>([])
    /// Tries before giving up: the system hands out a port again once it is closed.
    private static let attempts = 1_000

    package static func next() throws -> UInt16 {
        for _ in 0..<attempts {
            let port = try freePort()
            if given.withLock({ $0.insert(port).inserted }) { return port }
        }
        throw LocalNode.StartError(description: "no free port was found on the loopback interface")
    }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw LocalNode.StartError(description: "no socket: error \(errno)") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            let generic = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            guard unsafe bind(descriptor, generic, length) == 0 else { return errno }
            return unsafe getsockname(descriptor, generic, &length) == 0 ? 0 : errno
        }
        guard status == 0 else { throw LocalNode.StartError(description: "no free port: error \(status)") }
        return UInt16(bigEndian: address.sin_port)
    }
}
