/// One try at all nodes.
struct Attempt: Sendable {
    /// Counts from one.
    var number: UInt32
    var token: Token
    var start: Instant
    var ballot: Ballot
    /// When nodes were asked: the first one, and then the others.
    var askedAt = Instant(nanoseconds: 0)
    /// The nodes that the SET was, or is still to be, sent to.
    var asked = NodeSet()
    /// Nodes that are asked only if the one that is asked first grants.
    var heldBack = NodeSet()
    /// Nil for a lock without fencing.
    var fencing: Fencing?
}

// MARK: - Votes

extension Attempt {
    /// What the votes so far come to.
    enum Step: Hashable, Sendable {
        /// A quorum granted.
        case won
        case refused(Refusal.Reason)
        /// Ask these nodes too.
        case ask(NodeSet)
        /// Offer a higher fencing number.
        case raise(Raise)
    }

    /// Counts a vote, and decides as soon as the others cannot change the outcome.
    mutating func count(_ vote: Vote, of node: Int, at now: Instant, _ policy: Policy) -> Step? {
        let vote = record(vote, of: node, policy)
        if !heldBack.isEmpty { return hearArbiter(vote, at: now) }
        if let raise = lateOffer(to: node) { return .raise(raise) }
        return decide(policy)
    }

    /// Counts what a node said to the last raise.
    mutating func countRaise(_ vote: Vote, of node: Int, _ policy: Policy) -> Step? {
        _ = record(vote, of: node, policy)
        return decide(policy)
    }

    /// Returns the vote as it counts.
    mutating func record(_ vote: Vote, of node: Int, _ policy: Policy) -> Vote {
        let vote = heard(vote, of: node, policy)
        ballot.record(vote, of: node)
        return vote
    }

    private mutating func decide(_ policy: Policy) -> Step? {
        if isWon(policy) { return .won }
        if isLost(policy) {
            return .refused(ballot.isUnavailable(quorum: policy.quorum) ? .unavailable : .heldByAnother)
        }
        return nextRaise(policy).map { .raise($0) }
    }

    /// What the node says that was asked first. A refusal is the end of the attempt: another was faster. Where nothing
    /// comes back it decides nothing, and the others are asked as if it had not been.
    private mutating func hearArbiter(_ vote: Vote, at now: Instant) -> Step {
        let rest = heldBack
        heldBack = NodeSet()
        askedAt = now
        guard vote != .heldByAnother else {
            // It has no key of ours, and nobody else was asked.
            asked = NodeSet()
            return .refused(.heldByAnother)
        }
        for node in rest { ballot.record(.pending, of: node) }
        return .ask(rest)
    }
}

extension Attempt {
    /// What the nodes said to commands that were sent at this instant or later; pending where there was none.
    func votes(on instant: Instant) -> [Vote] {
        askedAt >= instant ? ballot.votes : [Vote](repeating: .pending, count: ballot.votes.count)
    }
}

// MARK: - The quorum

extension Attempt {
    /// Nodes that have our key, as far as they told; also such as have not answered a raise.
    var owners: NodeSet { fencing?.owned ?? ballot.granted }

    /// A quorum granted; and accepted the number, if there is one.
    func isWon(_ policy: Policy) -> Bool {
        guard fencing != nil else { return ballot.isWon(quorum: policy.quorum) }
        return ballot.locked.count >= policy.quorum && ballot.granted.count >= policy.acceptanceQuorum
    }

    /// So many did not grant that the rest cannot make a quorum; or did not accept, and no raise is left.
    func isLost(_ policy: Policy) -> Bool {
        if ballot.isLost(quorum: policy.quorum) { return true }
        guard let fencing, !fencing.mayRaise else { return false }
        return ballot.isLost(quorum: policy.quorum, withoutNumbers: true)
    }
}

// MARK: - Validity

extension AcquireRequest {
    /// Until when a lease may be relied on that an attempt wins which began at `start`. No longer than it may be held: an
    /// attempt that took all of that has nothing left to grant.
    func validUntil(start: Instant, decided: Instant, _ policy: Policy) -> Instant {
        min(
            policy.rules.validUntil(start: start, decided: decided, ttl: ttl, drift: policy.drift(of: ttl)),
            end(from: start))
    }

    /// Where the maximum hold of such a lease is over.
    func end(from start: Instant) -> Instant {
        maximumHold.map { start + $0 } ?? .distantFuture
    }
}
