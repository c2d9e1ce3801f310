import Glibc
import Testing

@testable import CommandSupport

@Suite("Output that may not be read")
struct OutputQueueTests {
    /// A descriptor to write to, which takes nothing more, and the one to read what was written.
    private func blockedOutput() throws -> (writeEnd: Int32, readEnd: Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        let bytes = [UInt8](repeating: UInt8(ascii: "."), count: 4_096)
        for count in [bytes.count, 1] {
            while unsafe send(ends[0], bytes, count, Int32(MSG_DONTWAIT)) > 0 {}
        }
        return (ends[0], ends[1])
    }

    private func read(_ descriptor: Int32, until end: String) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !String(decoding: bytes.suffix(end.utf8.count), as: UTF8.self).hasSuffix(end) {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes.drop { $0 == UInt8(ascii: ".") }, as: UTF8.self)
    }

    @Test("Lines beyond the limit are dropped, their number is printed, and the last line is never dropped")
    func limit() throws {
        let (writeEnd, readEnd) = try blockedOutput()
        defer { close(readEnd) }
        let queue = try OutputQueue(to: writeEnd) { "\($0) dropped" }
        let line = String(repeating: "x", count: 1_023) + "\n"
        let count = 2 * OutputQueue.limitBytes / line.utf8.count
        for _ in 0..<count { queue.add(line) }
        queue.add("the last\n", isLast: true)
        let lines = read(readEnd, until: "the last\n").split(separator: "\n")
        let kept = lines.count { $0.first == "x" }
        #expect(kept == count / 2)
        #expect(lines.dropFirst(kept) == ["\(count - kept) dropped", "the last"])
        queue.flush(atMost: 60_000_000_000)
        close(writeEnd)
    }

    @Test("A flush waits for what is written, and not for longer than it may")
    func flush() throws {
        let (writeEnd, readEnd) = try blockedOutput()
        defer { close(readEnd) }
        let queue = try OutputQueue(to: writeEnd) { "\($0) dropped" }
        queue.add("a line\n")
        // Nobody reads: it comes back all the same.
        queue.flush(atMost: 1_000_000)
        #expect(read(readEnd, until: "a line\n") == "a line\n")
        queue.flush(atMost: 60_000_000_000)
        close(writeEnd)
    }

    @Test("A line of JSON holds nothing that a terminal obeys, and stays JSON")
    func json() {
        var object = JSONObject()
        object.add("a\u{9b}", "\u{1b}[31m \u{202e} \u{2028} \n \u{e9} \u{1fffe}")
        #expect(object.text == #"{"a\u009b":"\u001b[31m \u202e \u2028 \n \#u{e9} \ud83f\udffe"}"#)
    }
}
