/// One lock request, from the first attempt to the last word.
///
/// A value: it decides, and its ``Engine`` acts. Every method that decides returns a step, and the engine carries it
/// out. Time and chance come in as arguments.
struct LockMachine: Sendable {
    enum State: Sendable {
        /// Others of this process are ahead. Can become waiting, acquiring, or ended. `isOverdue`: its wait is over, and
        /// what it is to be told is not known yet.
        case queued(isOverdue: Bool)
        /// An attempt is being voted on. Can become waiting, held, or ended.
        case acquiring(OnHeap<Attempt>)
        /// It will try again; the last attempt, if there was one, was refused. Can become acquiring, or ended.
        case waiting(OnHeap<Attempt>?, until: Instant)
        /// A quorum granted. Can become lost, or releasing.
        case held(OnHeap<Hold>)
        /// The holder was told. Can become releasing.
        case lost(OnHeap<Hold>, Loss.Reason)
        /// The nodes are being told. Can become ended.
        case releasing(OnHeap<Hold>, Releases)
        /// Nothing is owed to anybody. The last attempt, if it was refused or given up.
        case ended(OnHeap<Attempt>?)
    }

    /// What became of the release, node by node.
    struct Releases: Sendable {
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

    private(set) var request: AcquireRequest
    private(set) var state = State.queued(isOverdue: false)
    /// Nobody else will release it: when its validity is over, the machine does.
    private var releasesAtEnd = false

    init(request: AcquireRequest) {
        self.request = request
    }

    /// Stands where there is no request.
    static let none = LockMachine(request: AcquireRequest(key: [], ttl: .zero, deadline: .distantFuture))

    /// What a change has come to, for the engine.
    struct Standing {
        /// It is queued for the lock, asks for it, or holds it.
        var wantsLock = false
        var isHeld = false
        var hasEnded = false
        /// When ``LockMachine/onTimer(at:using:_:)`` is wanted.
        var deadline: Instant
        /// What the holder has to be told of the risk.
        var news: RiskNews?
    }

    /// To be called after a change.
    mutating func settle(at now: Instant, _ policy: Policy) -> Standing {
        switch state {
        case .queued, .acquiring, .waiting:
            return Standing(wantsLock: true, deadline: deadline(policy))
        case .held:
            let news = changeHeld { $0.noteRisk(at: now, policy) } ?? nil
            return Standing(wantsLock: true, isHeld: true, deadline: deadline(policy), news: news)
        case .lost:
            return Standing(deadline: deadline(policy))
        case .releasing:
            return Standing(deadline: .distantFuture)
        case .ended:
            return Standing(hasEnded: true, deadline: .distantFuture)
        }
    }

    /// When this machine next wants ``onTimer(at:using:_:)``.
    ///
    /// Mutating, as ``changeHold(_:)`` is: what is in the state is looked at in its place, and not at a copy of it.
    mutating func deadline(_ policy: Policy) -> Instant {
        switch state {
        case .queued(let isOverdue):
            return isOverdue ? .distantFuture : request.deadline
        case .acquiring(let attempt):
            let start = attempt.value.start
            return request.validUntil(start: start, decided: start, policy)
        case .waiting(_, let until):
            return until
        case .held:
            return changeHeld { $0.deadline(policy) } ?? .distantFuture
        case .lost(let hold, _):
            let end = releasesAtEnd ? hold.value.validUntil : .distantFuture
            return min(end, changeHold { $0.repairDeadline(isHeld: false, policy) } ?? .distantFuture)
        case .releasing, .ended:
            return .distantFuture
        }
    }
}

// MARK: - What there is in a state

extension LockMachine {
    var isQueued: Bool { if case .queued = state { true } else { false } }
    var isAcquiring: Bool { if case .acquiring = state { true } else { false } }
    var isHeld: Bool { if case .held = state { true } else { false } }

    /// Why the lease was lost, if it was and is not released.
    var lossReason: Loss.Reason? { if case .lost(_, let reason) = state { reason } else { nil } }

    /// Whether the lease may be relied on.
    func isValid(at now: Instant) -> Bool { isHeld && now < (hold?.value.validUntil ?? now) }

    /// The last attempt; nil before the first, and once it is released.
    var attempt: Attempt? {
        switch state {
        case .queued, .ended(nil), .waiting(nil, _): nil
        case .acquiring(let attempt), .waiting(.some(let attempt), _), .ended(.some(let attempt)): attempt.value
        case .held(let hold), .lost(let hold, _), .releasing(let hold, _): hold.value.attempt
        }
    }

    /// Counts from one; zero before the first attempt.
    var attemptNumber: UInt32 {
        switch state {
        case .queued, .ended(nil), .waiting(nil, _): 0
        case .acquiring(let attempt), .waiting(.some(let attempt), _), .ended(.some(let attempt)): attempt.value.number
        case .held(let hold), .lost(let hold, _), .releasing(let hold, _): hold.value.attempt.number
        }
    }

    /// What there is to know of the lease until its release is over.
    var hold: OnHeap<Hold>? {
        switch state {
        case .queued, .acquiring, .waiting, .ended: nil
        case .held(let hold), .lost(let hold, _), .releasing(let hold, _): hold
        }
    }

    /// Changes the last attempt, if there is one. What is not shared meanwhile is changed in its place.
    private mutating func changeAttempt<R>(_ body: (inout Attempt) -> R) -> R? {
        switch state {
        case .queued, .ended(nil), .waiting(nil, _):
            return nil
        case .acquiring(var attempt):
            state = .ended(nil)
            defer { state = .acquiring(attempt) }
            return body(&attempt.value)
        case .waiting(.some(var attempt), let until):
            state = .ended(nil)
            defer { state = .waiting(attempt, until: until) }
            return body(&attempt.value)
        case .ended(.some(var attempt)):
            state = .ended(nil)
            defer { state = .ended(attempt) }
            return body(&attempt.value)
        case .held, .lost, .releasing:
            return changeHold { body(&$0.attempt) }
        }
    }

    /// Changes a lease that is held.
    private mutating func changeHeld<R>(_ body: (inout Hold) -> R) -> R? {
        guard case .held(var hold) = state else { return nil }
        state = .ended(nil)
        defer { state = .held(hold) }
        return body(&hold.value)
    }

    /// Changes a lease that is held, lost, or being released.
    private mutating func changeHold<R>(_ body: (inout Hold) -> R) -> R? {
        switch state {
        case .queued, .acquiring, .waiting, .ended:
            return nil
        case .held:
            return changeHeld(body)
        case .lost(var hold, let reason):
            state = .ended(nil)
            defer { state = .lost(hold, reason) }
            return body(&hold.value)
        case .releasing(var hold, let releases):
            state = .ended(nil)
            defer { state = .releasing(hold, releases) }
            return body(&hold.value)
        }
    }
}

// MARK: - Queue

extension LockMachine {
    /// All that want one resource keep the same bytes of its name.
    mutating func share(key: [UInt8]) { request.key = key }

    /// The next attempt is to begin then, or at the deadline if that is earlier: the last is made, not skipped.
    mutating func wait(until instant: Instant) {
        let until = min(instant, request.deadline)
        switch state {
        case .queued: state = .waiting(nil, until: until)
        case .waiting(let attempt, _): state = .waiting(attempt, until: until)
        case .acquiring, .held, .lost, .releasing, .ended: preconditionFailure("a request cannot wait when \(self)")
        }
    }

    /// Its deadline came while others are ahead, and nobody knows yet how they fare.
    mutating func becomeOverdue() {
        if isQueued { state = .queued(isOverdue: true) }
    }

    /// Its deadline came while others are ahead.
    mutating func endInQueue() {
        precondition(isQueued, "a request is not in the queue when \(self)")
        state = .ended(nil)
    }
}

extension LockMachine: CustomStringConvertible {
    var description: String {
        switch state {
        case .queued: "queued"
        case .acquiring: "acquiring"
        case .waiting: "waiting"
        case .held: "held"
        case .lost(_, let reason): "lost(\(reason))"
        case .releasing: "releasing"
        case .ended: "ended"
        }
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
        /// Release what was set; try again, when the contention says so.
        case retry(because: Refusal)
        /// Release what was set; this is the last word.
        case refused(Refusal)
    }

    /// Starts the next attempt, with a token of its own. Time counts from here, before anything is sent.
    mutating func beginAttempt(at now: Instant, fresh: Token, proposing number: Int64? = nil, _ policy: Policy) {
        switch state {
        case .queued, .acquiring, .waiting: break
        case .held, .lost, .releasing, .ended: preconditionFailure("an attempt cannot begin when \(self)")
        }
        let attempt = Attempt(
            number: attemptNumber + 1,
            token: policy.rules.token(previous: self.attempt?.token, fresh: fresh),
            start: now,
            ballot: Ballot(nodes: policy.parameters.nodes),
            askedAt: now,
            fencing: number.map { Fencing(proposing: $0) })
        state = .acquiring(OnHeap(attempt))
    }

    /// Those that cannot be asked have had their say before the first of them is counted: who is refused by that learns
    /// of all of them.
    mutating func noteAsked(_ nodes: NodeSet, failed: [(node: Int, failure: Vote.Failure)] = []) {
        changeAttempt { attempt in
            attempt.asked = attempt.asked.union(nodes)
            for (node, failure) in failed { attempt.ballot.record(.failed(failure), of: node) }
        }
    }

    /// These are asked only if the one that is left grants.
    mutating func holdBack(_ nodes: NodeSet) {
        changeAttempt { attempt in
            attempt.heldBack = nodes
            for node in nodes { attempt.ballot.record(.notAsked, of: node) }
        }
    }

    /// A failed vote where the number that it reports is not plausible, or of an attempt that is over.
    mutating func judged(_ vote: Vote, of node: Int, attempt number: UInt32, _ policy: Policy) -> Vote {
        guard number == attemptNumber, let judged = changeAttempt({ $0.judged(vote, of: node, policy) }) else {
            guard case .numberTooLow(let reported) = vote, reported > Limits.fencingProposal else { return vote }
            return .failed(.implausibleNumber(reported))
        }
        return judged
    }

    /// Counts a vote of an attempt, and decides as soon as the others cannot change the outcome.
    ///
    /// Votes that come after the decision are counted too: a late grant is one more node that guards the lease.
    mutating func count(
        _ vote: Vote, of node: Int, attempt number: UInt32, at now: Instant,
        using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> AcquireStep? {
        guard number == attemptNumber else { return nil }
        if case .acquiring = state {
            let step = changeAttempt { $0.count(vote, of: node, at: now, policy) } ?? nil
            return step.flatMap { follow($0, at: now, using: &generator, policy) }
        }
        countLate(vote, of: node, at: now, using: &generator, policy)
        return nil
    }

    /// Counts what a node said to a raise. Of an earlier one than the last it does not matter any more.
    mutating func countRaise(
        _ vote: Vote, of node: Int, attempt number: UInt32, round: UInt32, at now: Instant,
        using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> AcquireStep? {
        guard number == attemptNumber, round == attempt?.fencing?.raises else { return nil }
        if case .acquiring = state {
            let step = changeAttempt { $0.countRaise(vote, of: node, policy) } ?? nil
            return step.flatMap { follow($0, at: now, using: &generator, policy) }
        }
        countLate(vote, of: node, at: now, using: &generator, policy)
        return nil
    }

    private mutating func countLate(
        _ vote: Vote, of node: Int, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) {
        if changeHeld({ $0.countLateVote(vote, of: node, at: now, using: &generator, policy) }) == nil {
            changeAttempt { _ = $0.record(vote, of: node, policy) }
        }
    }

    /// What the votes so far come to.
    private mutating func follow(
        _ step: Attempt.Step, at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> AcquireStep? {
        switch step {
        case .ask(let nodes): return .ask(nodes)
        case .raise(let raise): return .raise(raise)
        case .refused(let reason): return refuse(reason, at: now, policy)
        case .won:
            guard case .acquiring(let attempt) = state else { return nil }
            let start = attempt.value.start
            guard now < request.validUntil(start: start, decided: now, policy) else {
                return refuse(.expired, at: now, policy)
            }
            state = .held(OnHeap(Hold(attempt.value, request, wonAt: now, policy)))
            let grant = changeHeld { hold in
                hold.planRepair(at: now, using: &generator, policy)
                return hold.grant(policy)
            }
            return grant.map { .granted($0) }
        }
    }

    /// So much time may have passed, beyond what the boot clock says, since the attempt began.
    mutating func attemptMayBeOlder(by gain: Nanoseconds) {
        if isAcquiring { changeAttempt { $0.start = $0.start - gain } }
    }

    /// Whether an attempt that begins now is not the last, and can ask one node, and then the others, before the
    /// deadline.
    func mayAskTwice(at now: Instant, _ policy: Policy) -> Bool {
        now + policy.parameters.nodeTimeout < request.deadline
            && request.maximumAttempts.map { attemptNumber + 1 < $0 } ?? true
    }

    /// The caller does not want it any more. Nil when the caller has its answer already.
    mutating func abandon(_ reason: Refusal.Reason, _ policy: Policy) -> Refusal? {
        switch state {
        case .queued, .waiting(nil, _): state = .ended(nil)
        case .acquiring(let attempt), .waiting(.some(let attempt), _): state = .ended(attempt)
        case .held, .lost, .releasing, .ended: return nil
        }
        return refusal(reason, policy)
    }

    private mutating func refuse(_ reason: Refusal.Reason, at now: Instant, _ policy: Policy) -> AcquireStep? {
        guard case .acquiring(let attempt) = state else { return nil }
        let spent = request.maximumAttempts.map { attemptNumber >= $0 } ?? false
        guard now < request.deadline, !spent else {
            state = .ended(attempt)
            return .refused(refusal(reason, policy))
        }
        state = .waiting(attempt, until: request.deadline)
        return .retry(because: refusal(reason, policy))
    }

    private func refusal(_ reason: Refusal.Reason, _ policy: Policy) -> Refusal {
        let votes = attempt?.ballot.votes ?? [Vote](repeating: .notAsked, count: policy.parameters.nodes)
        return Refusal(reason: reason, attempts: Int(attemptNumber), votes: votes)
    }

    /// The attempt that is being voted on, if the node granted it a key that was to end before this instant.
    func attemptResting(on node: Int, endingBefore end: Instant) -> UInt32? {
        guard case .acquiring(let attempt) = state, attempt.value.ballot.locked.contains(node),
            attempt.value.start + request.ttl <= end
        else { return nil }
        return attempt.value.number
    }
}

// MARK: - Time

extension LockMachine {
    enum TimerStep: Hashable, Sendable {
        /// The wait of a request behind others is over.
        case endInQueue
        case beginAttempt
        case acquire(AcquireStep)
        case extend(Hold.ExtendStep)
        case repair(Hold.Repair)
        case lost(Loss)
        /// The validity of a lease that was lost at the shutdown is over.
        case release
    }

    /// An instant that ``deadline(_:)`` named has come; nil when it has not.
    mutating func onTimer(
        at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> TimerStep? {
        guard deadline(policy) <= now else { return nil }
        switch state {
        case .queued:
            return .endInQueue
        case .acquiring:
            return refuse(.expired, at: now, policy).map { .acquire($0) }
        case .waiting:
            return .beginAttempt
        case .held(let hold):
            guard now < hold.value.lossInstant(policy) else {
                return lose(hold.value.lossReason(at: now)).map { .lost($0) }
            }
            if hold.value.extensionDeadline <= now {
                let step = changeHeld { $0.beginExtension(ttl: $0.request.ttl, callers: [], at: now, policy) }
                return step.map { .extend($0) }
            }
        case .lost(let hold, _):
            if releasesAtEnd, hold.value.validUntil <= now { return .release }
        case .releasing, .ended:
            return nil
        }
        let isHeld = isHeld
        let repair = changeHold { $0.beginRepair(isHeld: isHeld, at: now, using: &generator, policy) } ?? nil
        return repair.map { .repair($0) }
    }
}

// MARK: - The lease

extension LockMachine {
    /// A caller wants the lease extended so that it is valid for `ttl` from now.
    mutating func extend(
        _ caller: ExtensionID, ttl: Nanoseconds, at now: Instant, _ policy: Policy
    ) -> Hold.ExtendStep {
        switch state {
        case .held: break
        case .lost(let hold, .expired): return .refused(hold.value.refusal(.expired))
        case .lost(let hold, _): return .refused(hold.value.refusal(.lost))
        case .releasing(let hold, _): return .refused(hold.value.refusal(.released))
        case .ended: return .refused(ExtensionRefusal(reason: .released, votes: []))
        case .queued, .acquiring, .waiting: preconditionFailure("a lock cannot be extended when \(self)")
        }
        return changeHeld { $0.extend(caller, ttl: ttl, at: now, policy) } ?? .wait
    }

    /// As for an attempt: who cannot be asked has had its say before the first is counted.
    mutating func noteNotExtended(_ failed: [(node: Int, failure: Vote.Failure)]) {
        changeHeld { $0.noteNotExtended(failed) }
    }

    /// Counts a vote of an extension.
    mutating func countExtension(
        _ vote: Vote, of node: Int, round: UInt32, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) -> Hold.ExtensionOutcome? {
        let outcome =
            changeHeld {
                $0.countExtension(vote, of: node, round: round, at: now, using: &generator, policy)
            } ?? nil
        if case .lost(let loss, _) = outcome { _ = lose(loss.reason) }
        return outcome
    }

    /// The extension that is being voted on, if the node granted it.
    func extensionResting(on node: Int) -> UInt32? {
        guard case .held(let hold) = state else { return nil }
        return hold.value.extensionResting(on: node)
    }

    /// The extension that was asked for while another was under way, if any.
    mutating func beginQueuedExtension(at now: Instant, _ policy: Policy) -> Hold.ExtendStep? {
        changeHeld { $0.beginQueuedExtension(at: now, policy) } ?? nil
    }

    /// Callers of extensions that will not be decided any more.
    mutating func takeExtensionCallers() -> [ExtensionID] {
        guard hold?.value.hasCallers == true else { return [] }
        return changeHold { $0.takeExtensionCallers() } ?? []
    }

    /// So much time may have passed beyond what the boot clock says.
    mutating func doubt(gain: Nanoseconds, at now: Instant, _ policy: Policy) -> Hold.ExtendStep? {
        changeHeld { $0.doubt(gain: gain, at: now, policy) } ?? nil
    }

    mutating func noteRepaired(_ nodes: NodeSet) {
        changeHold { $0.noteRepaired(nodes) }
    }

    /// What became of a repair; true when it set the key.
    mutating func countRepair(
        _ vote: Vote, of node: Int, round: UInt32, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) -> Bool {
        changeHeld { $0.countRepair(vote, of: node, round: round, at: now, using: &generator, policy) } ?? false
    }

    /// Grants of the node do not count any more. See ``Hold/distrust(_:_:endingBefore:_:_:)``.
    mutating func distrust(
        _ node: Int, _ vote: Vote, endingBefore end: Instant, _ reason: Loss.Reason, _ policy: Policy
    ) -> Loss? {
        let isUnguarded = changeHeld { $0.distrust(node, vote, endingBefore: end, policy) } ?? false
        return isUnguarded ? lose(reason) : nil
    }

    /// Notes that a node has, or does not have, our key. Returns the nodes that lost it while another node has it.
    mutating func noteKey(_ sign: Engine.KeySign, on node: Int, round: UInt32) -> NodeSet {
        changeHold { $0.noteKey(sign, on: node, round: round) } ?? NodeSet()
    }

    /// A node lost the key before its time. If the lease is left without a quorum, another may have the lock at any
    /// moment: it is lost.
    mutating func loseIfUnguarded(_ policy: Policy) -> Loss? {
        guard isHeld, let hold, hold.value.guarding.nodes.count < policy.quorum else { return nil }
        return lose(.keyGone)
    }

    /// The engine is shut down. The holder is told, and keeps its keys until it releases or its validity is over: to
    /// release them now would give the lock away under work that is still going on.
    mutating func shutDown() -> Loss? {
        releasesAtEnd = true
        return lose(.shutDown)
    }

    /// The lease is given up by its own side. Nil when none is held.
    private mutating func lose(_ reason: Loss.Reason) -> Loss? {
        guard case .held(let hold) = state else { return nil }
        state = .lost(hold, reason)
        return hold.value.loss(reason)
    }
}

// MARK: - Release

extension LockMachine {
    /// The holder is done. False when it said so before.
    mutating func beginRelease() -> Bool {
        switch state {
        case .held(let hold), .lost(let hold, _):
            state = .releasing(hold, Releases())
            return true
        case .releasing, .ended:
            return false
        case .queued, .acquiring, .waiting:
            preconditionFailure("a lock cannot be released when \(self)")
        }
    }

    /// Counts what became of the release on one node. `isOver`, for the caller: a quorum confirmed that the key is not
    /// there, or all have had their say. `gone`: nodes that lost the key before its
    /// time, by at least `early`; see ``Hold/noteKey(_:on:round:)``.
    mutating func countRelease(
        _ vote: Vote, of node: Int, _ sign: Engine.KeySign?, _ policy: Policy
    ) -> (isOver: Bool, gone: NodeSet, early: Nanoseconds) {
        guard case .releasing(var hold, var releases) = state else { return (false, NodeSet(), .zero) }
        state = .ended(nil)
        releases.record(vote, of: node)
        let gone = sign.map { hold.value.noteKey($0, on: node, deleted: releases.deleted) } ?? NodeSet()
        let confirmed = releases.confirmed.count
        let isComplete = confirmed + releases.failed.count == policy.parameters.nodes
        let isOver = confirmed >= policy.quorum || isComplete
        if !isOver { state = .releasing(hold, releases) }
        return (isOver, gone, hold.value.keyAnswers.early)
    }
}
