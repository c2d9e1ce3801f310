import RedlockRedis

/// Counts what clients ask of the nodes, by their own statistics (INFO commandstats).
struct CommandCounter {
    /// What clients send. Commands that scripts run inside a node are counted there too, and cost no message.
    private static let sent: Set<String> = [
        "set", "eval", "evalsha", "evalsha_ro", "ping", "auth", "select", "hello", "subscribe", "unsubscribe",
    ]

    private let nodes: [NodeAddress]
    private let before: Int

    init(_ nodes: [String]) throws {
        self.nodes = try nodes.map { try NodeAddress($0) }
        before = try Self.count(self.nodes)
    }

    func commandsSinceStart() throws -> Int {
        try Self.count(nodes) - before
    }

    private static func count(_ nodes: [NodeAddress]) throws -> Int {
        try nodes.reduce(0) { try $0 + count($1) }
    }

    private static func count(_ node: NodeAddress) throws -> Int {
        let client = try NodeClient(node)
        let text = try client.text(["INFO", "commandstats"])
        var total = 0
        // cmdstat_set:calls=12,usec=34,…
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("cmdstat_") {
            let name = line.dropFirst("cmdstat_".count).prefix { $0 != ":" && $0 != "|" }
            guard sent.contains(String(name)), let calls = line.firstRange(of: "calls=")?.upperBound else { continue }
            total += Int(line[calls...].prefix { $0.isNumber }) ?? 0
        }
        return total
    }
}
