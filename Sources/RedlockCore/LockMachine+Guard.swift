// Nodes that a lease rests on, and whose word turns out to be worth nothing: their clocks were set forward.

extension LockMachine {
    /// The attempt that is being voted on, if the node granted it a key that was to end before this instant.
    func attemptResting(on node: Int, endingBefore end: Instant) -> UInt32? {
        guard phase == .acquiring, attempt.ballot.locked.contains(node), attempt.start + request.ttl <= end else {
            return nil
        }
        return attempt.number
    }

    /// The extension that is being voted on, if the node granted it.
    func extensionResting(on node: Int) -> UInt32? {
        guard phase == .held, let round = hold?.extending, round.ballot.granted.contains(node) else { return nil }
        return round.number
    }

    /// The node's keys that were to end before this instant may end too early. If the lease is left without a quorum,
    /// another may have the lock at any moment: it is lost.
    mutating func distrust(
        _ node: Int, _ vote: Vote, endingBefore end: Instant, _ reason: Loss.Reason, _ policy: Policy
    ) -> Loss? {
        guard phase == .held, hold!.guarding.nodes.contains(node), hold!.guarding.keysUntil <= end else { return nil }
        hold!.guarding.nodes.remove(node)
        var votes = lastVotes
        votes[node] = vote
        hold!.laterVotes = votes
        return hold!.guarding.nodes.count < policy.quorum ? lose(reason) : nil
    }
}

// MARK: - Keys that are gone before their time

extension LockMachine {
    /// Which nodes have our key, and which lost it before its time, by their answers in one round.
    struct KeyAnswers: Sendable {
        /// The release counts as a round of its own, and so does each attempt of a successor.
        static let release = UInt32.max
        static func successor(attempt: UInt32) -> UInt32 { 1 << 31 | attempt }

        var round: UInt32 = 0
        var present = NodeSet()
        var gone = NodeSet()
        /// How long the key of the last of these must still have lasted.
        var early = Nanoseconds.zero
    }

    /// How long the key of a node that guards the lease must still last on a clock within the drift; nil if it may be
    /// over, or if the node was not known to have it.
    func keyLeft(on node: Int, at now: Instant, _ policy: Policy) -> Nanoseconds? {
        guard hasBegun, let guarding = hold?.guarding, guarding.nodes.contains(node) else { return nil }
        let left = guarding.keysUntil - policy.drift(of: guarding.ttl) - now
        return left > .zero ? left : nil
    }

    /// Notes that a node has, or does not have, our key. Returns the nodes that lost it while another node has it.
    ///
    /// If no node has it any more, somebody deleted it, as an operator does who takes a lock away: nothing is wrong with
    /// the nodes.
    mutating func noteKey(_ sign: Engine.KeySign, on node: Int, round: UInt32) -> NodeSet {
        if hold!.keyAnswers.round != round { hold!.keyAnswers = KeyAnswers(round: round) }
        switch sign {
        case .present: hold!.keyAnswers.present.insert(node)
        case .gone(let early):
            hold!.keyAnswers.gone.insert(node)
            hold!.keyAnswers.early = early
        }
        if round == KeyAnswers.release { hold!.keyAnswers.present = deleted }
        guard !hold!.keyAnswers.present.isEmpty else { return NodeSet() }
        defer { hold!.keyAnswers.gone = NodeSet() }
        return hold!.keyAnswers.gone
    }

    /// A node lost the key before its time. If the lease is left without a quorum, another may have the lock at any
    /// moment: it is lost.
    mutating func loseIfUnguarded(_ policy: Policy) -> Loss? {
        guard phase == .held, hold!.guarding.nodes.count < policy.quorum else { return nil }
        return lose(.keyGone)
    }
}
