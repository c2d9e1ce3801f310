// The life of a lease beyond its first ttl: rounds of extensions, won by a quorum or not at all.

extension LockMachine {
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
        switch phase {
        case .held: break
        case .lost(.expired): return .refused(extensionRefusal(.expired))
        case .lost: return .refused(extensionRefusal(.lost))
        case .releasing, .ended: return .refused(extensionRefusal(.released))
        case .queued, .acquiring, .waiting: preconditionFailure("a lock cannot be extended in the phase \(phase)")
        }
        guard policy.rules.mayExtend(validUntil: hold!.validUntil, now: now) else {
            return .refused(extensionRefusal(.expired))
        }
        guard hold!.extending == nil else {
            let queued = hold!.queued
            hold!.queued = QueuedExtension(
                ttl: max(queued?.ttl ?? ttl, ttl), callers: (queued?.callers ?? []) + [caller])
            return .wait
        }
        return beginExtension(ttl: ttl, callers: [caller], at: now, policy)
    }

    mutating func beginExtension(
        ttl: Nanoseconds, callers: [ExtensionID], at now: Instant, _ policy: Policy
    ) -> ExtendStep {
        rounds += 1
        hold!.extending = ExtensionRound(
            number: rounds, start: now, ttl: ttl, ballot: Ballot(nodes: policy.parameters.nodes), callers: callers)
        return .broadcast(round: rounds, ttl: ttl)
    }

    /// As for an attempt: who cannot be asked has had its say before the first is counted.
    mutating func noteNotExtended(_ failed: [(node: Int, failure: Vote.Failure)]) {
        for (node, failure) in failed { hold!.extending!.ballot.record(.failed(failure), of: node) }
    }

    /// Counts a vote of an extension. Won only before the end that the lease had: what lapsed is not brought back.
    mutating func countExtension(
        _ vote: Vote, of node: Int, round: UInt32, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) -> ExtensionOutcome? {
        guard phase == .held else { return nil }
        guard hold!.extending?.number == round else {
            countLateExtension(vote, of: node, round: round, at: now, using: &generator, policy)
            return nil
        }
        hold!.extending!.ballot.record(vote, of: node)
        let current = hold!.extending!
        noteGuard(vote, of: node, round: round, at: now, using: &generator, policy)

        if current.ballot.isWon(quorum: policy.extensionQuorum) {
            hold!.extending = nil
            guard policy.rules.mayExtend(validUntil: hold!.validUntil, now: now) else {
                return failExtension(.expired, of: current, at: now, using: &generator)
            }
            let reached = policy.rules.validUntil(
                start: current.start, decided: now, ttl: current.ttl, drift: policy.drift(of: current.ttl))
            // A shorter ttl than what is left takes nothing away, here as on the nodes.
            hold!.validUntil = min(max(hold!.validUntil, reached), hold!.end)
            hold!.grantedRoundStart = current.start
            hold!.doubt = nil
            hold!.nextExtension = nextExtension(
                after: current.start, end: hold!.end, validUntil: hold!.validUntil)
            guarded(by: current, at: now, using: &generator, policy)
            return .extended(
                validUntil: hold!.validUntil, votes: current.ballot.votes, callers: current.callers)
        }
        if current.ballot.refused.count >= policy.quorum {
            hold!.extending = nil
            keepVotes(of: current)
            return .lost(lose(.taken), callers: current.callers)
        }
        // Not before all have had their say whose "missing" could still turn this into a loss.
        let undecided = current.ballot.pendingCount
        let mayBeTaken = current.ballot.refused.count + undecided >= policy.quorum
        if current.ballot.isLost(quorum: policy.extensionQuorum), undecided == 0 || !mayBeTaken {
            hold!.extending = nil
            if let doubt = hold!.doubt {
                if doubt.isOver {
                    keepVotes(of: current)
                    return .lost(lose(.clockGained), callers: current.callers)
                }
                hold!.doubt = nil
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
        hold!.guarding.isFailing = true
        // Sooner than the regular one, and random: many tries fit between a third of the ttl and its end.
        let pause = request.ttl / 20
        hold!.nextExtension =
            request.extendsItself
            ? now + pause + Nanoseconds(Int64(generator.next() % UInt64(pause.count + 1))) : .distantFuture
        return .failed(ExtensionRefusal(reason: reason, votes: round.ballot.votes), callers: round.callers)
    }

    private mutating func keepVotes(of round: ExtensionRound) {
        hold!.laterVotes = round.ballot.votes
        hold!.lastRound = round.number
        hold!.votesAskedAt = round.start
    }

    /// What the nodes said when the lease was last in question: of the last extension that failed, else of the attempt.
    /// Answers that come after the decision are in it, so that a loss that follows names them.
    var lastVotes: [Vote] { hold?.laterVotes ?? attempt.ballot.votes }

    /// What the nodes said to commands that were sent at this instant or later; pending where there was none.
    func votes(on instant: Instant) -> [Vote] {
        if let round = hold?.extending, round.start >= instant { return round.ballot.votes }
        let votes = lastVotes
        let askedAt = hold?.votesAskedAt ?? attempt.askedAt
        return askedAt >= instant ? votes : [Vote](repeating: .pending, count: votes.count)
    }

    /// An answer that came after the decision: evidence for what the holder may be told later, and no more than that.
    mutating func noteLastVote(_ vote: Vote, of node: Int, round: UInt32) {
        if round == hold!.lastRound, hold!.laterVotes != nil { hold!.laterVotes![node] = vote }
    }

    /// The extension that was asked for while another was under way, if any.
    mutating func beginQueuedExtension(at now: Instant, _ policy: Policy) -> ExtendStep? {
        guard phase == .held, hold!.extending == nil, let queued = hold!.queued else { return nil }
        hold!.queued = nil
        return beginExtension(ttl: queued.ttl, callers: queued.callers, at: now, policy)
    }

    /// Callers of extensions that will not be decided any more.
    mutating func takeExtensionCallers() -> [ExtensionID] {
        // As a rule there are none. By `?.` the accessors of a hold allocate, for each release.
        guard hold != nil, hold!.extending != nil || hold!.queued != nil else { return [] }
        let callers = (hold!.extending?.callers ?? []) + (hold!.queued?.callers ?? [])
        hold!.extending = nil
        hold!.queued = nil
        return callers
    }

    func extensionRefusal(_ reason: ExtensionRefusal.Reason) -> ExtensionRefusal {
        ExtensionRefusal(reason: reason, votes: lastVotes)
    }

    /// When the lease is to be extended by itself; not while an extension is under way.
    var extensionDeadline: Instant { hold!.extending == nil ? hold!.nextExtension : .distantFuture }

    /// A third of the ttl after the last one began; none once validity reaches the maximum hold.
    func nextExtension(after start: Instant, end: Instant, validUntil: Instant) -> Instant {
        request.extendsItself && validUntil < end ? start + request.ttl / 3 : .distantFuture
    }
}
