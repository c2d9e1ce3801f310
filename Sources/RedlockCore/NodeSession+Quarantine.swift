// What a node in quarantine is asked all the same, and when its clock is read.

extension NodeSession {
    /// A lock must not rest on a node that may have forgotten another: it is not asked for one. Extensions are sent,
    /// and their grants are not counted. They only ever make a key of ours last longer, and one that is there still
    /// guards the lease again when the quarantine is over; where it is gone, the holder has to know. Releases are sent
    /// and counted: they delete nothing but our own.
    ///
    /// A node that lost a key of ours is given it again, so that no other client gets it there. That does not count either.
    static func isSent(_ command: Command, in quarantine: Vote.Failure) -> Bool {
        if case .repair = command.operation, case .quarantined(let quarantine, _) = quarantine,
            case .keyGone = quarantine.reason
        {
            return true
        }
        return command.isExtension
    }

    /// The vote of a node in quarantine; nil when its vote counts.
    func quarantineFailure(at now: Instant) -> Vote.Failure? {
        memory.quarantine(at: now).map { .quarantined($0, at: now) }
    }

    /// When the node's clock is to be read while a lease is held. A node that is silent is asked nothing.
    func sampleDeadline(_ policy: Policy) -> Instant {
        guard case .ready = phase, policy.parameters.guardsClocks, !isStalled,
            waitingCount < Limits.commandsPerNode
        else { return .distantFuture }
        return clock.due
    }

    /// When the server is to be asked again what it is while a lease is held.
    func lookDeadline(_ policy: Policy) -> Instant {
        guard case .ready = phase, !isStalled, waitingCount < Limits.commandsPerNode else { return .distantFuture }
        return lookDue
    }

    /// To be called before anything that counts is sent, so that a role that changed is known before the vote.
    mutating func lookIfDue(at now: Instant, _ policy: Policy) -> Command? {
        guard lookDue <= now, lookDeadline(policy) <= now else { return nil }
        return beginLook(at: now, deadline: now + policy.parameters.nodeTimeout)
    }

    /// To be called before anything that counts is sent, so that a clock that jumped is known before the vote. An
    /// extension is never sent without a look at the clock; extensions that are sent together share one.
    mutating func sampleIfDue(before command: Command? = nil, at now: Instant, _ policy: Policy) -> Command? {
        let due = sampleDeadline(policy)
        let isWanted = command?.isExtension == true && due < .distantFuture && clock.lastSample != now
        guard due <= now || isWanted else { return nil }
        return beginSample(at: now, deadline: now + policy.parameters.nodeTimeout)
    }
}
