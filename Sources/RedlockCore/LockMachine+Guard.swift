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
    mutating func distrust(_ node: Int, _ vote: Vote, endingBefore end: Instant, _ policy: Policy) -> Loss? {
        guard phase == .held, hold!.guarding.nodes.contains(node), hold!.guarding.keysUntil <= end else { return nil }
        hold!.guarding.nodes.remove(node)
        var votes = lastVotes
        votes[node] = vote
        hold!.laterVotes = votes
        return hold!.guarding.nodes.count < policy.quorum ? lose(.clockJumped) : nil
    }
}
