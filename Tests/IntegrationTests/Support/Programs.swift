import ChildProcesses
import Glibc
import PosixLock
import TestSupport
import Testing

/// The programs that this package builds.
enum Programs {
    static let redlock = "\(buildFolder)/redlock"
    static let simulator = "\(buildFolder)/redlock-sim"
    static let demo = "\(buildFolder)/redlock-demo"
    static let worker = "\(buildFolder)/LockWorker"

    /// Each test has servers of its own, which were just started: commands of the lock are to let them vote.
    static func trustingServers(_ words: [String]) -> [String] {
        guard !words.contains("--trust-durable") else { return words }
        var result: [String] = []
        for (index, word) in words.enumerated() {
            result.append(word)
            if index > 0, words[index - 1] == redlock, word == "run" || word == "doctor" {
                result.append("--trust-durable")
            }
        }
        return result
    }

    /// What a program printed, and how it ended.
    typealias Outcome = (lines: [String], status: ChildProcess.Status)

    /// Runs a program that is told nothing on its standard input, to its end.
    static func run(_ words: [String]) async throws -> Outcome {
        try await Conversation(words).finish()
    }
}

/// A program that runs beside a test, which writes lines to it and reads what it prints.
final class Conversation: Sendable {
    let process: ChildProcess
    private let input: Int32
    private let output: Int32
    private let unread = Locked<[UInt8]>([])
    private let hasEnded = Locked(false)

    init(_ arguments: [String]) throws {
        let arguments = Programs.trustingServers(arguments)
        // Sockets, as they are closed on exec from the start: no other child keeps an end open.
        let (childInput, input) = try socketPair()
        let (childOutput, output) = try socketPair()
        defer {
            close(childInput)
            close(childOutput)
        }
        self.input = input
        self.output = output
        process = try ChildProcess(arguments, input: childInput, output: childOutput, errors: childOutput)
    }

    /// A test that failed may not have waited for it.
    deinit {
        if !hasEnded.withLock({ $0 }) {
            process.signal(SIGKILL)
            process.wait()
        }
        close(input)
        close(output)
    }

    func write(_ line: String) {
        _ = unsafe [UInt8]((line + "\n").utf8).withUnsafeBytes {
            unsafe send(input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// The next line that it prints; nil when it has ended. Waits on a thread of its own.
    func readLine() async -> String? {
        await onOwnThread { self.readLineBlocking() }
    }

    func ask(_ question: String) async -> String? {
        write(question)
        return await readLine()
    }

    /// Expects this line next, after a question if one is given; what came in its place is shown.
    func expect(
        _ line: String, to question: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        if let question { write(question) }
        let heard = await readLine()
        #expect(heard == line, sourceLocation: sourceLocation)
    }

    /// Closes its input and takes the rest of what it prints, and how it ended.
    func finish() async -> Programs.Outcome {
        shutdown(input, Int32(SHUT_WR))
        return await onOwnThread {
            var lines: [String] = []
            while let line = self.readLineBlocking() { lines.append(line) }
            let status = self.process.wait()
            self.hasEnded.withLock { $0 = true }
            return (lines, status)
        }
    }

    func readLineBlocking() -> String? {
        while true {
            let line: String? = unread.withLock { unread in
                guard let end = unread.firstIndex(of: 0x0a) else { return nil }
                defer { unread.removeFirst(end + 1) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            if let line { return line }
            var chunk = [UInt8](repeating: 0, count: 4_096)
            let count = unsafe recv(output, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            unread.withLock { $0 += chunk.prefix(count) }
        }
    }
}
