/// What the algorithm takes for granted about the world it runs in.
package enum Assumption: String, Hashable, Sendable, CaseIterable {
    case memory = "a node keeps a lock until its expiry"
    /// A client goes by its own clock when it knew another server; else by what this one says: how long it has been
    /// running, and that it keeps what it is told.
    case uptime = "a server that a client has not met before remembers for as long as it says"
    case clockSteps = "a node's wall clock does not jump forward"
    case clockRates = "clocks run at rates that differ by less than the drift allowed for"
    case promptWrites = "no pause between the holder's check and its write (or the resource checks a fencing token)"
    case numbers = "nodes keep their fencing numbers, or no client's wall clock is behind those lost"
    case oneNodeList = "all clients use the same nodes"
    case longestTTL = "no client asks for a longer ttl than the longest that another reckons with"
    case bootClocks = "a client's boot clock goes on while its machine is stopped"

    /// Whether a failure of this oracle can come of it.
    package func excuses(_ oracle: Oracle) -> Bool {
        switch oracle {
        case .overlap, .quorumMargin: self != .promptWrites && self != .numbers
        case .fencingOvertaken: self != .promptWrites
        case .staleWrite: self != .numbers
        case .fencingOrder, .outOfOrderWrite: self == .numbers || self == .oneNodeList
        // Who counted on a node that turns out to have forgotten is without its keys too.
        case .clockGuard: self == .memory || self == .uptime
        case .limits, .fencingRange, .ownership, .repair, .tokenReuse, .resurrection, .answers, .orphanKey, .liveness,
            .livelock,
            .lostWakeUp,
            .polling, .order, .progress, .canary:
            false
        }
    }
}

/// An assumption that the faults broke, at a moment.
package struct Breach: Hashable, Sendable {
    package let assumption: Assumption
    package let at: Int64
    /// The last time that it happened again.
    package var latest: Int64
    /// Whom it happened to, first and last: `node 2`.
    package let subject: String
    package var latestSubject: String

    package init(assumption: Assumption, at: Int64, latest: Int64, subject: String, latestSubject: String) {
        self.assumption = assumption
        self.at = at
        self.latest = latest
        self.subject = subject
        self.latestSubject = latestSubject
    }
}
