internal import CHiredis
internal import Glibc
import PrintableText
import RedlockRedis

/// A plain blocking connection to a node, signed in, for the floor and for what the bench asks of nodes.
@safe
final class NodeClient {
    /// How long connecting, or an answer, may take.
    private static let patience = timeval(tv_sec: 5, tv_usec: 0)

    private let address: NodeAddress
    private let context: UnsafeMutablePointer<redisContext>
    /// For replies of which only the type matters.
    private let reader: UnsafeMutablePointer<redisReader>
    private var chunk = [UInt8](repeating: 0, count: 1 << 16)

    init(_ address: NodeAddress) throws(BenchError) {
        self.address = address
        let made =
            switch address.endpoint {
            case .tcp(let host, let port): unsafe redisConnectWithTimeout(host, Int32(port), Self.patience)
            case .unix(let path): unsafe redisConnectUnixWithTimeout(path, Self.patience)
            }
        guard let context = unsafe made, let reader = unsafe redisReaderCreate() else {
            throw BenchError("out of memory")
        }
        unsafe self.context = unsafe context
        unsafe self.reader = unsafe reader
        // Without functions that make objects, a reply is the number of its type.
        unsafe reader.pointee.fn = nil
        guard unsafe context.pointee.err == 0 else { throw failure() }
        unsafe redisSetTimeout(context, Self.patience)
        if let password = address.password {
            _ = try text(["AUTH"] + (address.user.map { [$0] } ?? []) + [password])
        }
        if address.database != 0 { _ = try text(["SELECT", "\(address.database)"]) }
    }

    deinit {
        unsafe redisReaderFree(reader)
        unsafe redisFree(context)
    }

    /// The text of the answer, be it a status or a string.
    func text(_ words: [String]) throws(BenchError) -> String {
        append(CommandWords(words))
        try flush()
        return unsafe try read { reply throws(BenchError) in
            let text = unsafe reply.pointee.str.map { unsafe String(cString: $0) } ?? ""
            guard unsafe reply.pointee.type != REDIS_REPLY_ERROR else {
                // Not the words: there may be a password among them.
                throw BenchError("\(address): \(words[0]): \(words[0] == "AUTH" ? "refused" : text.printable)")
            }
            return text
        }
    }
}

// MARK: - Pipelines

extension NodeClient {
    func append(_ words: CommandWords) {
        unsafe redisAppendCommandArgv(context, Int32(words.words.count), words.words.baseAddress, words.lengths)
    }

    func flush() throws(BenchError) {
        var done: Int32 = 0
        while done == 0 {
            guard unsafe redisBufferWrite(context, &done) == REDIS_OK else { throw failure() }
        }
    }

    /// Reads the next answer, which must be of this type.
    func readReply(expecting type: Int32) throws(BenchError) {
        unsafe try read { reply throws(BenchError) in
            guard unsafe reply.pointee.type != type else { return }
            let text = unsafe reply.pointee.str.map { unsafe String(cString: $0) } ?? "nothing that was expected"
            throw BenchError("\(address) answered a command of the floor with \(text.printable)")
        }
    }

    private func read<Value>(
        _ body: (UnsafeMutablePointer<redisReply>) throws(BenchError) -> Value
    ) throws(BenchError) -> Value {
        var raw: UnsafeMutableRawPointer?
        guard unsafe redisGetReply(context, &raw) == REDIS_OK, let raw = unsafe raw else { throw failure() }
        defer { unsafe freeReplyObject(raw) }
        return try unsafe body(raw.assumingMemoryBound(to: redisReply.self))
    }

    private func failure() -> BenchError {
        let text = unsafe withUnsafeBytes(of: context.pointee.errstr) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return BenchError("\(address): \(text.printable)")
    }
}

// MARK: - Bytes

extension NodeClient {
    /// Writes these bytes as they are.
    func write(_ bytes: [UInt8]) throws(BenchError) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe send(context.pointee.fd, $0.baseAddress! + sent, $0.count - sent, 0)
            }
            guard count > 0 || errno == EINTR else {
                throw BenchError("\(address): \(unsafe String(cString: strerror(errno)))")
            }
            sent += max(count, 0)
        }
    }

    /// Reads so many replies, which must be of this type.
    func readReplies(_ count: Int, expecting type: Int32) throws(BenchError) {
        var missing = count
        while missing > 0 {
            var reply: UnsafeMutableRawPointer?
            guard unsafe redisReaderGetReply(reader, &reply) == REDIS_OK else {
                throw BenchError("\(address) answered a command of the floor with no reply")
            }
            guard let reply = unsafe reply else {
                try readMore()
                continue
            }
            guard Int(bitPattern: reply) == Int(type) else {
                throw BenchError("\(address) answered a command of the floor with an error")
            }
            missing -= 1
        }
    }

    private func readMore() throws(BenchError) {
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(context.pointee.fd, $0.baseAddress, $0.count, 0) }
        if count < 0, errno == EINTR { return }
        guard count > 0 else { throw BenchError("\(address) did not answer a command of the floor") }
        _ = unsafe chunk.withUnsafeBytes { unsafe redisReaderFeed(reader, $0.baseAddress, count) }
    }
}

/// The words of one command, laid out as hiredis takes them.
@safe
final class CommandWords {
    fileprivate let words: UnsafeMutableBufferPointer<UnsafePointer<CChar>?>
    fileprivate let lengths: [Int]

    init(_ words: [String]) {
        unsafe self.words = .allocate(capacity: words.count)
        _ = unsafe self.words.initialize(from: words.map { unsafe UnsafePointer(strdup($0)) })
        lengths = words.map(\.utf8.count)
    }

    deinit {
        for index in unsafe words.indices { unsafe free(UnsafeMutablePointer(mutating: words[index])) }
        unsafe words.deallocate()
    }
}
