/// The servers that answered at one node's address, the present one and recent ones, by their run ids.
///
/// Two nodes that share one are two names of the same server, and get one vote between them. A server counts as recent
/// for the longest ttl: until then a key that it granted under this name may exist, and be a vote in some tally.
struct ServerNames: Sendable {
    private struct Server: Sendable {
        var runID: String
        /// The distant future while it is connected.
        var until: Instant
    }

    /// Oldest first.
    private var servers: [Server] = []

    /// A server has been greeted.
    mutating func met(_ runID: String, at now: Instant, remembering length: Nanoseconds) {
        left(at: now, remembering: length)
        servers.removeAll { $0.until <= now || $0.runID == runID }
        if servers.count == Limits.recentServers { servers.removeFirst() }
        servers.append(Server(runID: runID, until: .distantFuture))
    }

    /// The connection to the present server has ended.
    mutating func left(at now: Instant, remembering length: Nanoseconds) {
        guard let last = servers.indices.last, servers[last].until == .distantFuture else { return }
        servers[last].until = now + length
    }

    /// Until when both are names of one server; nil if they are not now.
    func shared(with other: ServerNames, at now: Instant) -> Instant? {
        var end: Instant?
        for server in servers {
            guard let match = other.servers.first(where: { $0.runID == server.runID }) else { continue }
            let until = min(server.until, match.until)
            if until > now { end = max(end ?? until, until) }
        }
        return end
    }
}

/// A node has no vote because its server has one under another node's name.
struct Twin: Hashable, Sendable {
    /// The node that has the server's vote.
    var first: Int
    /// When this is to be looked at again; the distant future while both are connected.
    var until: Instant
}
