internal import CHiredis
internal import PrintableText
package import RedlockCore

/// Replies out of a stream of bytes, by hiredis' reader, within bounds.
@safe package final class ReplyReader {
    /// What one reply may measure on the wire, in bytes. None that is expected comes near it.
    package static let maximumReplyBytes = 65_536
    /// What an array in a reply may count.
    package static let maximumElements = 64
    /// How deep arrays may stand in one another. hiredis 1.x has no limit of its own, and frees them by recursion.
    package static let maximumDepth = 7

    package struct ProtocolError: Error, CustomStringConvertible {
        package var description: String
    }

    /// What hiredis makes of replies by itself. A constant, and a table of C functions.
    private static let defaults: redisReplyObjectFunctions = {
        guard let reader = unsafe redisReaderCreate() else { preconditionFailure("out of memory") }
        defer { unsafe redisReaderFree(reader) }
        return unsafe reader.pointee.fn.pointee
    }()

    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private var bytesSinceReply = 0

    package init() {
        guard let reader = unsafe redisReaderCreate() else { preconditionFailure("out of memory") }
        unsafe self.reader = unsafe reader
        unsafe functions = .allocate(capacity: 1)
        unsafe functions.initialize(to: Self.defaults)
        // hiredis would make room for as many elements as the peer announces, before a single one has come.
        unsafe functions.pointee.createArray = { task, count in
            guard count <= ReplyReader.maximumElements, unsafe ReplyReader.depth(task) <= ReplyReader.maximumDepth
            else {
                return nil
            }
            return unsafe ReplyReader.defaults.createArray(task, count)
        }
        // The answers to our commands are few: they need no memory of their own.
        unsafe functions.pointee.createString = { task, text, length in
            if unsafe task?.pointee.type == REDIS_REPLY_STATUS, unsafe task?.pointee.parent == nil, length == 2,
                let text = unsafe text, unsafe text[0] == 0x4f, unsafe text[1] == 0x4b
            {
                return unsafe Plain.ok.object
            }
            return unsafe ReplyReader.defaults.createString(task, text, length)
        }
        unsafe functions.pointee.createNil = { task in
            unsafe task?.pointee.parent == nil ? Plain.null.object : ReplyReader.defaults.createNil(task)
        }
        unsafe functions.pointee.createInteger = { task, number in
            if unsafe task?.pointee.parent == nil, let plain = Plain(number) { return unsafe plain.object }
            return unsafe ReplyReader.defaults.createInteger(task, number)
        }
        unsafe functions.pointee.freeObject = { object in
            if unsafe Plain(object) == nil { unsafe ReplyReader.defaults.freeObject(object) }
        }
        unsafe reader.pointee.fn = unsafe functions
    }

    /// Answers that hiredis hands out as small numbers in the place of objects.
    private enum Plain: UInt {
        case ok = 1
        case null
        case minusOne
        case zero
        case one

        init?(_ number: Int64) {
            switch number {
            case -1: self = .minusOne
            case 0: self = .zero
            case 1: self = .one
            default: return nil
            }
        }

        init?(_ object: UnsafeMutableRawPointer?) {
            self.init(rawValue: UInt(bitPattern: object))
        }

        /// No address of anything: the first page belongs to nobody.
        var object: UnsafeMutableRawPointer? { unsafe UnsafeMutableRawPointer(bitPattern: rawValue) }

        var reply: Reply {
            switch self {
            case .ok: .ok
            case .null: .null
            case .minusOne: .integer(-1)
            case .zero: .integer(0)
            case .one: .integer(1)
            }
        }
    }

    deinit {
        unsafe redisReaderFree(reader)
        unsafe functions.deallocate()
    }

    private static func depth(_ task: UnsafePointer<redisReadTask>?) -> Int {
        var depth = 1
        var parent = unsafe task?.pointee.parent
        while let task = unsafe parent, depth <= maximumDepth {
            depth += 1
            unsafe parent = unsafe task.pointee.parent
        }
        return depth
    }

    /// Takes what came from the node.
    package func feed(_ bytes: UnsafeRawBufferPointer) throws(ProtocolError) {
        bytesSinceReply += bytes.count
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard unsafe redisReaderFeed(reader, start, bytes.count) == REDIS_OK else { throw failure() }
    }

    /// The next reply that is complete; nil when more bytes are needed.
    package func next() throws(ProtocolError) -> Reply? {
        var object: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(reader, &object) == REDIS_OK else { throw failure() }
        guard let object = unsafe object else {
            guard bytesSinceReply <= Self.maximumReplyBytes else {
                throw ProtocolError(description: "a reply of more than \(Self.maximumReplyBytes) bytes")
            }
            return nil
        }
        bytesSinceReply = unsafe reader.pointee.len - reader.pointee.pos
        if let plain = unsafe Plain(object) { return plain.reply }
        defer { unsafe freeReplyObject(object) }
        return unsafe Reply(object.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private func failure() -> ProtocolError {
        let text = unsafe withUnsafeBytes(of: reader.pointee.errstr) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        // What hiredis says when it is not allowed to make an array.
        if text == "Out of memory" {
            return ProtocolError(
                description: "an array of more than \(Self.maximumElements) elements, or \(Self.maximumDepth) deep")
        }
        return ProtocolError(description: text.isEmpty ? "not the Redis protocol" : text.printable)
    }
}

extension Reply {
    /// Errors are quoted, so they are kept short, and printable. In bytes, before characters are escaped.
    private static let quotedBytes = 200
    /// In characters.
    private static let longestWord = 60

    fileprivate init(_ reply: redisReply) {
        switch unsafe reply.type {
        case REDIS_REPLY_STATUS:
            let text = unsafe Reply.text(reply)
            self = text == "OK" ? .ok : .unexpected("the status \(text)")
        case REDIS_REPLY_INTEGER:
            self = unsafe .integer(reply.integer)
        case REDIS_REPLY_NIL:
            self = .null
        case REDIS_REPLY_ERROR:
            self = unsafe .error(Reply.text(reply))
        case REDIS_REPLY_STRING:
            self = unsafe .text(Reply.string(reply))
        case REDIS_REPLY_ARRAY:
            self =
                unsafe Reply.pair(in: reply)
                ?? Push(reply).map { .push($0) }
                ?? .list(
                    (0..<Int(reply.elements)).map { index in
                        guard let element = unsafe reply.element[index] else { return .null }
                        return unsafe Reply(element.pointee)
                    })
        default:
            self = .unexpected("a reply of an unknown type")
        }
    }

    /// Two integers are what the scripts of fencing answer.
    private static func pair(in reply: redisReply) -> Reply? {
        guard unsafe reply.elements == 2, let elements = unsafe reply.element, let one = unsafe elements[0],
            let other = unsafe elements[1], unsafe one.pointee.type == REDIS_REPLY_INTEGER,
            unsafe other.pointee.type == REDIS_REPLY_INTEGER
        else { return nil }
        return unsafe .pair(one.pointee.integer, other.pointee.integer)
    }

    /// All of it: it is no longer than a reply may be.
    private static func string(_ reply: redisReply) -> String {
        guard let start = unsafe reply.str else { return "" }
        return unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: Int(reply.len)), as: UTF8.self)
    }

    private static func text(_ reply: redisReply) -> String {
        guard let start = unsafe reply.str else { return "" }
        let count = min(unsafe Int(reply.len), quotedBytes)
        let text = unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
        let whole = text.withoutArguments
        guard unsafe Int(reply.len) > quotedBytes, whole.count == text.count else { return whole.printable }
        // It ends with a word; one that is longer than words are, with a character.
        let end = whole.suffix(longestWord).lastIndex(of: " ") ?? whole.index(before: whole.endIndex)
        return whole[..<end].printable + " …"
    }
}

extension Push {
    /// What channels bring is an array of three: what it is, the channel, and the payload or a count.
    fileprivate init?(_ reply: redisReply) {
        guard unsafe reply.elements == 3, let elements = unsafe reply.element,
            let kind = unsafe Push.bytes(elements[0]), let channel = unsafe Push.bytes(elements[1])
        else { return nil }
        switch String(decoding: kind, as: UTF8.self) {
        case "message":
            guard let payload = unsafe Push.bytes(elements[2]) else { return nil }
            self = .message(channel: channel, payload: payload)
        case "subscribe": self = .subscribed(channel: channel)
        case "unsubscribe": self = .unsubscribed(channel: channel)
        default: return nil
        }
    }

    private static func bytes(_ element: UnsafeMutablePointer<redisReply>?) -> [UInt8]? {
        guard let element = unsafe element, unsafe element.pointee.type == REDIS_REPLY_STRING,
            let start = unsafe element.pointee.str
        else { return nil }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: Int(element.pointee.len)))
    }
}

extension String {
    /// Redis repeats the arguments of a command that it does not know: our tokens and passwords.
    fileprivate var withoutArguments: String {
        let mark = ", with args"
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(mark) { return String(self[..<start]) }
            start = index(after: start)
        }
        return self
    }
}
