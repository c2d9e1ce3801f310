// Fencing numbers on their way through the engine: proposed with the acquire, raised where that was too low.

extension Engine {
    /// The number that an attempt begins with; nil for a lock without fencing.
    mutating func fencingProposal(for request: AcquireRequest, at now: Instant) -> Int64? {
        guard let wallClock = request.wallClock else { return nil }
        let number = policy.rules.fencingProposal(
            wallClock: wallClock.microseconds(at: now), highestSeen: numbers.highest(of: request.key))
        numbers.note(number, of: request.key)
        return number
    }

    /// The vote, or a failed vote where the number that it reports is not plausible.
    mutating func judged(_ vote: Vote, of node: Int, _ lock: LockID, attempt: UInt32) -> Vote {
        guard case .numberTooLow(let reported) = vote, Limits.isNearClocksEnd(reported) else { return vote }
        guard let slot = slot(of: lock) else { return vote }
        return slots[slot].machine!.judged(vote, of: node, attempt: attempt, policy)
    }

    /// Remembers what a node reported, so that the next proposal is above it.
    mutating func noteNumber(_ vote: Vote, _ slot: Int) {
        guard case .numberTooLow(let reported) = vote else { return }
        numbers.note(reported, of: slots[slot].machine!.request.key)
    }

    mutating func offer(_ raise: LockMachine.Raise, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        report(.raised(lock, number: raise.number, nodes: raise.nodes), &turn)
        let request = slots[slot].machine!.request
        let attempt = slots[slot].machine!.attempt
        numbers.note(raise.number, of: request.key)
        let command = Command(.raise(to: raise.number), key: request.key, token: attempt.token)
        let (_, failed) = broadcast(
            command, to: raise.nodes, ballot: .raise(lock, attempt: attempt.number, round: raise.round), &turn)
        for (node, failure) in failed {
            countRaise(.failed(failure), of: node, lock, attempt: attempt.number, round: raise.round, &turn)
        }
    }

    mutating func countRaise(
        _ vote: Vote, of node: Int, _ lock: LockID, attempt: UInt32, round: UInt32, _ turn: inout Turn
    ) {
        let vote = judged(vote, of: node, lock, attempt: attempt)
        report(.vote(lock, node: node, vote), &turn)
        guard let slot = slot(of: lock) else { return }
        noteNumber(vote, slot)
        noteRaise(vote, of: node, slot, attempt: attempt, &turn)
        guard self.slot(of: lock) != nil else { return }
        let step = slots[slot].machine!.countRaise(
            vote, of: node, attempt: attempt, round: round, at: turn.now, using: &turn.generator, policy)
        if let step { carryOut(step, lock, slot, &turn) }
        guardChanged(lock, slot, &turn)
    }
}
