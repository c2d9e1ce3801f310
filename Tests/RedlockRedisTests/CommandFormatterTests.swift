import RedlockCore
import Testing

@testable import RedlockRedis

@Suite struct CommandFormatterTests {
    private let token = Token(number: 0x0123_4567_89ab_cdef)
    private let digits = "00000000000000000123456789abcdef00000000"

    private func bytes(_ command: Command) -> String {
        var formatter = CommandFormatter()
        return text(formatter.format(command))
    }

    private func text(_ command: consuming WireCommand) -> String {
        var bytes: [UInt8] = []
        command.append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func anAcquireIsASetThatTakesAnExpiryAndOverwritesNothing() {
        let command = Command(.acquire(milliseconds: 10_000), key: [UInt8]("invoice:42".utf8), token: token)
        #expect(
            bytes(command)
                == "*6\r\n$3\r\nSET\r\n$10\r\ninvoice:42\r\n$40\r\n\(digits)\r\n$2\r\nNX\r\n$2\r\nPX\r\n$5\r\n10000\r\n"
        )
    }

    @Test func anExtensionNamesItsScriptByTheDigest() {
        let command = Command(.extend(milliseconds: 250), key: [UInt8]("k".utf8), token: token)
        #expect(
            bytes(command)
                == "*6\r\n$7\r\nEVALSHA\r\n$40\r\nc20e658d093f8470757cc9b720b67e3d78689222\r\n$1\r\n1\r\n"
                + "$1\r\nk\r\n$40\r\n\(digits)\r\n$3\r\n250\r\n")
    }

    @Test func aReleaseNamesItsScriptByTheDigest() {
        let command = Command(.release, key: [UInt8]("k".utf8), token: token, notice: .nothing)
        #expect(
            bytes(command)
                == "*5\r\n$7\r\nEVALSHA\r\n$40\r\n\(Script.releaseDigest)\r\n$1\r\n1\r\n"
                + "$1\r\nk\r\n$40\r\n\(digits)\r\n")
    }

    @Test func aRepairIsAlwaysSentWhole() {
        let command = Command(.repair(milliseconds: 250), key: [UInt8]("k".utf8), token: token)
        #expect(
            bytes(command)
                == "*6\r\n$4\r\nEVAL\r\n$\(Script.repair.utf8.count)\r\n\(Script.repair)\r\n$1\r\n1\r\n"
                + "$1\r\nk\r\n$40\r\n\(digits)\r\n$3\r\n250\r\n")
    }

    @Test func anAcquireWithANumberNamesBothKeys() {
        let command = Command(.acquireFenced(milliseconds: 250, number: 77), key: [UInt8]("k".utf8), token: token)
        #expect(
            bytes(command)
                == "*8\r\n$7\r\nEVALSHA\r\n$40\r\n\(Script.acquireFencedDigest)\r\n$1\r\n2\r\n"
                + "$1\r\nk\r\n$9\r\nk:fencing\r\n$40\r\n\(digits)\r\n$3\r\n250\r\n$2\r\n77\r\n")
    }

    @Test func aRaiseNamesBothKeys() {
        let command = Command(.raise(to: 78), key: [UInt8]("k".utf8), token: token)
        #expect(
            bytes(command)
                == "*7\r\n$7\r\nEVALSHA\r\n$40\r\n\(Script.raiseDigest)\r\n$1\r\n2\r\n"
                + "$1\r\nk\r\n$9\r\nk:fencing\r\n$40\r\n\(digits)\r\n$2\r\n78\r\n")
    }

    @Test(arguments: [(Command.Notice.count, "?"), (.node, "0"), (.everywhere, "released")])
    func aReleaseSaysWhatToTell(notice: Command.Notice, word: String) {
        let command = Command(.release, key: [UInt8]("k".utf8), token: token, notice: notice)
        #expect(
            bytes(command)
                == "*6\r\n$7\r\nEVALSHA\r\n$40\r\n\(Script.releaseDigest)\r\n$1\r\n1\r\n"
                + "$1\r\nk\r\n$40\r\n\(digits)\r\n$\(word.utf8.count)\r\n\(word)\r\n")
    }

    @Test func anAnnouncementGoesToTheChannelOfTheKey() {
        let command = Command(.announce, key: [UInt8]("k".utf8), token: token, notice: .everywhere)
        #expect(bytes(command) == "*3\r\n$7\r\nPUBLISH\r\n$9\r\nredlock:k\r\n$8\r\nreleased\r\n")
    }

    @Test(arguments: [Command.Operation.contend(milliseconds: 250), .acquireFenced(milliseconds: 250, number: 7)])
    func whoTellsNobodySaysSoAtTheEnd(operation: Command.Operation) {
        let loud = bytes(Command(operation, key: [UInt8]("k".utf8), token: token))
        let quiet = bytes(Command(operation, key: [UInt8]("k".utf8), token: token, notice: .nothing))
        #expect(quiet.hasSuffix("$7\r\nquietly\r\n"))
        #expect(!loud.contains("quietly"))
    }

    @Test func aContenderNamesItsScriptByTheDigest() {
        let command = Command(.contend(milliseconds: 250), key: [UInt8]("k".utf8), token: token)
        #expect(
            bytes(command)
                == "*6\r\n$7\r\nEVALSHA\r\n$40\r\n\(Script.contendDigest)\r\n$1\r\n1\r\n"
                + "$1\r\nk\r\n$40\r\n\(digits)\r\n$3\r\n250\r\n")
    }

    @Test func aSubscriptionNamesTheChannelOfTheKey() {
        var formatter = CommandFormatter()
        var bytes: [UInt8] = []
        formatter.format(subscription: true, to: [UInt8]("k".utf8)).append(to: &bytes)
        formatter.format(subscription: false, to: [UInt8]("k".utf8)).append(to: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "*2\r\n$9\r\nSUBSCRIBE\r\n$9\r\nredlock:k\r\n*2\r\n$11\r\nUNSUBSCRIBE\r\n$9\r\nredlock:k\r\n")
    }

    @Test func aNodeThatDoesNotKnowTheScriptGetsItWhole() {
        var command = Command(.release, key: [UInt8]("k".utf8), token: token, notice: .nothing)
        command.spelling = .source
        let source = Script.release
        #expect(
            bytes(command)
                == "*5\r\n$4\r\nEVAL\r\n$\(source.utf8.count)\r\n\(source)\r\n$1\r\n1\r\n$1\r\nk\r\n"
                + "$40\r\n\(digits)\r\n")

        command = Command(.extend(milliseconds: 250), key: [UInt8]("k".utf8), token: token)
        command.spelling = .source
        #expect(
            bytes(command)
                == "*6\r\n$4\r\nEVAL\r\n$\(Script.extend.utf8.count)\r\n\(Script.extend)\r\n$1\r\n1\r\n"
                + "$1\r\nk\r\n$40\r\n\(digits)\r\n$3\r\n250\r\n")
    }

    @Test func aKeyMayBeAnyBytes() {
        let key: [UInt8] = [0, 0x0d, 0x0a, 0xff, 0x24]
        var formatter = CommandFormatter()
        let command = formatter.format(Command(.acquire(milliseconds: 1), key: key, token: token))
        var bytes: [UInt8] = []
        command.append(to: &bytes)
        let head = [UInt8]("*6\r\n$3\r\nSET\r\n$5\r\n".utf8)
        #expect(Array(bytes.prefix(head.count + key.count + 2)) == head + key + [0x0d, 0x0a])
        #expect(command.bytes == bytes)
    }

    @Test func otherCommandsAreWordsAsTheyAre() {
        var formatter = CommandFormatter()
        #expect(text(formatter.format(["PING"])) == "*1\r\n$4\r\nPING\r\n")
        #expect(
            text(formatter.format(["AUTH", "me", "pä ss"])) == "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\npä ss\r\n")
        #expect(text(formatter.format(["ECHO", ""])) == "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n")
    }

    private static let forms: [(Command.Operation, Command.Notice)] = [
        (.acquire(milliseconds: 10_000), .node), (.contend(milliseconds: 10_000), .node),
        (.contend(milliseconds: 10_000), .nothing), (.extend(milliseconds: 10_000), .node), (.release, .nothing),
        (.release, .count), (.release, .node), (.release, .everywhere),
        (.acquireFenced(milliseconds: 10_000, number: 7), .node), (.raise(to: 8), .node),
        (.repair(milliseconds: 10_000), .node), (.announce, .everywhere),
    ]

    @Test(arguments: forms) func aFormThatIsKnownIsFilledWithOtherKeysAndTokens(
        operation: Command.Operation, notice: Command.Notice
    ) {
        var formatter = CommandFormatter()
        var generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
        // Of one length, and of others; with line ends, digits and dollars.
        let keys = [
            "k", "q", "\n", "$", "", "invoice:42", "invoice:43", "\r\n$40\r\n012", String(repeating: "x", count: 512),
        ]
        var kept: [(WireCommand, String)] = []
        for key in keys + keys.reversed() {
            let command = Command(
                operation, key: [UInt8](key.utf8), token: Token(using: &generator), notice: notice)
            kept.append((formatter.format(command), bytes(command)))
        }
        for (command, bytes) in kept { #expect(text(command) == bytes) }
        #expect(formatter.layouts.count <= 1)
    }

    @Test func formsAreNotTakenForOneAnother() {
        var formatter = CommandFormatter()
        let forms = Self.forms + [(.acquire(milliseconds: 1_000), .node), (.extend(milliseconds: 1_000), .node)]
        for (operation, notice) in forms + forms.reversed() {
            let command = Command(operation, key: [UInt8]("k".utf8), token: token, notice: notice)
            #expect(text(formatter.format(command)) == bytes(command), "\(operation), \(notice)")
        }
        var command = Command(.release, key: [UInt8]("k".utf8), token: token)
        command.spelling = .source
        #expect(text(formatter.format(command)) == bytes(command))
    }

    @Test func noMoreFormsAreKeptThanTheLimit() {
        var formatter = CommandFormatter()
        for milliseconds in Int64(1)...100 {
            let command = Command(.acquire(milliseconds: milliseconds), key: [UInt8]("k".utf8), token: token)
            #expect(text(formatter.format(command)) == bytes(command))
        }
        #expect(formatter.layouts.count == CommandFormatter.maximumLayouts)
    }

    @Test func whatVariesWithEachCommandIsNotKept() {
        var formatter = CommandFormatter()
        for number in Int64(1)...3 {
            _ = formatter.format(
                Command(.acquireFenced(milliseconds: 1, number: number), key: [UInt8]("k".utf8), token: token))
        }
        #expect(formatter.layouts.isEmpty)
    }

    @Test func aFormatterForgetsTheCommandBefore() {
        var formatter = CommandFormatter()
        let command = Command(.release, key: [UInt8]("k".utf8), token: token)
        let once = text(formatter.format(command))
        _ = formatter.format(["A", "LONG", String(repeating: "x", count: 10_000)])
        #expect(text(formatter.format(command)) == once)
    }

    @Test func bytesAreAppendedToWhatIsThere() {
        var formatter = CommandFormatter()
        var buffer: [UInt8] = []
        for _ in 1...2 { formatter.format(["PING"]).append(to: &buffer) }
        #expect(String(decoding: buffer, as: UTF8.self) == "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n")
    }
}
