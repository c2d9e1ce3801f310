/// One node's part in one round: an attempt, an extension or a release.
package enum Vote: Hashable, Sendable {
    /// No answer yet.
    case pending
    /// Acquired, extended or deleted, as asked.
    case granted
    /// Our key is set, but the node has this fencing number, which is not lower than the one proposed.
    case numberTooLow(Int64)
    /// The key holds another token.
    case heldByAnother
    /// The key is not there (extension and release only).
    case missing
    /// It was not asked: others of this process hold the resource, or are ahead.
    case notAsked
    /// Nothing that counts came back; whether the command was applied is unknown.
    case failed(Failure)

    /// The node has our key.
    var isOurs: Bool {
        switch self {
        case .granted, .numberTooLow: true
        case .pending, .heldByAnother, .missing, .notAsked, .failed: false
        }
    }

    /// Why a node's vote does not count.
    package enum Failure: Hashable, Sendable {
        /// No answer within the node timeout.
        case timedOut
        /// Not asked: it has left earlier commands unanswered for longer than the node timeout.
        case stalled
        /// Not asked: there is no connection to it, and why.
        case unreachable(String)
        /// The connection ended before the answer came.
        case connectionLost(String)
        /// The node answered with an error.
        case errorReply(String)
        /// The node answered with something that is no answer to the command.
        case protocolViolation(String)
        /// The node reported a fencing number that no clock and no raises explain. It is not adopted.
        case implausibleNumber(Int64)
        /// Not asked: ``Limits/commandsPerNode`` commands are waiting for it already.
        case overloaded
        /// Not asked, or not counted: locks that it granted may be gone without its knowing. Said at this instant.
        indirect case quarantined(Quarantine, at: Instant)
        /// Not asked: it is the same server as this node, which has the server's vote.
        case sameServer(as: Int)
    }
}

/// The count of one round.
package struct Ballot: Sendable {
    package private(set) var votes: [Vote]
    package private(set) var granted = NodeSet()
    /// Nodes that answered, and not with a grant: held by another, or missing.
    package private(set) var refused = NodeSet()
    package private(set) var failed = NodeSet()
    /// Nodes that granted, and did not accept the fencing number.
    package private(set) var tooLow = NodeSet()

    package init(nodes: Int) {
        votes = [Vote](repeating: .pending, count: nodes)
    }

    /// Records a vote. A later word replaces an earlier one: an answer that comes after its time-out is still news.
    mutating func record(_ vote: Vote, of node: Int) {
        votes[node] = vote
        let one = NodeSet(node)
        granted = granted.subtracting(one)
        refused = refused.subtracting(one)
        failed = failed.subtracting(one)
        tooLow = tooLow.subtracting(one)
        switch vote {
        case .pending, .notAsked: break
        case .granted: granted = granted.union(one)
        case .numberTooLow: tooLow = tooLow.union(one)
        case .heldByAnother, .missing: refused = refused.union(one)
        case .failed: failed = failed.union(one)
        }
    }

    /// Nodes whose vote has not come.
    var pendingCount: Int { votes.count - locked.count - refused.count - failed.count }

    /// All have had their say, or their time.
    var isComplete: Bool { pendingCount == 0 }

    /// Nodes that have our key, whatever they say of its number.
    var locked: NodeSet { granted.union(tooLow) }

    func isWon(quorum: Int) -> Bool {
        granted.count >= quorum
    }

    /// So many did not grant that the rest cannot make a quorum: decided without waiting for them.
    func isLost(quorum: Int, withoutNumbers: Bool = false) -> Bool {
        refused.count + failed.count + (withoutNumbers ? tooLow.count : 0) > votes.count - quorum
    }

    /// Too many failed for a quorum, whatever the others say: not contention, an outage.
    func isUnavailable(quorum: Int) -> Bool {
        failed.count > votes.count - quorum
    }
}
