internal import Folders
internal import Glibc

/// Independent redis-servers on free ports of the loopback interface, in a temporary folder; gone with this process at
/// the latest.
package final class LocalCluster: Sendable {
    private static let startAttempts = 5

    package let nodes: [LocalNode]
    package let folder: String
    private let undertaker: Undertaker

    package var urls: [String] { nodes.map(\.url) }

    /// Starts the servers and waits until they answer.
    ///
    /// As a rule they keep every write, as those of docker-compose.yml do: others have no vote for the first minute.
    ///
    /// - Parameter options: More arguments for every redis-server.
    package init(
        nodes count: Int = 5, persistence: LocalNode.Persistence = .everyWrite, options: [String] = []
    ) throws {
        guard let path = Folder.makeTemporary("redlock") else {
            throw LocalNode.StartError(description: "no temporary folder can be made in \(Folder.temporary)")
        }
        folder = path
        undertaker = try Undertaker(folder: folder)
        do {
            nodes = try (0..<count).map { [folder, undertaker] index in
                let home = "\(folder)/node\(index + 1)"
                _ = unsafe mkdir(home, 0o700)
                return try Self.startNode(home, persistence, options, undertaker)
            }
        } catch {
            // What runs already ends with it.
            undertaker.dismiss()
            throw error
        }
    }

    /// A port that was free a moment ago may be taken by the time that the server binds it: another is tried then.
    private static func startNode(
        _ home: String, _ persistence: LocalNode.Persistence, _ options: [String], _ undertaker: Undertaker
    ) throws -> LocalNode {
        var attempt = 0
        while true {
            attempt += 1
            let node = LocalNode(
                port: try FreePorts.next(), folder: home, persistence: persistence, options: options,
                undertaker: undertaker)
            do {
                try node.start()
                return node
            } catch let error as LocalNode.StartError {
                node.kill()
                if attempt == startAttempts { throw error }
            }
        }
    }

    deinit {
        stop()
    }

    /// Kills the servers and removes the folder.
    package func stop() {
        for node in nodes { node.kill() }
        undertaker.dismiss()
    }
}
