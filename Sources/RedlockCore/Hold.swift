/// A lease: what there is to know from the grant until its release is over.
struct Hold: Sendable {
    let request: AcquireRequest
    /// The attempt that won it.
    var attempt: Attempt
    var validUntil: Instant
    /// Validity never goes beyond this: the maximum hold.
    let end: Instant
    var nextExtension: Instant
    /// When the last round began that a quorum granted.
    var grantedRoundStart: Instant
    /// When the nodes were asked for ``Hold/lastVotes``.
    var votesAskedAt: Instant
    /// What the nodes said when the lease was last in question, if that was after the attempt:
    /// ``Hold/lastVotes``.
    var laterVotes: [Vote]?
    /// The round of the last votes; 0 is the attempt.
    var lastRound: UInt32 = 0
    var guarding: Guard
    var keyAnswers = KeyAnswers()
    /// Until an extension is won that began after it.
    var doubt: Doubt?
    var extending: ExtensionRound?
    var queued: QueuedExtension?
    /// Counts the rounds of extensions.
    var rounds: UInt32 = 0

    init(_ attempt: Attempt, _ request: AcquireRequest, wonAt: Instant, _ policy: Policy) {
        self.request = request
        self.attempt = attempt
        validUntil = request.validUntil(start: attempt.start, decided: wonAt, policy)
        end = request.end(from: attempt.start)
        nextExtension = .distantFuture
        grantedRoundStart = attempt.start
        votesAskedAt = attempt.askedAt
        guarding = Guard(
            nodes: attempt.owners, keysUntil: attempt.start + request.ttl, ttl: request.ttl, wonAt: wonAt)
        nextExtension = regularExtension(after: attempt.start)
    }

    func grant(_ policy: Policy) -> Grant {
        Grant(
            validUntil: validUntil, attempts: Int(attempt.number), votes: attempt.ballot.votes,
            fencingToken: attempt.fencing.map {
                policy.rules.fencingToken(accepted: $0.number, highestReported: $0.highestReported)
            })
    }
}

// MARK: - Its end

extension Hold {
    /// When the holder's machine wants to be called, while it is held.
    func deadline(_ policy: Policy) -> Instant {
        min(
            lossInstant(policy), extensionDeadline, repairDeadline(isHeld: true, policy), riskDeadline(policy))
    }
}

extension Hold {
    func loss(_ reason: Loss.Reason) -> Loss {
        var loss = Loss(reason: reason, validUntil: validUntil, votes: lastVotes)
        loss.clockGain = doubt?.gain
        return loss
    }

    /// Ahead of the end of validity, so that the holder can stop before it; never by more than half of the ttl, which
    /// leaves room for extensions, or of the maximum hold.
    func lossInstant(_ policy: Policy) -> Instant {
        let longest = min(request.ttl, request.maximumHold ?? .forever) / 2
        return validUntil - min(policy.parameters.lossMargin ?? request.ttl / 10, longest)
    }

    func lossReason(at now: Instant) -> Loss.Reason {
        if now >= validUntil { return .expired }
        return validUntil == end ? .maximumHold : .notExtended
    }
}

// MARK: - Votes

extension Hold {
    /// What those behind it can be told about the nodes while it is held.
    var evidence: [Vote] {
        attempt.ballot.votes.map { $0 == .granted ? .heldByAnother : .notAsked }
    }

    /// What the nodes said when the lease was last in question: of the last extension that failed, else of the attempt.
    /// Answers that come after the decision are in it, so that a loss that follows names them.
    var lastVotes: [Vote] { laterVotes ?? attempt.ballot.votes }

    /// A vote on the attempt, which is won already: it may be one more node that guards the lease.
    mutating func countLateVote(
        _ vote: Vote, of node: Int, at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        let vote = attempt.record(vote, of: node, policy)
        noteLastVote(vote, of: node, round: 0)
        noteGuard(vote, of: node, round: 0, at: now, using: &generator, policy)
    }

    /// An answer that came after the decision: evidence for what the holder may be told later, and no more than that.
    mutating func noteLastVote(_ vote: Vote, of node: Int, round: UInt32) {
        if round == lastRound { laterVotes?[node] = vote }
    }
}

struct ExtensionRound: Sendable {
    var number: UInt32
    var start: Instant
    var ttl: Nanoseconds
    var ballot: Ballot
    var callers: [ExtensionID]
}

/// Extensions asked for while one is under way: they share the next.
struct QueuedExtension: Sendable {
    var ttl: Nanoseconds
    var callers: [ExtensionID]
}
