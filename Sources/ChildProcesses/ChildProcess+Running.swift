internal import Glibc

extension ChildProcess {
    /// What became of a program that was run to its end.
    package struct Outcome: Sendable {
        package let status: Status
        /// All that it wrote to standard output and standard error, as it came.
        package let text: String

        package var lines: [String] { text.split(separator: "\n").map { String($0) } }
    }

    /// Runs a program in a session of its own, with nothing on standard input, and waits until it has ended and its
    /// output is closed: by it, and by what it may have left running.
    package static func run(_ words: [String]) throws(SpawnError) -> Outcome {
        let (childEnd, ownEnd) = try socketPair()
        defer { close(ownEnd) }
        let child: ChildProcess
        do {
            // Only the child is to keep it open, or the end would never come.
            defer { close(childEnd) }
            child = try ChildProcess(words, output: childEnd, errors: childEnd)
        }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = unsafe recv(ownEnd, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            output += buffer[..<count]
        }
        return Outcome(status: child.wait(), text: String(decoding: output, as: UTF8.self))
    }
}
