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
        let context = unsafe redisConnectWithTimeout(
            "127.0.0.1", Int32(port), timeval(tv_sec: Self.patience, tv_usec: 0))
        guard let context = unsafe context else { throw ConnectError() }
        guard unsafe context.pointee.err == 0 else {
            unsafe redisFree(context)
            throw ConnectError()
        }
        unsafe _ = fcntl(context.pointee.fd, F_SETFD, FD_CLOEXEC)
        unsafe redisSetTimeout(context, timeval(tv_sec: Self.patience, tv_usec: 0))
        unsafe self.context = unsafe context
    }

    deinit {
        // It ends here and now, even if a child has a copy of it: one that is being started, or that another thread
        // started before the descriptor was to be closed on exec.
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
