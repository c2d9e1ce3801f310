// The way of a repair through the engine, and what the holder is told of what guards its lease.

extension Engine {
    mutating func carryOut(_ repair: Hold.Repair, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        guard let attempt = locks[slot].attempt else { return }
        let command = Command(
            .repair(milliseconds: repair.milliseconds), key: locks[slot].request.key, token: attempt.token)
        let round = newRound()
        var sent = NodeSet()
        for node in repair.nodes {
            let ballot = NodeSession.Ballot.repair(lock, round: repair.round)
            if sessions[node].submitRepair(command, ballot: ballot, round: round, at: turn.now, policy) == .send {
                sent.insert(node)
            }
        }
        guard !sent.isEmpty else { return }
        // Before anything can come back: the release goes to them too.
        locks[slot].noteRepaired(sent)
        turn.directives.append(.broadcast(command, to: sent, round: round, awaiting: sent))
    }

    mutating func countRepair(_ vote: Vote, of node: Int, _ lock: LockID, round: UInt32, _ turn: inout Turn) {
        guard let slot = locks.slot(of: lock) else { return }
        if let extending = locks[slot].hold?.value.extending, policy.rules.repairIsVote() {
            return countExtension(vote, of: node, lock, round: extending.number, &turn)
        }
        let isGuard = locks[slot].countRepair(
            vote, of: node, round: round, at: turn.now, using: &turn.generator, policy)
        if isGuard { report(.repaired(lock, node: node), &turn) }
    }

    /// What the holder is told of what guards its lease.
    mutating func tell(_ news: RiskNews, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        switch news {
        case .atRisk(var risk):
            explain(&risk, slot)
            report(.atRisk(lock, risk), &turn)
            turn.directives.append(.answer(.atRisk(lock, risk)))
        case .recovered(let validUntil):
            report(.recovered(lock, validUntil: validUntil), &turn)
            turn.directives.append(.answer(.recovered(lock, validUntil: validUntil)))
        }
    }
}
