internal import RedlockCore

/// What one node contributed to an outcome.
public struct NodeVote: Hashable, Sendable, CustomStringConvertible {
    /// Which way a node's vote went.
    ///
    /// More may be added; a `switch` over them needs a default.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The name, as it appears in logs.
        public let rawValue: String

        /// A kind by its name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// It acquired, extended or deleted, as asked.
        public static let granted = Kind(rawValue: "granted")
        /// It acquired, but not under the fencing number that was proposed: it has seen a higher one.
        public static let numberTooLow = Kind(rawValue: "numberTooLow")
        /// Its key holds another's token.
        public static let heldByAnother = Kind(rawValue: "heldByAnother")
        /// It does not have the key (any more).
        public static let missing = Kind(rawValue: "missing")
        /// It was asked, and had not answered when the others decided: nobody needed to wait for it. A lease that is
        /// lost later shows what it answered since. Where this process did not run for a while, it has not answered a
        /// command that was sent after that.
        public static let pending = Kind(rawValue: "pending")
        /// It was not asked: another task of this process holds the lock, or is ahead; or the node that was asked first
        /// said that it is held.
        public static let notAsked = Kind(rawValue: "notAsked")
        /// It did not answer within the node timeout.
        public static let timedOut = Kind(rawValue: "timedOut")
        /// There is no connection to it, or the connection ended before it answered; the detail says why. Also a node
        /// that gives this client no locks: a replica, a Sentinel, too many clients.
        public static let unreachable = Kind(rawValue: "unreachable")
        /// It answered with an error.
        public static let errorReply = Kind(rawValue: "errorReply")
        /// Locks that it granted may be gone without its knowing, so it has no vote for a while; the detail says why.
        public static let quarantined = Kind(rawValue: "quarantined")
        /// It is the same server as another node of the list, which has the server's one vote; the detail names it. It
        /// was not asked.
        public static let sameServer = Kind(rawValue: "sameServer")
        /// Too many commands wait for it already.
        public static let overloaded = Kind(rawValue: "overloaded")
    }

    /// The node's endpoint, `host:port` or a path; without user and password.
    public let node: String
    /// Which way it went.
    public let kind: Kind
    /// More about a failure: the server's error, or the system's. About a vote that this request did not get itself: who
    /// of this process is ahead. About a `pending` one, if this process did not run for a while: that there was no
    /// answer since. Empty for the others.
    public let detail: String

    /// One line: `10.0.0.1:6379 errorReply (OOM command not allowed …)`.
    public var description: String {
        detail.isEmpty ? "\(node) \(kind.rawValue)" : "\(node) \(kind.rawValue) (\(detail))"
    }
}

extension NodeVote {
    /// - Parameters:
    ///   - detail: For a vote that says nothing more itself.
    ///   - name: The endpoint of another node of the list.
    init(_ vote: Vote, node: String, detail: String = "", name: (Int) -> String) {
        let ownDetail: String
        self.node = node
        (kind, ownDetail) =
            switch vote {
            case .pending: (.pending, "")
            case .granted: (.granted, "")
            case .numberTooLow(let highest): (.numberTooLow, "it has \(highest)")
            case .heldByAnother: (.heldByAnother, "")
            case .missing: (.missing, "")
            case .notAsked: (.notAsked, "")
            case .failed(.timedOut): (.timedOut, "")
            case .failed(.stalled): (.timedOut, "it has not answered earlier commands either")
            case .failed(.unreachable(let reason)): (.unreachable, reason)
            case .failed(.connectionLost(let reason)): (.unreachable, reason)
            case .failed(.errorReply(let text)): (.errorReply, Self.explained(text))
            case .failed(.protocolViolation(let what)): (.errorReply, "no answer to the command: \(what)")
            case .failed(.implausibleNumber(let number)): (.errorReply, Self.implausible(number))
            case .failed(.overloaded): (.overloaded, "")
            case .failed(.sameServer(let first)): (.sameServer, "the same server as \(name(first))")
            case .failed(.quarantined(let quarantine, let moment)):
                (
                    .quarantined,
                    "for another \((quarantine.until - moment).secondsRoundedUp) s: \(quarantine.words(at: moment))"
                )
            }
        self.detail = ownDetail.isEmpty ? detail : ownDetail
    }
}

extension NodeVote {
    private static func implausible(_ number: Int64) -> String {
        "it reports the fencing number \(number), which no clock can have proposed; "
            + "redlock doctor --resource finds such numbers and says how to mend them"
    }

    /// An error, after what it means where Redis says that in its own terms.
    private static func explained(_ error: String) -> String {
        let code = error.prefix { $0 != " " }
        return switch code {
        case "READONLY": "it is a replica; writes go to its primary (\(error))"
        case "MOVED", "ASK", "CLUSTERDOWN": "it is a node of a cluster; a lock needs servers of their own (\(error))"
        default: error
        }
    }
}
