import ChildProcesses
import Dispatch
import Glibc
import Redlock

// Contenders in processes of their own: this program again, as `redlock bench-contender`. What each is to do goes in by
// its standard input, nodes and passwords too, and what it did comes back by its standard output.

extension Contention {
    /// The subcommand that a contender is started with; not for people.
    package static let contenderCommand = "bench-contender"

    func inProcesses() async throws -> Outcome {
        var children: [Child] = []
        defer { for child in children { child.end() } }
        let orders = ([resource] + nodes).joined(separator: "\n") + "\n\n"
        for _ in 0..<contenders {
            let child = try Child()
            children.append(child)
            try child.write(orders)
        }
        let started = children
        return try await withTaskCancellationHandler {
            for child in started where try await child.line() != "ready" {
                throw BenchError("a contender did not start")
            }
            return try await measure { end in
                for child in started { try child.write("\(end)\n") }
                var holdings: [Holding] = []
                for (contender, child) in started.enumerated() {
                    while let line = try await child.line(), line != "done" {
                        let numbers = line.split(separator: " ").compactMap { Int64($0) }
                        guard numbers.count == 2 else { throw BenchError("a contender failed: \(line)") }
                        holdings.append(Holding(contender: contender, granted: numbers[0], released: numbers[1]))
                    }
                }
                return holdings
            }
        } onCancel: {
            for child in started { child.interrupt() }
        }
    }

    /// The other end: what `redlock bench-contender` does.
    package static func contenderMain() async -> Int32 {
        do {
            guard let resource = StandardInput.line() else { return 1 }
            var nodes: [String] = []
            while let node = StandardInput.line(), !node.isEmpty { nodes.append(node) }
            let redlock = try Redlock(nodes: nodes, configuration: .measuring)
            let warmUp = Resource("\(resource):\(getpid())")
            await (try redlock.acquire(warmUp, ttl: ttl, waitingUpTo: LibraryLoad.wait)).release()
            put("ready")
            guard let end = StandardInput.line().flatMap({ Int64($0) }) else { return 1 }
            let contention = Contention(nodes: nodes, resource: resource, contenders: 1, time: .zero)
            let holdings = try await contention.contend(redlock, as: 0, until: end)
            await redlock.shutdown()
            for holding in holdings { put("\(holding.granted) \(holding.released)") }
            put("done")
            return 0
        } catch {
            put("\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))
            return 1
        }
    }

    private static func put(_ line: String) {
        // Not by way of a buffer: the other end waits for it.
        _ = unsafe [UInt8]((line + "\n").utf8).withUnsafeBytes {
            unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
        }
    }
}

/// A contender's process, and the line to it.
private final class Child: Sendable {
    private let process: ChildProcess
    private let socket: Int32
    private let queue = DispatchQueue(label: "redlock-bench.contender")

    init() throws {
        let (childEnd, ownEnd) = try socketPair()
        defer { close(childEnd) }
        process = try ChildProcess(
            ["/proc/self/exe", Contention.contenderCommand], input: childEnd, output: childEnd, errors: STDERR_FILENO)
        socket = ownEnd
    }

    func write(_ text: String) throws(BenchError) {
        let count = unsafe [UInt8](text.utf8).withUnsafeBytes {
            unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count == text.utf8.count else { throw BenchError("a contender's process ended at once") }
    }

    /// The next line; nil at the end.
    func line() async throws(BenchError) -> String? {
        await withCheckedContinuation { continuation in
            queue.async { [socket] in
                var bytes: [UInt8] = []
                var byte: UInt8 = 0
                while unsafe recv(socket, &byte, 1, 0) == 1 {
                    guard byte != 0x0a else {
                        return continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
                    }
                    bytes.append(byte)
                }
                continuation.resume(returning: nil)
            }
        }
    }

    /// Ends the reading, and by that the wait.
    func interrupt() {
        process.signal(SIGKILL)
    }

    func end() {
        process.signal(SIGKILL)
        process.wait()
        close(socket)
    }
}
