// The life of a lease beyond its first ttl: rounds of extensions, won by a quorum or not at all.

extension Hold {
    enum ExtendStep: Hashable, Sendable {
        /// Ask all nodes.
        case broadcast(round: UInt32, ttl: Nanoseconds)
        /// It joined the round that follows the one under way.
        case wait
        case refused(ExtensionRefusal)
    }

    enum ExtensionOutcome: Hashable, Sendable {
        case extended(validUntil: Instant, votes: [Vote], callers: [ExtensionID])
        case failed(ExtensionRefusal, callers: [ExtensionID])
        /// A quorum of nodes says that the key is not ours any more: there is nothing left to extend.
        case lost(Loss, callers: [ExtensionID])
    }

    /// A caller wants the lease extended so that it is valid for `ttl` from now.
    mutating func extend(
        _ caller: ExtensionID, ttl: Nanoseconds, at now: Instant, _ policy: Policy
    ) -> ExtendStep {
        guard policy.rules.mayExtend(validUntil: validUntil, now: now) else {
            return .refused(refusal(.expired))
        }
        guard extending == nil else {
            queued = QueuedExtension(
                ttl: max(queued?.ttl ?? ttl, ttl), callers: (queued?.callers ?? []) + [caller])
            return .wait
        }
        return beginExtension(ttl: ttl, callers: [caller], at: now, policy)
    }

    mutating func beginExtension(
        ttl: Nanoseconds, callers: [ExtensionID], at now: Instant, _ policy: Policy
    ) -> ExtendStep {
        rounds += 1
        extending = ExtensionRound(
            number: rounds, start: now, ttl: ttl, ballot: Ballot(nodes: policy.parameters.nodes), callers: callers)
        return .broadcast(round: rounds, ttl: ttl)
    }

    /// As for an attempt: who cannot be asked has had its say before the first is counted.
    mutating func noteNotExtended(_ failed: [(node: Int, failure: Vote.Failure)]) {
        for (node, failure) in failed { extending?.ballot.record(.failed(failure), of: node) }
    }

    /// Counts a vote of an extension. Won only before the end that the lease had: what lapsed is not brought back.
    mutating func countExtension(
        _ vote: Vote, of node: Int, round: UInt32, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) -> ExtensionOutcome? {
        guard extending?.number == round else {
            countLateExtension(vote, of: node, round: round, at: now, using: &generator, policy)
            return nil
        }
        extending?.ballot.record(vote, of: node)
        guard let current = extending else { return nil }
        noteGuard(vote, of: node, round: round, at: now, using: &generator, policy)

        if current.ballot.isWon(quorum: policy.extensionQuorum) {
            extending = nil
            guard policy.rules.mayExtend(validUntil: validUntil, now: now) else {
                return failExtension(.expired, of: current, at: now, using: &generator)
            }
            let reached = policy.rules.validUntil(
                start: current.start, decided: now, ttl: current.ttl, drift: policy.drift(of: current.ttl))
            // A shorter ttl than what is left takes nothing away, here as on the nodes.
            validUntil = min(max(validUntil, reached), end)
            grantedRoundStart = current.start
            doubt = nil
            nextExtension = regularExtension(after: current.start)
            guarded(by: current, at: now, using: &generator, policy)
            return .extended(
                validUntil: validUntil, votes: current.ballot.votes, callers: current.callers)
        }
        if current.ballot.refused.count >= policy.quorum {
            extending = nil
            keepVotes(of: current)
            return .lost(loss(.taken), callers: current.callers)
        }
        // Not before all have had their say whose "missing" could still turn this into a loss.
        let undecided = current.ballot.pendingCount
        let mayBeTaken = current.ballot.refused.count + undecided >= policy.quorum
        if current.ballot.isLost(quorum: policy.extensionQuorum), undecided == 0 || !mayBeTaken {
            extending = nil
            if let doubt {
                if doubt.isOver {
                    keepVotes(of: current)
                    return .lost(loss(.clockGained), callers: current.callers)
                }
                self.doubt = nil
            }
            return failExtension(.notExtended, of: current, at: now, using: &generator)
        }
        return nil
    }

    private mutating func failExtension(
        _ reason: ExtensionRefusal.Reason, of round: ExtensionRound, at now: Instant,
        using generator: inout any RandomNumberGenerator
    ) -> ExtensionOutcome {
        keepVotes(of: round)
        guarding.isFailing = true
        // Sooner than the regular one, and random: many tries fit between a third of the ttl and its end.
        let pause = request.ttl / 20
        nextExtension =
            request.extendsItself
            ? now + pause + Nanoseconds(Int64(generator.next() % UInt64(pause.count + 1))) : .distantFuture
        return .failed(ExtensionRefusal(reason: reason, votes: round.ballot.votes), callers: round.callers)
    }

    private mutating func keepVotes(of round: ExtensionRound) {
        laterVotes = round.ballot.votes
        lastRound = round.number
        votesAskedAt = round.start
    }

    /// What the nodes said to commands that were sent at this instant or later; pending where there was none.
    func votes(on instant: Instant) -> [Vote] {
        if let round = extending, round.start >= instant { return round.ballot.votes }
        let votes = lastVotes
        return votesAskedAt >= instant ? votes : [Vote](repeating: .pending, count: votes.count)
    }

    /// The extension that was asked for while another was under way, if any.
    mutating func beginQueuedExtension(at now: Instant, _ policy: Policy) -> ExtendStep? {
        guard extending == nil, let queued else { return nil }
        self.queued = nil
        return beginExtension(ttl: queued.ttl, callers: queued.callers, at: now, policy)
    }

    var hasCallers: Bool { extending != nil || queued != nil }

    /// Callers of extensions that will not be decided any more.
    mutating func takeExtensionCallers() -> [ExtensionID] {
        let callers = (extending?.callers ?? []) + (queued?.callers ?? [])
        extending = nil
        queued = nil
        return callers
    }

    func refusal(_ reason: ExtensionRefusal.Reason) -> ExtensionRefusal {
        ExtensionRefusal(reason: reason, votes: lastVotes)
    }

    /// When the lease is to be extended by itself; not while an extension is under way.
    var extensionDeadline: Instant { extending == nil ? nextExtension : .distantFuture }

    /// A third of the ttl after the last one began; none once validity reaches the maximum hold.
    func regularExtension(after start: Instant) -> Instant {
        request.extendsItself && validUntil < end ? start + request.ttl / 3 : .distantFuture
    }
}

// MARK: - Time that may have passed unseen

extension Hold {
    /// Time that may have passed unseen since a quorum last granted.
    struct Doubt: Sendable {
        var gain: Nanoseconds
        /// With that time, the validity is over.
        var isOver: Bool
    }

    /// So much time may have passed beyond what the boot clock says. Begins an extension, which answers whether the lease
    /// is still held. A round that began before says nothing about the time after, so the new one replaces it.
    mutating func doubt(gain: Nanoseconds, at now: Instant, _ policy: Policy) -> ExtendStep? {
        guard policy.rules.mayExtend(validUntil: validUntil, now: now) else { return nil }
        let known = doubt
        let isOver = known?.isOver == true || validUntil - now <= gain
        doubt = Doubt(gain: (known?.gain ?? .zero) + gain, isOver: isOver)
        if !isOver { validUntil = validUntil - gain }
        let wanted = max(extending?.ttl ?? .zero, queued?.ttl ?? .zero)
        // No key is to end earlier than it was to: then what is won is not less than what was.
        let ttl = max(guarding.keysUntil - now, wanted, request.extendsItself ? request.ttl : .zero)
        return beginExtension(ttl: ttl, callers: takeExtensionCallers(), at: now, policy)
    }

    /// Until when the holder may rely on a lease in doubt.
    func validUntilInDoubt(at now: Instant) -> Instant {
        doubt?.isOver == true ? now : validUntil
    }
}
