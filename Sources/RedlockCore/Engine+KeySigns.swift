// Keys of ours that are gone before their time: how a clock is found that went forward and back between two looks.
//
// A node's clock that goes forward ends keys; when it is back, no look shows that it was away. The keys do: whoever asks
// for one that should be there learns of it. So does the holder whose key was evicted or flushed, which is as bad.

extension Engine {
    /// What an answer says of a key of ours.
    enum KeySign: Hashable, Sendable {
        case present
        /// It was to last for so long still, on a clock within the drift.
        case gone(early: Nanoseconds)
    }

    /// What a node's answer to an extension or a release says of our key; nil if that is nothing new.
    ///
    /// A node that was restarted since it granted is no case of this: the quarantine is about that.
    func keySign(_ vote: Vote, of node: Int, _ slot: Int, at now: Instant) -> KeySign? {
        guard policy.rules.countsKeysGone(), policy.parameters.guardsClocks,
            let hold = locks[slot].hold
        else { return nil }
        switch vote {
        case .granted:
            return .present
        case .missing, .heldByAnother:
            guard let early = hold.value.keyLeft(on: node, at: now, policy),
                sessions[node].clock.isSameRun(as: hold.value.guarding.wonAt)
            else { return nil }
            return .gone(early: early)
        case .pending, .notAsked, .numberTooLow, .failed:
            return nil
        }
    }

    /// The same of a release. A node that deleted the key, as nodes do, matters only if another did not have it.
    func keySign(ofRelease vote: Vote, _ node: Int, _ slot: Int, at now: Instant) -> KeySign? {
        guard let hold = locks[slot].hold else { return nil }
        if vote == .granted, hold.value.keyAnswers.gone.isEmpty { return nil }
        return keySign(vote, of: node, slot, at: now)
    }

    /// What a vote on an attempt says of the key of a lease of this process that was lost and is not released: a node
    /// that grants does not have it any more, nor does a node whose key lives on for longer than ours can. Returns the
    /// vote as it counts.
    mutating func noteSuccessor(
        _ vote: Vote, of node: Int, _ slot: Int, number: UInt32, remaining: Nanoseconds?, _ turn: inout Turn
    ) -> Vote {
        guard !lostSlots.isEmpty, policy.rules.countsKeysGone(), policy.parameters.guardsClocks else { return vote }
        let askedAt = locks[slot].attempt?.askedAt ?? turn.now
        for lost in lostSlots where lost != slot && locks.contention(of: lost) == locks.contention(of: slot) {
            // Of a lease whose keys are gone on a quorum more is known than one node says.
            guard case .lost(let hold, let reason) = locks[lost].state, reason != .taken,
                let early = hold.value.keyLeft(on: node, at: turn.now, policy),
                sessions[node].clock.isSameRun(as: hold.value.guarding.wonAt)
            else { continue }
            let guarding = hold.value.guarding
            let latestEnd = guarding.keysUntil + policy.drift(of: guarding.ttl) + policy.parameters.nodeTimeout
            let sign: KeySign
            switch vote {
            case .granted, .numberTooLow: sign = .gone(early: early)
            case .heldByAnother:
                guard let remaining, remaining < .forever else { continue }
                sign = askedAt + remaining > latestEnd ? .gone(early: early) : .present
            case .pending, .notAsked, .missing, .failed: continue
            }
            noteKey(sign, of: node, locks.lock(in: lost), round: Hold.KeyAnswers.successor(attempt: number), &turn)
        }
        guard vote.isOurs, let failure = sessions[node].quarantineFailure(at: turn.now) else { return vote }
        return .failed(failure)
    }

    /// A node that granted an attempt a moment ago does not have the key any more, when it is offered a fencing number.
    mutating func noteRaise(_ vote: Vote, of node: Int, _ slot: Int, attempt number: UInt32, _ turn: inout Turn) {
        guard vote == .missing || vote == .heldByAnother, policy.rules.countsKeysGone(),
            policy.parameters.guardsClocks, case .acquiring(let box) = locks[slot].state, box.value.number == number
        else { return }
        let ttl = locks[slot].request.ttl
        let attempt = box.value
        let early = attempt.start + (ttl - policy.drift(of: ttl)) - turn.now
        // As everywhere here: if no other node has it, somebody deleted it.
        guard early > .zero, attempt.owners.contains(node), attempt.owners.count > 1,
            sessions[node].clock.isSameRun(as: attempt.askedAt)
        else { return }
        noteKeysGone(on: node, early: early, &turn)
    }

    /// Draws the conclusions: for the lease whose key is gone at once, for all others when the node alone lost it.
    mutating func noteKey(_ sign: KeySign, of node: Int, _ lock: LockID, round: UInt32, _ turn: inout Turn) {
        guard let slot = locks.slot(of: lock) else { return }
        if case .gone = sign, let loss = locks[slot].loseIfUnguarded(policy) {
            tellLoss(loss, lock, slot, &turn)
        }
        let gone = locks[slot].noteKey(sign, on: node, round: round)
        for node in gone { noteKeysGone(on: node, early: locks[slot].hold?.value.keyAnswers.early ?? .zero, &turn) }
    }

    /// The node is treated as after a jump of its clock. How far the clock went is not known, so no key that was set
    /// before is sure, and the last of them ends after the longest ttl.
    mutating func noteKeysGone(on node: Int, early: Nanoseconds, _ turn: inout Turn) {
        let end = turn.now + policy.parameters.longestTTL
        let quarantine = Quarantine(.keyGone(early: early), since: turn.now, until: end)
        if sessions[node].memory.extendQuarantine(quarantine, at: turn.now) {
            report(.quarantined(node: node, quarantine), &turn)
        }
        distrust(node, quarantine, .keyGone, &turn)
    }

    /// A server was greeted. Returns the quarantine if its uptime shows that its clock was set back since its start.
    mutating func noteServer(_ node: Int, _ greeting: Greeting, at now: Instant) -> Quarantine? {
        guard sessions[node].clock.met(greeting, at: now), policy.parameters.guardsClocks else { return nil }
        let quarantine = Quarantine(.clockSetBack, since: now, until: now + policy.parameters.longestTTL)
        return sessions[node].memory.extendQuarantine(quarantine, at: now) ? quarantine : nil
    }
}
