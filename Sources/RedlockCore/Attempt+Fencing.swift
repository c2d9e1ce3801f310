// How an attempt comes to its fencing token.
//
// The acquire itself proposes a number. A node that grants either accepts it or says which higher one it has. If a
// quorum granted and not all of it accepted, one above the highest is offered to those who granted: a raise. Granted is
// only what a quorum accepted under one and the same number.

/// A number to offer to nodes that have our key.
struct Raise: Hashable, Sendable {
    var number: Int64
    /// Counts the raises of an attempt, from one.
    var round: UInt32
    var nodes: NodeSet
}

/// What an attempt has proposed, and heard.
struct Fencing: Sendable {
    /// What is proposed now; acceptances of an earlier number do not count.
    var number: Int64
    var raises: UInt32 = 0
    var highestReported: Int64 = 0
    /// Nodes that have our key, as far as they told.
    var owned = NodeSet()
    /// What nodes reported that no clock can have proposed, and what is so near that it may confirm it.
    var beyondClocks: [(node: Int, number: Int64)] = []

    init(proposing number: Int64) {
        self.number = number
    }
}

extension Attempt {
    /// Makes a failed vote of a number that is not plausible. Nothing else of that vote counts.
    ///
    /// A number that more nodes confirm later becomes plausible then: ``heard(_:of:_:)`` corrects the earlier votes.
    mutating func judged(_ vote: Vote, of node: Int, _ policy: Policy) -> Vote {
        guard case .numberTooLow(let reported) = vote, Limits.isNearClocksEnd(reported), fencing != nil else {
            return vote
        }
        fencing!.beyondClocks.removeAll { $0.node == node }
        fencing!.beyondClocks.append((node, reported))
        return isPlausible(reported, policy) ? vote : .failed(.implausibleNumber(reported))
    }

    private func isPlausible(_ number: Int64, _ policy: Policy) -> Bool {
        let witnesses = fencing!.beyondClocks.count { $0.number >= number - Limits.fencingNumbersMissed }
        return policy.rules.isPlausible(
            number: number, proposed: fencing!.number, witnesses: witnesses,
            spare: policy.parameters.nodes - policy.quorum)
    }

    /// Counts what nodes reported before others confirmed it.
    private mutating func correctDoubts(_ policy: Policy) {
        for (node, number) in fencing!.beyondClocks {
            guard ballot.votes[node] == .failed(.implausibleNumber(number)), isPlausible(number, policy) else {
                continue
            }
            fencing!.owned.insert(node)
            fencing!.highestReported = max(fencing!.highestReported, number)
            ballot.record(.numberTooLow(number), of: node)
        }
    }

    /// Takes what a node says of its number out of its vote, and returns what there is to count.
    mutating func heard(_ vote: Vote, of node: Int, _ policy: Policy) -> Vote {
        guard fencing != nil else { return vote }
        switch vote {
        case .granted:
            fencing!.owned.insert(node)
        case .numberTooLow(let reported):
            fencing!.owned.insert(node)
            fencing!.highestReported = max(fencing!.highestReported, reported)
            if Limits.isNearClocksEnd(reported) { correctDoubts(policy) }
            if policy.rules.isAcceptance(reported: reported, proposed: fencing!.number) { return .granted }
        case .heldByAnother, .missing:
            fencing!.owned.remove(node)
        case .failed(.quarantined), .failed(.implausibleNumber):
            // It said so, and its word is worth nothing.
            fencing!.owned.remove(node)
        case .pending, .notAsked, .failed:
            break
        }
        return vote
    }

    /// The next number to offer: once a quorum has our key, and not all of it accepted. It does not wait for the
    /// others: a silent minority costs nothing here either.
    mutating func nextRaise(_ policy: Policy) -> Raise? {
        guard let current = fencing, current.mayRaise, !ballot.tooLow.isEmpty, ballot.locked.count >= policy.quorum
        else { return nil }
        fencing!.raises += 1
        fencing!.number = max(current.highestReported, current.number) + 1
        return offer(to: current.owned.subtracting(ballot.failed))
    }

    /// A grant of the acquire that comes when the number has been raised already: the node is offered that too.
    mutating func lateOffer(to node: Int) -> Raise? {
        guard let fencing, fencing.raises > 0 else { return nil }
        switch ballot.votes[node] {
        case .granted: break
        case .numberTooLow(let reported) where reported < fencing.number: break
        case .pending, .notAsked, .numberTooLow, .heldByAnother, .missing, .failed: return nil
        }
        return offer(to: NodeSet(node))
    }

    private mutating func offer(to nodes: NodeSet) -> Raise {
        for node in nodes { ballot.record(.pending, of: node) }
        return Raise(number: fencing!.number, round: fencing!.raises, nodes: nodes)
    }
}

extension Fencing {
    var mayRaise: Bool {
        raises < Limits.fencingRaises && max(highestReported, number) < Limits.fencingNumber
    }
}
