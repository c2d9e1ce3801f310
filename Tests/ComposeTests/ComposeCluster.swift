import ChildProcesses
import Glibc
import LocalCluster
import Redlock
import TestSupport
import Testing

/// The five containers of docker-compose.yml, as `.ci/compose` has brought them up.
struct ComposeCluster {
    static let nodes = 5
    static let firstPort: UInt16 = 7_101

    /// The compose program and its options; empty without a cluster.
    private static let command: [String] = {
        guard let value = unsafe getenv("REDLOCK_COMPOSE") else { return [] }
        return unsafe String(cString: value).split(separator: " ").map { String($0) }
    }()

    static var isThere: Bool { !command.isEmpty }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    var urls: [String] { (0..<Self.nodes).map { "redis://127.0.0.1:\(Self.firstPort + UInt16($0))" } }

    /// A compose command for some nodes, by their numbers from 1.
    func compose(_ verb: String, _ nodes: ClosedRange<Int>, _ options: [String] = []) async throws {
        try await onOwnThread {
            _ = try Self.run(Self.command + [verb] + options + nodes.map { "node\($0)" })
        }
    }

    /// Takes nodes off the network that the host reaches them by, or puts them back.
    func network(_ verb: String, _ nodes: ClosedRange<Int>) async throws {
        try await onOwnThread {
            for node in nodes {
                let id = try Self.run(Self.command + ["ps", "-q", "node\(node)"])
                let networks = try Self.run(
                    ["docker", "network", "ls", "-q", "--filter", "label=com.docker.compose.project=redlock-test"])
                _ = try Self.run(["docker", "network", verb, networks, id])
            }
        }
    }

    /// Everything that a test may have done is undone, and all nodes answer.
    func heal() async throws {
        _ = try? await compose("unpause", 1...Self.nodes)
        _ = try? await network("connect", 1...Self.nodes)
        try await compose("start", 1...Self.nodes)
        try await onOwnThread {
            for node in 0..<Self.nodes {
                try eventually { Self.command(node, "PING") == .status("PONG") }
                _ = Self.command(node, "FLUSHALL")
            }
        }
    }

    /// What each node has under a key; nil for nothing, or nobody.
    func values(of key: String) async -> [String?] {
        await onOwnThread {
            (0..<Self.nodes).map { node in
                guard case .string(let value)? = Self.command(node, "GET", key) else { return nil }
                return value
            }
        }
    }

    private static func command(_ node: Int, _ words: String...) -> BlockingClient.Answer? {
        (try? BlockingClient(port: firstPort + UInt16(node)))?.command(words)
    }

    /// The last line of its output; empty without one.
    private static func run(_ words: [String]) throws -> String {
        let outcome = try ChildProcess.run(words)
        guard outcome.status == .exited(0) else {
            throw Failure(description: "\(words.joined(separator: " ")): \(outcome.text)")
        }
        return outcome.lines.last ?? ""
    }
}

/// Waits until a condition on the outside world holds, which sends no event when it does; two minutes at most.
func eventually(_ condition: () -> Bool) throws {
    for _ in 0..<6_000 {
        if condition() { return }
        usleep(20_000)
    }
    throw ComposeCluster.Failure(description: "it did not happen within two minutes")
}
