import RedlockCore
import Testing

@testable import RedlockRedis

@Suite struct ReplyReaderTests {
    private func feed(_ text: String, to reader: ReplyReader) throws {
        try feed([UInt8](text.utf8), to: reader)
    }

    private func feed(_ bytes: [UInt8], to reader: ReplyReader) throws {
        try unsafe bytes.withUnsafeBytes { try unsafe reader.feed($0) }
    }

    private func replies(_ reader: ReplyReader) throws -> [Reply] {
        var replies: [Reply] = []
        while let reply = try reader.next() { replies.append(reply) }
        return replies
    }

    private func read(_ text: String) throws -> [Reply] {
        let reader = ReplyReader()
        try feed(text, to: reader)
        return try replies(reader)
    }

    @Test(arguments: [
        ("+OK\r\n", Reply.ok),
        ("+PONG\r\n", .unexpected("the status PONG")),
        (":0\r\n", .integer(0)),
        (":-1\r\n", .integer(-1)),
        (":9223372036854775807\r\n", .integer(.max)),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("-OOM command not allowed\r\n", .error("OOM command not allowed")),
        ("-\r\n", .error("")),
        ("-ERR a\u{1b}[2J\u{9b}b\r\n", .error(#"ERR a\u{1b}[2J\u{9b}b"#)),
        ("-ERR \u{202e}a\u{2028}\u{2066}\u{61c}\r\n", .error(#"ERR \u{202e}a\u{2028}\u{2066}\u{61c}"#)),
        ("+\u{1b}c\r\n", .unexpected(#"the status \u{1b}c"#)),
        // Redis repeats the arguments of a command that it does not know.
        (
            "-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n",
            .error("ERR unknown command 'AUTH'")
        ),
        ("$5\r\nhello\r\n", .text("hello")),
        ("$0\r\n\r\n", .text("")),
        ("*0\r\n", .list([])),
        ("*2\r\n+OK\r\n*1\r\n:1\r\n", .list([.ok, .list([.integer(1)])])),
        (
            "*3\r\n$7\r\nmessage\r\n$9\r\nredlock:a\r\n$1\r\n0\r\n",
            .push(.message(channel: [UInt8]("redlock:a".utf8), payload: [0x30]))
        ),
        ("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", .push(.subscribed(channel: [0x61]))),
        ("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n", .push(.unsubscribed(channel: [0x61]))),
        ("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n", .list([.text("unsubscribe"), .null, .integer(0)])),
        ("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n:1\r\n", .list([.text("message"), .text("a"), .integer(1)])),
        ("*3\r\n$4\r\npong\r\n$1\r\na\r\n:1\r\n", .list([.text("pong"), .text("a"), .integer(1)])),
        ("*2\r\n:1\r\n:9007199254740991\r\n", .pair(1, 9_007_199_254_740_991)),
        ("*2\r\n:0\r\n:-2\r\n", .pair(0, -2)),
        ("*2\r\n:0\r\n$1\r\n2\r\n", .list([.integer(0), .text("2")])),
        ("*2\r\n$-1\r\n:0\r\n", .list([.null, .integer(0)])),
        ("*1\r\n:1\r\n", .list([.integer(1)])),
        ("*3\r\n:1\r\n:2\r\n:3\r\n", .list([.integer(1), .integer(2), .integer(3)])),
    ])
    func understands(text: String, reply: Reply) throws {
        #expect(try read(text) == [reply])
    }

    @Test func noBytesAreNoReply() throws {
        let reader = ReplyReader()
        #expect(try reader.next() == nil)
        try feed("", to: reader)
        #expect(try reader.next() == nil)
    }

    private static let conversation =
        "+OK\r\n$-1\r\n:1\r\n-ERR no\r\n$4\r\n\r\n\r\n\r\n*2\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n:-1\r\n"
    private static let understood: [Reply] = [
        .ok, .null, .integer(1), .error("ERR no"), .text("\r\n\r\n"),
        .list([.text("a"), .list([.integer(1), .null])]),
        .integer(-1),
    ]

    @Test func repliesMayBeCutAnywhere() throws {
        let bytes = [UInt8](Self.conversation.utf8)
        for cut in 0...bytes.count {
            let reader = ReplyReader()
            try feed(Array(bytes[..<cut]), to: reader)
            var found = try replies(reader)
            try feed(Array(bytes[cut...]), to: reader)
            found += try replies(reader)
            #expect(found == Self.understood, "cut after \(cut) bytes")
        }
    }

    @Test func repliesMayComeByteByByte() throws {
        let reader = ReplyReader()
        var found: [Reply] = []
        for byte in Self.conversation.utf8 {
            try feed([byte], to: reader)
            found += try replies(reader)
        }
        #expect(found == Self.understood)
    }

    @Test func manyRepliesMayComeAtOnceBeyondTheSizeOfOne() throws {
        let count = 20_000
        let text = String(repeating: "$4\r\nlock\r\n", count: count)
        #expect(text.utf8.count > ReplyReader.maximumReplyBytes)
        #expect(try read(text + ":7\r\n").count == count + 1)
    }

    @Test func manyRepliesMayComeInPiecesBeyondTheSizeOfOne() throws {
        let reader = ReplyReader()
        var count = 0
        let bytes = [UInt8](String(repeating: "+OK\r\n", count: 30_000).utf8)
        for start in stride(from: 0, to: bytes.count, by: 16_384) {
            try feed(Array(bytes[start..<min(start + 16_384, bytes.count)]), to: reader)
            count += try replies(reader).count
        }
        #expect(count == 30_000)
    }

    @Test(arguments: ["hello\r\n", "\0\0\0\0", "\r\n", "HTTP/1.1 400 Bad Request\r\n", ":x\r\n", "$x\r\n", "*x\r\n"])
    func whatIsNotTheProtocolIsAnError(text: String) {
        #expect(throws: ReplyReader.ProtocolError.self) { try read(text) }
    }

    @Test func repliesAheadOfGarbageAreUnderstood() throws {
        let reader = ReplyReader()
        try feed(":1\r\n:2\r\ngarbage\r\n", to: reader)
        #expect(try reader.next() == .integer(1))
        #expect(try reader.next() == .integer(2))
        #expect(throws: ReplyReader.ProtocolError.self) { try reader.next() }
    }

    @Test func afterAnErrorNothingIsUnderstood() throws {
        let reader = ReplyReader()
        try feed("garbage\r\n", to: reader)
        #expect(throws: ReplyReader.ProtocolError.self) { try reader.next() }
        #expect(throws: ReplyReader.ProtocolError.self) {
            try feed("+OK\r\n", to: reader)
            _ = try reader.next()
        }
    }

    @Test func theErrorSaysWhatWasWrong() throws {
        let error = try #require(throws: ReplyReader.ProtocolError.self) { try read("garbage\r\n") }
        #expect(error.description.contains("Protocol error"))
    }

    /// hiredis takes the length at its word, and waits; the reader does not wait for ever.
    @Test(arguments: ["$1000000000\r\n", "$65537\r\n", "-", "+", "*2\r\n$70000\r\n"])
    func aReplyLargerThanAllowedIsGivenUpWhenSoMuchHasCome(head: String) throws {
        let reader = ReplyReader()
        try feed(head, to: reader)
        #expect(try reader.next() == nil, "the announcement alone costs nothing")
        let piece = [UInt8](repeating: 0x78, count: 16_384)
        for _ in 0..<3 {
            try feed(piece, to: reader)
            #expect(try reader.next() == nil)
        }
        #expect(throws: ReplyReader.ProtocolError.self) {
            for _ in 0..<2 {
                try feed(piece, to: reader)
                _ = try reader.next()
            }
        }
    }

    @Test func theSizeOfEachReplyCountsFromItsOwnStart() throws {
        let reader = ReplyReader()
        let large = "$60000\r\n" + String(repeating: "x", count: 60_000) + "\r\n"
        for _ in 0..<3 {
            // The end of one and the beginning of the next come together.
            let bytes = [UInt8]((large + "$60000\r\n").utf8)
            try feed(bytes, to: reader)
            #expect(try reader.next() == .text(String(repeating: "x", count: 60_000)))
            #expect(try reader.next() == nil)
            try feed(String(repeating: "y", count: 60_000) + "\r\n", to: reader)
            #expect(try reader.next() == .text(String(repeating: "y", count: 60_000)))
        }
    }

    @Test(arguments: ["$9223372036854775807\r\n", "$99999999999999999999\r\n", "$-2\r\n"])
    func aLengthThatCannotBeIsAnError(text: String) throws {
        // Where hiredis lets a length pass that no memory holds, the bytes that have come decide.
        let reader = ReplyReader()
        #expect(throws: ReplyReader.ProtocolError.self) {
            try feed(text, to: reader)
            for _ in 0..<6 {
                _ = try reader.next()
                try feed([UInt8](repeating: 0x78, count: 16_384), to: reader)
            }
        }
    }

    @Test(arguments: ["*65\r\n", "*1000000000\r\n", "*2147483648\r\n", "*99999999999999999999\r\n", "*1\r\n*65\r\n"])
    func anArrayOfMoreElementsThanAllowedIsRefusedWhenItIsAnnounced(text: String) {
        #expect(throws: ReplyReader.ProtocolError.self) { try read(text) }
    }

    @Test func anArrayMayHaveAsManyElementsAsAllowed() throws {
        let count = ReplyReader.maximumElements
        let reply = Reply.list([Reply](repeating: .integer(1), count: count))
        #expect(try read("*\(count)\r\n" + String(repeating: ":1\r\n", count: count)) == [reply])
    }

    @Test func arraysMayBeNestedButNotWithoutEnd() throws {
        let deepest = ReplyReader.maximumDepth
        let reply = (0..<deepest).reduce(Reply.integer(1)) { inner, _ in .list([inner]) }
        #expect(try read(String(repeating: "*1\r\n", count: deepest) + ":1\r\n") == [reply])
        for depth in [deepest + 1, 16_000] {
            #expect(throws: ReplyReader.ProtocolError.self) {
                try read(String(repeating: "*1\r\n", count: depth) + ":1\r\n")
            }
        }
    }

    @Test func anErrorIsQuotedWithoutControlCharacters() throws {
        #expect(try read("-ERR \u{1b}[31mred\u{7f}\t\u{0}end\r\n") == [.error(#"ERR \u{1b}[31mred\u{7f}\t\u{0}end"#)])
    }

    @Test(arguments: [
        (String(repeating: "four ", count: 40), String(repeating: "four ", count: 40)),
        (String(repeating: "four ", count: 41), String(repeating: "four ", count: 39) + "four …"),
        (String(repeating: "seven7 ", count: 40), String(repeating: "seven7 ", count: 27) + "seven7 …"),
        (String(repeating: "x", count: 1_000), String(repeating: "x", count: 199) + " …"),
        // The cut is in the middle of a character.
        (
            String(repeating: "ä", count: 99) + "x" + String(repeating: "ä", count: 99),
            String(repeating: "ä", count: 99) + "x …"
        ),
        (
            "ERR unknown command 'A', with args beginning with: " + String(repeating: "secret ", count: 40),
            "ERR unknown command 'A'"
        ),
        (
            String(repeating: "x", count: 190) + " A, with args beginning with: secret",
            String(repeating: "x", count: 190) + " A, with …"
        ),
    ])
    func anErrorIsQuotedInPartAndThatInWords(text: String, quoted: String) throws {
        #expect(try read("-\(text)\r\n") == [.error(quoted)])
    }

    @Test func anErrorThatIsNotUTF8IsStillText() throws {
        let reader = ReplyReader()
        try feed([0x2d, 0x45, 0xff, 0xfe, 0x0d, 0x0a], to: reader)
        #expect(try reader.next() == .error("E\u{fffd}\u{fffd}"))
    }

    @Test func aStatusIsQuotedAsErrorsAre() throws {
        let text = "\u{1b}" + String(repeating: "x", count: 1_000)
        let expected = #"the status \u{1b}"# + String(repeating: "x", count: 198) + " …"
        #expect(try read("+\(text)\r\n") == [.unexpected(expected)])
    }

    @Test func aReaderMayBeLetGoInTheMiddleOfAReply() throws {
        for text in ["*3\r\n:1\r\n$5\r\nhe", "*2\r\n*2\r\n:1\r\n", "$10\r\nabc"] {
            let reader = ReplyReader()
            try feed(text, to: reader)
            #expect(try reader.next() == nil)
        }
    }
}
