internal import Glibc
internal import LocalCluster
internal import RedlockSimulation

/// A replica of a node that sees what the node did a while later: the way between them is a slow proxy.
final class LaggingReplica {
    private let server: LocalNode
    private let proxy: LinkProxy

    /// How long the first synchronisation may take, in milliseconds.
    private static let syncMilliseconds = 20_000

    /// - Parameter launcher: That of the master, so that both have the same clock.
    init(of master: LocalNode, folder: String, lag: Int64, launcher: [String], undertaker: Undertaker) throws {
        _ = unsafe mkdir(folder, 0o700)
        proxy = try LinkProxy(client: 0, links: [LinkSettings(port: master.port)])
        proxy.start(seed: 0, resources: [:]) { _, _ in }
        server = LocalNode(
            port: try FreePorts.next(), folder: folder, persistence: .none,
            launcher: launcher,
            options: ["--replicaof", "127.0.0.1 \(proxy.ports[0])", "--repl-diskless-sync-delay", "0"],
            undertaker: undertaker)
        try server.start()
        guard isSynchronised() else {
            throw LocalNode.StartError(description: "a replica did not follow its node; its log is in \(folder)/log")
        }
        // From here on it is behind; before, the handshake would have been.
        proxy.change(0) { $0.delay = lag }
    }

    private func isSynchronised() -> Bool {
        for _ in 0..<Self.syncMilliseconds / 10 {
            if case .string(let text) = server.command("INFO", "replication"), text.contains("master_link_status:up") {
                return true
            }
            usleep(10_000)
        }
        return false
    }

    /// It follows nobody that it can reach, and stays a replica.
    func takeOver() -> LocalNode {
        proxy.stop()
        return server
    }

    /// It is a master now, with what it has seen.
    func promote() -> LocalNode {
        server.command("REPLICAOF", "NO", "ONE")
        proxy.stop()
        return server
    }

    func stop() {
        server.kill()
        proxy.stop()
    }
}
