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

    init(_ address: NodeAddress) throws(BenchError) {
        self.address = address
        let made =
            switch address.endpoint {
            case .tcp(let host, let port): unsafe redisConnectWithTimeout(host, Int32(port), Self.patience)
            case .unix(let path): unsafe redisConnectUnixWithTimeout(path, Self.patience)
            }
        guard let context = unsafe made else { throw BenchError("out of memory") }
        unsafe self.context = unsafe context
        guard unsafe context.pointee.err == 0 else { throw failure() }
        unsafe redisSetTimeout(context, Self.patience)
        if let password = address.password {
            _ = try text(["AUTH"] + (address.user.map { [$0] } ?? []) + [password])
        }
        if address.database != 0 { _ = try text(["SELECT", "\(address.database)"]) }
    }

    deinit {
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
