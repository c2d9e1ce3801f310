/// When each node can grant a resource, as far as this process knows: from the answers to its own attempts, and from
/// what other clients tell each other on the resource's channel.
struct Forecast: Sendable {
    /// From when on each node can be free; the distant future where nothing is known.
    private(set) var freeAt: [Instant]
    /// When a release on each node was last heard of.
    private var heardAt: [Instant]
    /// Where nothing else has been heard of since.
    private var released = NodeSet()

    init(nodes: Int) {
        freeAt = [Instant](repeating: .distantFuture, count: nodes)
        heardAt = [Instant](repeating: Instant(nanoseconds: .min / 2), count: nodes)
    }

    /// Keys live on for whole milliseconds, and are gone after the last of them.
    private static let expiryMargin = Nanoseconds.milliseconds(2)

    /// Whether any node has said for how long its key lives.
    var knowsAnything: Bool { freeAt.contains { $0 < .distantFuture } }

    /// The node's key is gone: it told so, or we deleted it.
    mutating func released(_ node: Int, at now: Instant) {
        freeAt[node] = min(freeAt[node], now)
        heardAt[node] = now
        released.insert(node)
    }

    /// Whoever had the resource has let go of it on all nodes.
    mutating func releasedEverywhere(at now: Instant) {
        for node in freeAt.indices { released(node, at: now) }
    }

    /// Somebody has set the node's key, for so long.
    mutating func taken(_ node: Int, for time: Nanoseconds, at now: Instant) {
        freeAt[node] = now + time + Self.expiryMargin
        released.remove(node)
    }

    /// A vote of a node that was asked at `askedAt`. A release that was heard of since then may be later than the vote:
    /// the two come over different connections.
    mutating func voted(_ vote: Vote, of node: Int, remaining: Nanoseconds?, askedAt: Instant, at now: Instant) {
        switch vote {
        case .granted, .numberTooLow:
            freeAt[node] = now
        case .heldByAnother, .failed:
            guard heardAt[node] <= askedAt else { return }
            freeAt[node] = remaining.map { now + $0 + Self.expiryMargin } ?? .distantFuture
        case .pending, .missing, .notAsked:
            return
        }
        released.remove(node)
    }

    /// From when on so many nodes can be free.
    ///
    /// Nodes that cannot be heard, as there is no subscription, count as free with the first that was heard: a release
    /// goes to all nodes at once.
    func freeAt(quorum: Int, heard: NodeSet) -> Instant {
        var instants = freeAt
        if let first = released.map({ freeAt[$0] }).min() {
            for node in instants.indices where !heard.contains(node) { instants[node] = min(instants[node], first) }
        }
        instants.sort()
        return instants[quorum - 1]
    }
}
