internal import RedlockCore
internal import RedlockRedis

/// What is to be sent at the end of the turn: the bytes of commands, gathered for the nodes that they are for.
///
/// A command is for all nodes as a rule, so nodes share their bytes for as long as they are to get the same.
///
/// In one struct, as each use of a variable of a class is checked for exclusive access.
struct Outbox {
    /// What these nodes are to get, all the same.
    private struct Stream {
        var nodes: NodeSet
        var bytes: [UInt8]
    }

    private var formatter = CommandFormatter()
    /// No node is in two of them.
    private var streams: [Stream] = []
    /// Bytes that were handed out: kept for their room. As many as there were streams in a turn, so one for each node at
    /// most.
    private var spare: [[UInt8]] = []

    var isEmpty: Bool { streams.isEmpty }

    /// Formatted once, for all.
    mutating func add(_ command: Command, for targets: NodeSet) {
        guard !targets.isEmpty else { return }
        add(formatter.format(command), for: targets)
    }

    mutating func add(subscription isWanted: Bool, to key: [UInt8], for node: Int) {
        add(formatter.format(subscription: isWanted, to: key), for: NodeSet(node))
    }

    private mutating func add(_ words: WireCommand, for targets: NodeSet) {
        var others = targets
        for index in streams.indices {
            let nodes = streams[index].nodes
            let apart = nodes.subtracting(targets)
            guard apart != nodes else { continue }
            others = others.subtracting(nodes)
            if !apart.isEmpty {
                streams[index].nodes = nodes.subtracting(apart)
                begin(for: apart)
                streams[streams.count - 1].bytes += streams[index].bytes
            }
            words.append(to: &streams[index].bytes)
        }
        guard !others.isEmpty else { return }
        begin(for: others)
        words.append(to: &streams[streams.count - 1].bytes)
    }

    private mutating func begin(for nodes: NodeSet) {
        var bytes = spare.popLast() ?? []
        // Not before: a connection that was still sending it would have made this a copy.
        bytes.removeAll(keepingCapacity: true)
        streams.append(Stream(nodes: nodes, bytes: bytes))
    }

    /// There is another connection: what was for the one before is not for this one.
    mutating func drop(_ node: Int) {
        for index in streams.indices { streams[index].nodes.remove(node) }
        streams.removeAll { $0.nodes.isEmpty }
    }

    /// Hands out what there is for each node. Returns which nodes they were.
    mutating func handOut(_ take: (_ node: Int, _ bytes: [UInt8]) -> Void) -> NodeSet {
        var all = NodeSet()
        for stream in streams {
            for node in stream.nodes { take(node, stream.bytes) }
            all = all.union(stream.nodes)
            if stream.bytes.capacity <= Limits.keptBytes { spare.append(stream.bytes) }
        }
        streams.removeAll(keepingCapacity: true)
        return all
    }
}
