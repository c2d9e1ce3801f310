import CommandSupport
import Glibc

/// The nodes that a subcommand is given, by option or by environment.
enum Nodes {
    static let options = [
        Option("node", .text("URL"), "a node, once for each; else REDLOCK_NODES, with commas")
    ]

    static func urls(_ arguments: Arguments) throws(UsageError) -> [String] {
        let given = try given(arguments)
        let nodes = given.isEmpty ? ofEnvironment : given
        guard !nodes.isEmpty else {
            throw UsageError("no nodes: give --node redis://host:port once for each, or set REDLOCK_NODES")
        }
        return nodes
    }

    /// Those of the option.
    static func given(_ arguments: Arguments) throws(UsageError) -> [String] {
        let given = arguments.values("node")
        // The list itself is not repeated: it may contain passwords.
        guard !given.contains(where: isList) else {
            throw UsageError("--node takes one URL: give it once for each node, or set REDLOCK_NODES to the whole list")
        }
        return given
    }

    /// A comma may be part of a password or of a path, but not of a host.
    private static func isList(_ text: String) -> Bool {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return false }
        let host = text.split(separator: "@", omittingEmptySubsequences: false).last!
        return parts.dropFirst().contains { $0.contains("://") } || !text.hasPrefix("unix:") && host.contains(",")
    }

    static var ofEnvironment: [String] {
        guard let value = unsafe getenv("REDLOCK_NODES") else { return [] }
        return unsafe String(cString: value).split(separator: ",").map { word in
            String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }
}
