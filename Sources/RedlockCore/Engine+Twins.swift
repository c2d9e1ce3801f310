// Nodes that are names of one server. Only one of them, the first that was connected, has the server's vote.
//
// If a second name voted too, it would refuse acquires, because its key is there already; but it would confirm
// extensions, repairs and releases once more, and in another database of the server it would grant everything once
// more. One crash would then take several votes. So a second name is asked nothing.
//
// The vote moves to another name only when the longest ttl has passed since the first was last seen to be this server.
// By then no tally and no lease counts what it granted under the first name.

extension Engine {
    /// A node is greeted, and not yet asked anything.
    mutating func identify(_ node: Int, _ greeting: Greeting, _ turn: inout Turn) {
        guard case .server(let facts) = greeting else { return }
        sessions[node].names.met(facts.runID, at: turn.now, remembering: policy.parameters.longestTTL)
        appoint(node, &turn)
        updateTwins(at: turn.now)
    }

    /// A node's connection has ended.
    mutating func noteLeft(_ node: Int, at now: Instant) {
        sessions[node].names.left(at: now, remembering: policy.parameters.longestTTL)
        updateTwins(at: now)
    }

    /// Looks again whether the server has its vote under another name.
    mutating func appoint(_ node: Int, _ turn: inout Turn) {
        let now = turn.now
        let known = sessions[node].twin?.first
        if let known, isShared(node, with: known, at: now) { return }
        sessions[node].twin = nil
        let first = sessions.indices.first {
            $0 != node && sessions[$0].twin == nil && isShared(node, with: $0, at: now)
        }
        guard let first else { return }
        sessions[node].twin = Twin(first: first, until: .distantFuture)
        updateTwin(node, at: now)
        if first != known { report(.sameServer(node: node, as: first), &turn) }
    }

    private func isShared(_ node: Int, with other: Int, at now: Instant) -> Bool {
        sessions[node].names.shared(with: sessions[other].names, at: now) != nil
    }

    private mutating func updateTwins(at now: Instant) {
        for node in sessions.indices { updateTwin(node, at: now) }
    }

    private mutating func updateTwin(_ node: Int, at now: Instant) {
        guard let twin = sessions[node].twin else { return }
        sessions[node].twin!.until = sessions[node].names.shared(with: sessions[twin.first].names, at: now) ?? now
    }
}
