/// One lock request, from the first attempt to the last word.
///
/// A value: it decides, and its ``Engine`` acts. Every method that decides returns a step, and the engine carries it
/// out. Time and chance come in as arguments.
struct LockMachine: Sendable {
    enum Phase: Hashable, Sendable {
        /// Others of this process are ahead. Can become waiting, acquiring, or ended.
        case queued
        /// An attempt is being voted on. Can become waiting, held, or ended.
        case acquiring
        /// Refused, and it will try again. Can become acquiring, or ended.
        case waiting(until: Instant)
        /// A quorum granted. Can become lost, or releasing.
        case held
        /// The holder was told. Can become releasing.
        case lost(Loss.Reason)
        /// The nodes are being told. Can become ended.
        case releasing
        /// Nothing is owed to anybody.
        case ended
    }

    /// One try at all nodes.
    struct Attempt: Sendable {
        /// Counts from one.
        var number: UInt32
        var token: Token
        var start: Instant
        var ballot: Ballot
        /// When nodes were asked: the first one, and then the others.
        var askedAt = Instant(nanoseconds: 0)
        /// The nodes that the SET was, or is still to be, sent to.
        var asked = NodeSet()
        /// Nodes that are asked only if the one that is asked first grants.
        var heldBack = NodeSet()
        /// Nil for a lock without fencing.
        var fencing: Fencing?
    }

    /// What there is to know while the lease is held.
    struct Hold: Sendable {
        var validUntil: Instant
        /// Validity never goes beyond this: the maximum hold.
        var end: Instant
        var nextExtension: Instant
        /// When the last round began that a quorum granted.
        var grantedRoundStart: Instant
        /// When the nodes were asked for ``LockMachine/lastVotes``.
        var votesAskedAt: Instant
        /// What the nodes said when the lease was last in question, if that was after the attempt:
        /// ``LockMachine/lastVotes``.
        var laterVotes: [Vote]?
        /// The round of the last votes; 0 is the attempt.
        var lastRound: UInt32 = 0
        var guarding: Guard
        var keyAnswers = KeyAnswers()
        /// Until an extension is won that began after it.
        var doubt: Doubt?
        var extending: ExtensionRound?
        var queued: QueuedExtension?
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

    /// What became of the release, node by node.
    private struct Releases: Sendable {
        /// The key is not there.
        var confirmed = NodeSet()
        /// The key was there, and is deleted.
        var deleted = NodeSet()
        var failed = NodeSet()

        /// A later word replaces an earlier one.
        mutating func record(_ vote: Vote, of node: Int) {
            confirmed.remove(node)
            failed.remove(node)
            switch vote {
            case .granted:
                confirmed.insert(node)
                deleted.insert(node)
            case .heldByAnother, .missing: confirmed.insert(node)
            case .failed: failed.insert(node)
            case .pending, .notAsked, .numberTooLow: break
            }
        }
    }

    /// What comes with the first attempt.
    private struct Course: Sendable {
        var attempt: Attempt
        var hold: Hold?
        var releases = Releases()
    }

    private(set) var request: AcquireRequest
    private(set) var phase = Phase.queued
    /// Counts the rounds of extensions.
    var rounds: UInt32 = 0
    /// Its wait is over, and what it is to be told is not known yet.
    private(set) var isOverdue = false
    /// Nobody else will release it: when its validity is over, the machine does.
    private var releasesAtEnd = false
    /// Nil before the first attempt: there may be very many that wait behind others, and they are to be small.
    private var course: OnHeap<Course>?

    init(request: AcquireRequest) {
        self.request = request
    }

    /// The first attempt has begun: there is an ``attempt``, and may be a ``hold``.
    var hasBegun: Bool { course != nil }

    /// The last attempt.
    private(set) var attempt: Attempt {
        @inline(__always) _read { yield course!.value.attempt }
        @inline(__always) _modify { yield &course!.value.attempt }
    }

    /// The nodes that had the key when it was released.
    var deleted: NodeSet { course?.value.releases.deleted ?? NodeSet() }

    /// Nil before the attempt that wins has won.
    var hold: Hold? {
        @inline(__always) _read { yield course!.value.hold }
        @inline(__always) _modify { yield &course!.value.hold }
    }

    /// When this machine next wants ``onTimer(at:using:_:)``.
    func deadline(_ policy: Policy) -> Instant {
        switch phase {
        case .queued: isOverdue ? .distantFuture : request.deadline
        case .acquiring: attemptValidUntil(policy, decided: attempt.start)
        case .waiting(let until): until
        case .held: min(lossInstant(policy), extensionDeadline, repairDeadline(policy), riskDeadline(policy))
        case .lost: min(releasesAtEnd ? hold!.validUntil : .distantFuture, repairDeadline(policy))
        case .releasing, .ended: .distantFuture
        }
    }
}

// MARK: - Queue

extension LockMachine.Phase {
    /// It is queued for the lock, asks for it, or holds it.
    var wantsLock: Bool {
        switch self {
        case .queued, .acquiring, .waiting, .held: true
        case .lost, .releasing, .ended: false
        }
    }
}

extension LockMachine {
    /// All that want one resource keep the same bytes of its name.
    mutating func share(key: [UInt8]) { request.key = key }

    /// The next attempt is to begin then, or at the deadline if that is earlier: the last is made, not skipped.
    mutating func wait(until instant: Instant) {
        switch phase {
        case .queued, .waiting: phase = .waiting(until: min(instant, request.deadline))
        case .acquiring, .held, .lost, .releasing, .ended:
            preconditionFailure("a request cannot wait in the phase \(phase)")
        }
    }

    /// Its deadline came while others are ahead, and nobody knows yet how they fare.
    mutating func becomeOverdue() { isOverdue = true }

    /// Its deadline came while others are ahead.
    mutating func endInQueue() {
        precondition(phase == .queued, "a request in the phase \(phase) is not in the queue")
        phase = .ended
    }

    /// What those behind this machine can be told about the nodes while it holds.
    var evidenceOfHold: [Vote] {
        attempt.ballot.votes.map { $0 == .granted ? .heldByAnother : .notAsked }
    }
}

// MARK: - Acquire

extension LockMachine {
    enum AcquireStep: Hashable, Sendable {
        /// A quorum granted in time.
        case granted(Grant)
        /// Ask these nodes too.
        case ask(NodeSet)
        /// Offer a higher fencing number.
        case raise(Raise)
        /// Release what was set; try again, when the line says so.
        case retry(because: Refusal)
        /// Release what was set; this is the last word.
        case refused(Refusal)
    }

    /// Starts the next attempt, with a token of its own. Time counts from here, before anything is sent.
    mutating func beginAttempt(at now: Instant, fresh: Token, proposing number: Int64? = nil, _ policy: Policy) {
        switch phase {
        case .queued, .acquiring, .waiting: break
        case .held, .lost, .releasing, .ended: preconditionFailure("an attempt cannot begin in the phase \(phase)")
        }
        phase = .acquiring
        let next = Attempt(
            number: hasBegun ? attempt.number + 1 : 1,
            token: policy.rules.token(previous: hasBegun ? attempt.token : nil, fresh: fresh),
            start: now,
            ballot: Ballot(nodes: policy.parameters.nodes),
            askedAt: now,
            fencing: number.map { Fencing(proposing: $0) })
        if hasBegun { attempt = next } else { course = OnHeap(Course(attempt: next)) }
    }

    /// Those that cannot be asked have had their say before the first of them is counted: who is refused by that learns
    /// of all of them.
    mutating func noteAsked(_ nodes: NodeSet, failed: [(node: Int, failure: Vote.Failure)] = []) {
        attempt.asked = attempt.asked.union(nodes)
        for (node, failure) in failed { attempt.ballot.record(.failed(failure), of: node) }
    }

    /// These are asked only if the one that is left grants.
    mutating func holdBack(_ nodes: NodeSet) {
        attempt.heldBack = nodes
        for node in nodes { attempt.ballot.record(.notAsked, of: node) }
    }

    /// What the node says that was asked first. A refusal is the end of the attempt: another was faster. Where nothing
    /// comes back it decides nothing, and the others are asked as if it had not been.
    private mutating func hearArbiter(_ vote: Vote, at now: Instant, _ policy: Policy) -> AcquireStep {
        let rest = attempt.heldBack
        attempt.heldBack = NodeSet()
        attempt.askedAt = now
        guard vote != .heldByAnother else {
            // It has no key of ours, and nobody else was asked.
            attempt.asked = NodeSet()
            return refuse(.heldByAnother, at: now, policy)
        }
        for node in rest { attempt.ballot.record(.pending, of: node) }
        return .ask(rest)
    }

    /// A failed vote where the number that it reports is not plausible, or of an attempt that is over.
    mutating func judged(_ vote: Vote, of node: Int, attempt number: UInt32, _ policy: Policy) -> Vote {
        guard hasBegun, number == attempt.number else {
            guard case .numberTooLow(let reported) = vote, reported > Limits.fencingProposal else { return vote }
            return .failed(.implausibleNumber(reported))
        }
        return attempt.judged(vote, of: node, policy)
    }

    /// Counts a vote of an attempt, and decides as soon as the others cannot change the outcome.
    ///
    /// Votes that come after the decision are counted too: a late grant is one more node that guards the lease.
    mutating func count(
        _ vote: Vote, of node: Int, attempt number: UInt32, at now: Instant,
        using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> AcquireStep? {
        guard number == attempt.number else { return nil }
        let vote = attempt.heard(vote, of: node, policy)
        attempt.ballot.record(vote, of: node)
        if phase == .held {
            noteLastVote(vote, of: node, round: 0)
            noteGuard(vote, of: node, round: 0, at: now, using: &generator, policy)
        }
        guard phase == .acquiring else { return nil }
        if !attempt.heldBack.isEmpty { return hearArbiter(vote, at: now, policy) }
        if let raise = attempt.lateOffer(to: node) { return .raise(raise) }
        return decide(at: now, using: &generator, policy)
    }

    /// Counts what a node said to a raise. Of an earlier one than the last it does not matter any more.
    mutating func countRaise(
        _ vote: Vote, of node: Int, attempt number: UInt32, round: UInt32, at now: Instant,
        using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> AcquireStep? {
        guard number == attempt.number, round == attempt.fencing?.raises else { return nil }
        let vote = attempt.heard(vote, of: node, policy)
        attempt.ballot.record(vote, of: node)
        if phase == .held {
            noteLastVote(vote, of: node, round: 0)
            noteGuard(vote, of: node, round: 0, at: now, using: &generator, policy)
        }
        return phase == .acquiring ? decide(at: now, using: &generator, policy) : nil
    }

    private mutating func decide(
        at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> AcquireStep? {
        if attempt.isWon(policy) {
            let validUntil = attemptValidUntil(policy, decided: now)
            guard now < validUntil else { return refuse(.expired, at: now, policy) }
            return .granted(beginHold(validUntil: validUntil, at: now, using: &generator, policy))
        }
        if attempt.isLost(policy) {
            let unavailable = attempt.ballot.isUnavailable(quorum: policy.quorum)
            return refuse(unavailable ? .unavailable : .heldByAnother, at: now, policy)
        }
        return attempt.nextRaise(policy).map { .raise($0) }
    }

    /// So much time may have passed, beyond what the boot clock says, since the attempt began.
    mutating func attemptMayBeOlder(by gain: Nanoseconds) {
        if phase == .acquiring { attempt.start = attempt.start - gain }
    }

    /// Whether an attempt that begins now is not the last, and can ask one node, and then the others, before the
    /// deadline.
    func mayAskTwice(at now: Instant, _ policy: Policy) -> Bool {
        let attempts = hasBegun ? attempt.number : 0
        return now + policy.parameters.nodeTimeout < request.deadline
            && request.maximumAttempts.map { attempts + 1 < $0 } ?? true
    }

    /// The caller does not want it any more. Nil when the caller has its answer already.
    mutating func abandon(_ reason: Refusal.Reason, _ policy: Policy) -> Refusal? {
        switch phase {
        case .queued, .acquiring, .waiting:
            phase = .ended
            return refusal(reason, policy)
        case .held, .lost, .releasing, .ended:
            return nil
        }
    }

    private mutating func refuse(_ reason: Refusal.Reason, at now: Instant, _ policy: Policy) -> AcquireStep {
        let spent = request.maximumAttempts.map { attempt.number >= $0 } ?? false
        guard now < request.deadline, !spent else {
            phase = .ended
            return .refused(refusal(reason, policy))
        }
        phase = .waiting(until: request.deadline)
        return .retry(because: refusal(reason, policy))
    }

    private func refusal(_ reason: Refusal.Reason, _ policy: Policy) -> Refusal {
        guard hasBegun else {
            let votes = [Vote](repeating: .notAsked, count: policy.parameters.nodes)
            return Refusal(reason: reason, attempts: 0, votes: votes)
        }
        return Refusal(reason: reason, attempts: Int(attempt.number), votes: attempt.ballot.votes)
    }

    /// No longer than the lease may be held: an attempt that took all of that has nothing left to grant.
    private func attemptValidUntil(_ policy: Policy, decided: Instant) -> Instant {
        min(
            policy.rules.validUntil(
                start: attempt.start, decided: decided, ttl: request.ttl, drift: policy.drift(of: request.ttl)),
            attemptEnd)
    }

    /// Where the maximum hold of a lease that this attempt wins is over.
    private var attemptEnd: Instant {
        request.maximumHold.map { attempt.start + $0 } ?? .distantFuture
    }

    private mutating func beginHold(
        validUntil: Instant, at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> Grant {
        let end = attemptEnd
        let hold = Hold(
            validUntil: validUntil,
            end: end,
            nextExtension: nextExtension(after: attempt.start, end: end, validUntil: validUntil),
            grantedRoundStart: attempt.start,
            votesAskedAt: attempt.askedAt,
            guarding: Guard(
                nodes: attempt.owners, keysUntil: attempt.start + request.ttl, ttl: request.ttl, wonAt: now))
        self.hold = hold
        phase = .held
        planRepair(at: now, using: &generator, policy)
        return Grant(
            validUntil: hold.validUntil, attempts: Int(attempt.number), votes: attempt.ballot.votes,
            fencingToken: attempt.fencing.map {
                policy.rules.fencingToken(accepted: $0.number, highestReported: $0.highestReported)
            })
    }
}

// MARK: - Loss

extension LockMachine {
    enum TimerStep: Hashable, Sendable {
        /// The wait of a request behind others is over.
        case endInQueue
        case beginAttempt
        case acquire(AcquireStep)
        case extend(ExtendStep)
        case repair(Repair)
        case lost(Loss)
        /// The validity of a lease that was lost at the shutdown is over.
        case release
    }

    /// An instant that ``deadline(_:)`` named has come; nil when it has not.
    mutating func onTimer(
        at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> TimerStep? {
        guard deadline(policy) <= now else { return nil }
        switch phase {
        case .queued:
            return .endInQueue
        case .acquiring:
            return .acquire(refuse(.expired, at: now, policy))
        case .waiting:
            return .beginAttempt
        case .held:
            guard now < lossInstant(policy) else { return .lost(lose(lossReason(at: now))) }
            if extensionDeadline <= now {
                return .extend(beginExtension(ttl: request.ttl, callers: [], at: now, policy))
            }
            return beginRepair(at: now, using: &generator, policy).map { .repair($0) }
        case .lost:
            if releasesAtEnd, hold!.validUntil <= now { return .release }
            return beginRepair(at: now, using: &generator, policy).map { .repair($0) }
        case .releasing, .ended:
            return nil
        }
    }

    /// The engine is shut down. The holder is told, and keeps its keys until it releases or its validity is over: to
    /// release them now would give the lock away under work that is still going on.
    mutating func shutDown() -> Loss? {
        releasesAtEnd = true
        return phase == .held ? lose(.shutDown) : nil
    }

    /// The lease is given up by its own side.
    mutating func lose(_ reason: Loss.Reason) -> Loss {
        phase = .lost(reason)
        var loss = Loss(reason: reason, validUntil: hold!.validUntil, votes: lastVotes)
        loss.clockGain = hold!.doubt?.gain
        return loss
    }

    /// Ahead of the end of validity, so that the holder can stop before it; never by more than half of the ttl, which
    /// leaves room for extensions, or of the maximum hold.
    private func lossInstant(_ policy: Policy) -> Instant {
        let longest = min(request.ttl, request.maximumHold ?? .forever) / 2
        return hold!.validUntil - min(policy.parameters.lossMargin ?? request.ttl / 10, longest)
    }

    private func lossReason(at now: Instant) -> Loss.Reason {
        if now >= hold!.validUntil { return .expired }
        return hold!.validUntil == hold!.end ? .maximumHold : .notExtended
    }
}

// MARK: - Release

extension LockMachine {
    /// Whether the lease may be relied on.
    func isValid(at now: Instant) -> Bool { phase == .held && now < hold!.validUntil }

    /// The holder is done. False when it said so before.
    mutating func beginRelease() -> Bool {
        switch phase {
        case .held, .lost:
            phase = .releasing
            return true
        case .releasing, .ended:
            return false
        case .queued, .acquiring, .waiting:
            preconditionFailure("a lock cannot be released in the phase \(phase)")
        }
    }

    /// Counts what became of the release on one node. True once it is over for the caller: a quorum confirmed that the
    /// key is not there, or all have had their say.
    mutating func countRelease(_ vote: Vote, of node: Int, _ policy: Policy) -> Bool {
        guard phase == .releasing else { return false }
        course!.value.releases.record(vote, of: node)
        let confirmed = course!.value.releases.confirmed.count
        let isComplete = confirmed + course!.value.releases.failed.count == policy.parameters.nodes
        guard confirmed >= policy.quorum || isComplete else { return false }
        phase = .ended
        return true
    }
}
