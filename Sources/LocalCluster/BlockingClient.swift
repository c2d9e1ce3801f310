internal import CHiredis
internal import Glibc

/// A plain client of one node, for setting the scene and looking at it. It knows nothing of locks.
@safe
package final class BlockingClient {
    package enum Answer: Hashable, Sendable {
        case status(String)
        case string(String)
        case integer(Int64)
        case null
        case error(String)
        case array([Answer])
    }

    package struct ConnectError: Error {}

    /// Seconds that connecting, or an answer, may take.
    private static let patience = 2

    private let context: UnsafeMutablePointer<redisContext>

    package init(port: UInt16) throws(ConnectError) {
        guard let descriptor = Self.connect(to: port) else { throw ConnectError() }
        guard let context = unsafe redisConnectFd(descriptor) else {
            close(descriptor)
            throw ConnectError()
        }
        unsafe self.context = unsafe context
    }

    /// A connection that is closed on exec from the start, as hiredis' own are not: a server that another thread starts
    /// meanwhile would inherit it, and keep it open beyond its end here.
    private static func connect(to port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var patience = timeval(tv_sec: Self.patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        // Connecting is sending, here.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let status = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe Glibc.connect(
                descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    deinit {
        // Now, even if a child that is being started has a copy of it still.
        _ = unsafe shutdown(context.pointee.fd, Int32(SHUT_RDWR))
        unsafe redisFree(context)
    }

    /// Runs a command; nil when the node did not answer.
    package func command(_ words: String...) -> Answer? {
        command(words)
    }

    package func command(_ words: [String]) -> Answer? {
        // Not strings of C: a name may contain zeros.
        let copies = unsafe words.map { word in
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: word.utf8.count)
            _ = unsafe copy.initialize(from: word.utf8.map { CChar(bitPattern: $0) })
            return unsafe copy
        }
        defer { unsafe copies.forEach { unsafe $0.deallocate() } }
        var arguments = unsafe copies.map { unsafe UnsafePointer($0.baseAddress) }
        let lengths = words.map { $0.utf8.count }
        guard let raw = unsafe redisCommandArgv(context, Int32(words.count), &arguments, lengths) else { return nil }
        defer { unsafe freeReplyObject(raw) }
        return unsafe Answer(raw.assumingMemoryBound(to: redisReply.self))
    }

    /// Sends what is a command on the wire already; nil when the node did not answer.
    package func send(formatted bytes: [UInt8]) -> Answer? {
        let status = unsafe bytes.withUnsafeBytes {
            unsafe redisAppendFormattedCommand(context, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        var raw: UnsafeMutableRawPointer?
        guard status == REDIS_OK, unsafe redisGetReply(context, &raw) == REDIS_OK, let raw = unsafe raw else {
            return nil
        }
        defer { unsafe freeReplyObject(raw) }
        return unsafe Answer(raw.assumingMemoryBound(to: redisReply.self))
    }
}

extension BlockingClient.Answer {
    /// The node is up, and reads its data.
    var isLoading: Bool {
        if case .error(let text) = self { text.hasPrefix("LOADING") } else { false }
    }

    fileprivate init(_ reply: UnsafeMutablePointer<redisReply>) {
        let text = unsafe reply.pointee.str.map { start in
            unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: Int(reply.pointee.len)), as: UTF8.self)
        }
        switch unsafe reply.pointee.type {
        case REDIS_REPLY_STATUS: self = .status(text ?? "")
        case REDIS_REPLY_STRING: self = .string(text ?? "")
        case REDIS_REPLY_INTEGER: self = unsafe .integer(reply.pointee.integer)
        case REDIS_REPLY_ERROR: self = .error(text ?? "")
        case REDIS_REPLY_ARRAY:
            self = .array(
                (0..<Int(unsafe reply.pointee.elements)).map { unsafe Self(reply.pointee.element[$0]!) })
        default: self = .null
        }
    }
}
