internal import ChildProcesses
internal import Glibc
internal import PosixLock

/// A real redis-server process on this machine, with a folder of its own.
///
/// Tests and the demo do to it what fate does to servers. It is `Sendable`, but one thing at a time is done to a node.
package final class LocalNode: Sendable {
    package enum Persistence: Sendable {
        /// Nothing survives the process.
        case none
        /// Every write is on the disk before it is answered.
        case everyWrite
        /// The log is written at once, and put on the disk every second.
        case everySecond
        /// A snapshot so many seconds after a change.
        case snapshot(afterSeconds: Int)
    }

    package struct StartError: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// How long a server may take to answer its first PING, in milliseconds.
    private static let startMilliseconds = 20_000

    /// On the loopback interface.
    package let port: UInt16
    package let folder: String
    private let launcher: [String]
    private let options: [String]
    private let durability: Locked<[String]>
    private let undertaker: Undertaker
    private let process = Locked<ChildProcess?>(nil)

    package var url: String { "redis://127.0.0.1:\(port)" }
    package var isRunning: Bool { process.withLock { $0 != nil } }

    /// - Parameters:
    ///   - launcher: What stands before the server's name: `env` and variables, as a rule.
    ///   - options: More arguments for the server.
    package init(
        port: UInt16, folder: String, persistence: Persistence, launcher: [String] = [], options: [String] = [],
        undertaker: Undertaker
    ) {
        self.port = port
        self.folder = folder
        self.undertaker = undertaker
        self.launcher = launcher
        durability = Locked(persistence.options)
        self.options = options
    }

    /// How it keeps its keys from its next start on.
    package func setPersistence(_ persistence: Persistence) {
        durability.withLock { $0 = persistence.options }
    }

    /// Starts it, and waits until it answers. On its port, or elsewhere for a while.
    package func start(port: UInt16? = nil) throws {
        let port = port ?? self.port
        try launch(port: port)
        for _ in 0..<Self.startMilliseconds / 5 {
            if answers(on: port) { return }
            guard !hasEnded() else { break }
            usleep(5_000)
        }
        throw StartError(
            description: "redis-server on port \(port) did not start; its log is in \(folder)/log")
    }

    /// Starts the process; it may not answer yet.
    private func launch(port: UInt16) throws(ChildProcess.SpawnError) {
        let command =
            launcher + ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--dir", folder]
            + ["--daemonize", "no", "--logfile", "\(folder)/log"] + durability.withLock { $0 } + options
        let child = try ChildProcess(command)
        undertaker.started(child)
        let previous = process.withLock { process in
            defer { process = child }
            return process
        }
        precondition(previous == nil, "the server is running already")
    }

    /// This process does, not another one that took the port a moment before it.
    private func answers(on port: UInt16) -> Bool {
        guard let client = try? BlockingClient(port: port), let pong = client.command("PING"), !pong.isLoading,
            let id = process.withLock({ $0?.id })
        else { return false }
        guard case .string(let text)? = client.command("INFO", "server") else {
            // One that wants a password says no more than that it is there.
            return true
        }
        return text.contains("process_id:\(id)\r\n")
    }

    /// Its process id, while it runs; nil when it ended by itself, too.
    package var processID: Int32? {
        hasEnded() ? nil : process.withLock { $0?.id }
    }

    /// It ended by itself: as a rule another program has its port.
    private func hasEnded() -> Bool {
        process.withLock { process in
            guard let child = process, let status = child.poll() else { return false }
            // One that was paused is still there.
            if case .stopped = status { return false }
            undertaker.ended(child)
            process = nil
            return true
        }
    }

    /// kill -9, and waits until it is gone.
    package func kill() {
        let child = process.withLock { $0.take() }
        guard let child else { return }
        child.signal(SIGKILL)
        child.wait()
        undertaker.ended(child)
    }

    /// Stops the process where it stands. It keeps its connections, and the kernel still accepts new ones.
    package func pause() { process.withLock { $0?.signal(SIGSTOP) } }
    package func resume() { process.withLock { $0?.signal(SIGCONT) } }

    /// Runs a command on the node, and waits for the answer; nil when there is none.
    @discardableResult
    package func command(_ words: String...) -> BlockingClient.Answer? {
        command(words)
    }

    @discardableResult
    package func command(_ words: [String]) -> BlockingClient.Answer? {
        try? BlockingClient(port: port).command(words)
    }
}

extension LocalNode.Persistence {
    fileprivate var options: [String] {
        switch self {
        case .none: ["--save", "", "--appendonly", "no"]
        case .everyWrite: ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        case .everySecond: ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
        case .snapshot(let seconds): ["--save", "\(seconds) 1", "--appendonly", "no"]
        }
    }
}
