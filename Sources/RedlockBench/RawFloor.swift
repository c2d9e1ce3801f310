internal import CHiredis
import Glibc
import RedlockRedis

/// The floor: what an acquire and a release cost on the wire, with nothing else around them. Blocking hiredis contexts;
/// each step sends to all nodes, then reads from all.
@safe
final class RawFloor {
    private let contexts: [UnsafeMutablePointer<redisContext>]

    init(ports: [UInt16]) {
        unsafe contexts = ports.map { port in
            guard let context = unsafe redisConnect("127.0.0.1", Int32(port)), unsafe context.pointee.err == 0 else {
                fatalError("no connection to 127.0.0.1:\(port)")
            }
            return unsafe context
        }
        unsafe contexts.forEach { context in
            unsafe send(["SCRIPT", "LOAD", Script.release], on: context)
            _ = unsafe readText(from: context)
        }
    }

    deinit {
        unsafe contexts.forEach { unsafe redisFree($0) }
    }

    func acquire(_ key: String, token: String) {
        broadcast(["SET", key, token, "NX", "PX", "10000"])
    }

    func release(_ key: String, token: String) {
        broadcast(["EVALSHA", Script.releaseDigest, "1", key, token])
    }

    private func broadcast(_ words: [String]) {
        unsafe contexts.forEach { unsafe send(words, on: $0) }
        unsafe contexts.forEach { context in
            // Appended commands are written when an answer is asked for: write to all before reading from one.
            var done: Int32 = 0
            while unsafe redisBufferWrite(context, &done) == REDIS_OK, done == 0 {}
        }
        unsafe contexts.forEach { _ = unsafe readText(from: $0) }
    }

    private func send(_ words: [String], on context: UnsafeMutablePointer<redisContext>) {
        let copies = unsafe words.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        var arguments = unsafe copies.map { unsafe UnsafePointer($0) }
        unsafe redisAppendCommandArgv(context, Int32(words.count), &arguments, words.map { $0.utf8.count })
    }

    private func readText(from context: UnsafeMutablePointer<redisContext>) -> String {
        var raw: UnsafeMutableRawPointer?
        guard unsafe redisGetReply(context, &raw) == REDIS_OK, let raw = unsafe raw else { fatalError("no reply") }
        defer { unsafe freeReplyObject(raw) }
        let reply = unsafe raw.assumingMemoryBound(to: redisReply.self)
        return unsafe reply.pointee.str.map { unsafe String(cString: $0) } ?? ""
    }
}
