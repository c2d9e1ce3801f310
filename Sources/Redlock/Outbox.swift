internal import RedlockCore
internal import RedlockRedis

/// What is to be sent at the end of the turn: the bytes of commands, gathered by node.
///
/// In one struct, as each use of a variable of a class is checked for exclusive access, and a command is for all nodes as
/// a rule.
struct Outbox {
    private var formatter = CommandFormatter()
    private var bytes: [[UInt8]]
    private var nodes = NodeSet()

    init(nodes count: Int) {
        bytes = [[UInt8]](repeating: [], count: count)
    }

    /// Formatted once, for all.
    mutating func add(_ command: Command, for targets: NodeSet) {
        guard !targets.isEmpty else { return }
        let words = formatter.format(command)
        for node in targets { words.append(to: &bytes[node]) }
        nodes = nodes.union(targets)
    }

    mutating func add(subscription isWanted: Bool, to key: [UInt8], for node: Int) {
        formatter.format(subscription: isWanted, to: key).append(to: &bytes[node])
        nodes.insert(node)
    }

    /// There is another connection: what was for the one before is not for this one.
    mutating func drop(_ node: Int) {
        bytes[node] = []
        nodes.remove(node)
    }

    /// Hands out what there is for each node; what is left in its place does not matter. Returns which nodes they were.
    mutating func handOut(_ take: (_ node: Int, _ bytes: inout [UInt8]) -> Void) -> NodeSet {
        defer { nodes = NodeSet() }
        for node in nodes {
            take(node, &bytes[node])
            bytes[node].empty(keepingUpTo: Limits.keptBytes)
        }
        return nodes
    }
}
