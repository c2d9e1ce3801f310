internal import RedlockCore

extension Redlock {
    /// Something that happened, for logs and metrics; see ``Configuration/observer``.
    public struct Event: Sendable {
        /// The kinds of event. More may be added; a `switch` over them needs a default.
        public struct Kind: RawRepresentable, Hashable, Sendable {
            /// The name, as it appears in logs.
            public let rawValue: String

            /// A kind by its name.
            public init(rawValue: String) {
                self.rawValue = rawValue
            }

            /// All nodes are being asked; ``Event/attempt`` says for which time.
            public static let attempt = Kind(rawValue: "attempt")
            /// One node's vote on an attempt or an extension has come; it is the only one in ``Event/votes``.
            public static let vote = Kind(rawValue: "vote")
            /// The fencing number was too low; the nodes are offered ``Event/fencingToken``. It takes another round
            /// trip.
            public static let numberRaised = Kind(rawValue: "numberRaised")
            /// An attempt failed and will be repeated.
            public static let retry = Kind(rawValue: "retry")
            /// The lock was acquired; it is valid for ``Event/remaining``.
            public static let acquired = Kind(rawValue: "acquired")
            /// The caller was told that there is no lock.
            public static let refused = Kind(rawValue: "refused")
            /// The lease was extended; it is valid for ``Event/remaining``.
            public static let extended = Kind(rawValue: "extended")
            /// An extension failed; the lease is valid for ``Event/remaining``.
            public static let notExtended = Kind(rawValue: "notExtended")
            /// A node that did not have the lease's key has it again, or at last; ``Event/node`` says which.
            public static let repaired = Kind(rawValue: "repaired")
            /// The lease is valid for ``Event/remaining``, and a loss has become likely: extensions fail, or exactly a
            /// quorum of nodes has its key, though there are more nodes, and repair has not changed that in a fifth of
            /// the ttl (in up to two fifths if the node timeout is more than a tenth of the ttl). Reported once for
            /// each of the two reasons.
            public static let atRisk = Kind(rawValue: "atRisk")
            /// The lease is at risk no longer: it was extended, and more than a quorum of nodes has its key.
            public static let recovered = Kind(rawValue: "recovered")
            /// The holder was told that the lease is lost; the validity that it had ends in ``Event/remaining``.
            public static let lost = Kind(rawValue: "lost")
            /// The lease was released.
            public static let released = Kind(rawValue: "released")
            /// A node was connected.
            public static let nodeConnected = Kind(rawValue: "nodeConnected")
            /// A node is away: its connection ended, or the first could not be made. The next try is in
            /// ``Event/remaining``; tries go on. Told once until ``nodeConnected``, and again only when what is wrong
            /// becomes something else: nobody is there; the node answers and gives no locks (the password, too many
            /// clients, a replica, a Sentinel); it answers that it is not ready. ``Event/reason`` says which.
            public static let nodeDisconnected = Kind(rawValue: "nodeDisconnected")
            /// A node has left commands unanswered for longer than the node timeout.
            public static let nodeStalled = Kind(rawValue: "nodeStalled")
            /// A stalled node has answered.
            public static let nodeAnswers = Kind(rawValue: "nodeAnswers")
            /// A node casts no votes for ``Event/remaining``: locks that it granted may be gone without its knowing;
            /// ``Event/reason`` says why. See ``Configuration/quarantine`` and ``Configuration/clockGuard``.
            public static let nodeQuarantined = Kind(rawValue: "nodeQuarantined")
            /// A quarantine is over: the node votes again.
            public static let nodeQuarantineEnded = Kind(rawValue: "nodeQuarantineEnded")
            /// A node is the same server as another node of the list, which has the server's one vote;
            /// ``Event/reason`` names it. The node itself has no vote. Told once for each pair, until it changes.
            public static let sameServer = Kind(rawValue: "sameServer")
            /// What should be known of a node cannot be learnt, and ``Event/reason`` says what and why. The lock goes
            /// on without it. Told once for each node and matter.
            public static let nodeUnverified = Kind(rawValue: "nodeUnverified")
            /// A release that a node is owed was given up; its key ends with its ttl.
            public static let releaseDropped = Kind(rawValue: "releaseDropped")
            /// The node's user may not publish or subscribe to the channels `redlock:*`: who waits for a release is not
            /// woken by this node. Told once for each node.
            public static let notificationsDenied = Kind(rawValue: "notificationsDenied")
            /// This library has an error: its timer fires again and again and changes nothing; ``Event/reason`` says which
            /// part is due. Locks go on, and timers are up to 10 ms late from here on. Please report it. Once for each
            /// ``Redlock``.
            public static let noProgress = Kind(rawValue: "noProgress")
        }

        /// What happened.
        public let kind: Kind
        /// The resource, in events of a lock.
        public internal(set) var resource: Resource?
        /// The node, in events of a node, and of a repair.
        public internal(set) var node: String?
        /// Votes, where they were counted.
        public internal(set) var votes: [NodeVote] = []
        /// The number of the attempt, from 1; 0 where there is none.
        public internal(set) var attempt = 0
        /// The fencing token of a lease that was acquired, or the number that is offered to the nodes.
        public internal(set) var fencingToken: Int64?
        /// How long something lasts from now on: a validity, or a pause.
        public internal(set) var remaining: Duration?
        /// How long this process did not run, at least, where that explains the event; nil in all other events.
        ///
        /// It was stopped, starved or suspended, or the thread of the coordinator was blocked: by an observer, or by a
        /// task on ``Redlock/taskExecutor``. 50 ms or more. Then ``votes`` has only what nodes said to commands that
        /// were sent after the pause. The others are `pending`.
        public internal(set) var pause: Duration?
        /// Why, in words; empty where there is nothing to say.
        public internal(set) var reason = ""
    }
}

extension Redlock.Event: CustomStringConvertible {
    /// One line for a log.
    public var description: String {
        var parts = [kind.rawValue]
        if let resource { parts.append("'\(resource)'") }
        if let node { parts.append(node) }
        if attempt > 0 { parts.append("attempt \(attempt)") }
        if let fencingToken { parts.append("token \(fencingToken)") }
        if let remaining { parts.append("for \(Int((remaining / .milliseconds(1)).rounded())) ms") }
        if !reason.isEmpty { parts.append(reason) }
        if !votes.isEmpty { parts.append("[" + votes.map(\.description).joined(separator: "; ") + "]") }
        return parts.joined(separator: " ")
    }
}
