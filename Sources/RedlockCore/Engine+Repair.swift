// The way of a repair through the engine, and what the holder is told of what guards its lease.

extension Engine {
    mutating func carryOut(_ repair: LockMachine.Repair, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        let machine = slots[slot].machine!
        let command = Command(
            .repair(milliseconds: repair.milliseconds), key: machine.request.key, token: machine.attempt.token)
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
        slots[slot].machine!.noteRepaired(sent)
        turn.directives.append(.broadcast(command, to: sent, round: round, awaiting: sent))
    }

    mutating func countRepair(_ vote: Vote, of node: Int, _ lock: LockID, round: UInt32, _ turn: inout Turn) {
        guard let slot = slot(of: lock) else { return }
        if let extending = slots[slot].machine!.hold?.extending, policy.rules.repairIsVote() {
            return countExtension(vote, of: node, lock, round: extending.number, &turn)
        }
        let isGuard = slots[slot].machine!.countRepair(
            vote, of: node, round: round, at: turn.now, using: &turn.generator, policy)
        if isGuard { report(.repaired(lock, node: node), &turn) }
        guardChanged(lock, slot, &turn)
    }

    /// To be called when nodes may have begun or ceased to guard a lease: the holder may have to know, and there may be
    /// something to repair.
    mutating func guardChanged(_ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        guard slots[slot].machine != nil, slots[slot].machine!.phase == .held else { return }
        switch slots[slot].machine!.noteRisk(at: turn.now, policy) {
        case .atRisk(var risk):
            explain(&risk, slot)
            report(.atRisk(lock, risk), &turn)
            turn.directives.append(.answer(.atRisk(lock, risk)))
        case .recovered(let validUntil):
            report(.recovered(lock, validUntil: validUntil), &turn)
            turn.directives.append(.answer(.recovered(lock, validUntil: validUntil)))
        case nil:
            break
        }
        settle(slot)
    }
}
