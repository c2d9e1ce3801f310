import CommandSupport
import Glibc
import Redlock

/// The nodes that a subcommand is given, by option or by environment.
enum Nodes {
    static let options = [
        Option("node", .text("URL"), "a node, once for each; else REDLOCK_NODES, with commas")
    ]

    static func urls(_ arguments: Arguments) throws(UsageError) -> [String] {
        let given = try given(arguments)
        let nodes = try given.isEmpty ? ofEnvironment : given
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

    /// A comma may be part of a password or of a path, but not of a host. A line break is part of neither.
    private static func isList(_ text: String) -> Bool {
        // By bytes: as characters, a carriage return and a newline are one.
        if text.utf8.split(whereSeparator: { [0x09, 0x0a, 0x0d].contains($0) }).count > 1 { return true }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return false }
        let host = text.split(separator: "@", omittingEmptySubsequences: false).last!
        return parts.dropFirst().contains { $0.contains("://") } || !text.hasPrefix("unix:") && host.contains(",")
    }

    /// Those of REDLOCK_NODES; none if it is not set.
    static var ofEnvironment: [String] {
        get throws(UsageError) {
            let name = "REDLOCK_NODES"
            guard let value = unsafe getenv(name) else { return [] }
            guard let list = unsafe String(validatingCString: value) else {
                throw UsageError("\(name) is not UTF-8 text")
            }
            do throws(RedlockError) {
                return try Redlock.nodes(inList: list, named: name)
            } catch {
                throw UsageError(error.message)
            }
        }
    }
}
