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
        guard let slot = locks.slot(of: lock) else { return vote }
        return locks[slot].judged(vote, of: node, attempt: attempt, policy)
    }

    /// Remembers what a node reported, so that the next proposal is above it.
    mutating func noteNumber(_ vote: Vote, _ slot: Int) {
        guard case .numberTooLow(let reported) = vote else { return }
        numbers.note(reported, of: locks[slot].request.key)
    }

    mutating func offer(_ raise: Raise, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        report(.raised(lock, number: raise.number, nodes: raise.nodes), &turn)
        let request = locks[slot].request
        guard let attempt = locks[slot].attempt else { return }
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
        guard let slot = locks.slot(of: lock) else { return }
        noteNumber(vote, slot)
        noteRaise(vote, of: node, slot, attempt: attempt, &turn)
        let step = locks[slot].countRaise(
            vote, of: node, attempt: attempt, round: round, at: turn.now, using: &turn.generator, policy)
        if let step { carryOut(step, lock, slot, &turn) }
    }
}
