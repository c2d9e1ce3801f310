/// What a server says of itself, when a connection to it is made and when it is asked again. It may lie; what follows
/// from it is decided here.
package struct NodeFacts: Hashable, Sendable {
    /// Whether what it granted survives its crash.
    package enum Durability: Hashable, Sendable {
        /// Every write is on the disk before it is answered.
        case everyWrite
        case no
        /// It keeps a log, and does not say how often that is written. Treated like `no`.
        case unknown(String)
    }

    /// A name of this one process: another after every start, and on every other server.
    package var runID: String
    /// By its wall clock, so a clock that was set makes it wrong. In whole seconds on the wire.
    package var uptime: Nanoseconds
    package var durability: Durability
    package var isReplica: Bool
    /// The names of the server's data set, now and before its last promotion; nil if it does not tell them.
    package var lineage: Lineage?

    package init(
        runID: String, uptime: Nanoseconds, durability: Durability, isReplica: Bool = false, lineage: Lineage? = nil
    ) {
        self.runID = runID
        self.uptime = uptime
        self.durability = durability
        self.isReplica = isReplica
        self.lineage = lineage
    }

    /// `master_replid` and `master_replid2`.
    ///
    /// A replica that is promoted keeps the name that it had from its primary as the second one, and takes a fresh
    /// first one. A primary that drops its backlog takes a fresh first name and has no second one.
    package struct Lineage: Hashable, Sendable {
        package var present: String
        /// Nil if the server was never promoted since it was started.
        package var beforePromotion: String?

        package init(present: String, beforePromotion: String? = nil) {
            self.present = present
            self.beforePromotion = beforePromotion
        }
    }

    /// The server was a replica at some time since it was started.
    var wasPromoted: Bool { !isReplica && lineage?.beforePromotion != nil }

    /// The same process was a replica in between, or is one no more.
    func wasPromoted(since earlier: NodeFacts) -> Bool {
        guard !isReplica else { return false }
        return earlier.isReplica || wasPromoted && earlier.lineage != nil && earlier.lineage != lineage
    }

    /// A replica has what it was sent so far, however well it keeps that.
    var isDurable: Bool { durability == .everyWrite && !isReplica }
}

/// What came of asking a server for its ``NodeFacts``.
package enum Greeting: Hashable, Sendable {
    case server(NodeFacts)
    /// It watches other servers, and stores no keys.
    case sentinel
    /// It may not be asked (an ACL, a proxy), and why.
    case unknown(String)
    /// It answered with something that makes no sense, and what.
    case malformed(String)
}

extension Greeting {
    static let replica = "it is a replica; writes go to its primary"

    /// Why it is no server to take locks on, whatever it answers to commands; nil if that is not known.
    ///
    /// A replica that accepts writes loses them when it is synchronised the next time.
    var unfitness: String? {
        switch self {
        case .server(let facts) where facts.isReplica: Self.replica
        case .sentinel: "it is a Sentinel, not a server of data"
        case .server, .unknown, .malformed: nil
        }
    }
}
