/// How this process contends for one resource: which of its requests asks the nodes, which are queued behind it, and when
/// it tries again after others had the resource.
///
/// A value: it decides, and its ``Engine`` acts. Every event gives steps, and the engine carries them out. There is one
/// contention for every resource that is held or wanted here, and for a while after if others wanted it too.
struct Contention: Sendable {
    /// The front is the one request of this process that may ask the nodes, or holds. All others are queued behind it.
    enum State: Hashable, Sendable {
        /// No request is in front. Can become acquiring, or waiting.
        case vacant(Succession)
        /// The front's attempt is being voted on. Can become waiting, held, or vacant. `triesFree`: the attempt was made
        /// because the resource seemed free.
        case acquiring(Waiter, triesFree: Bool)
        /// The front was refused, or lets other processes go first: it tries at this instant. Can become acquiring, or
        /// vacant.
        case waiting(Waiter, until: Instant)
        /// The front holds the lock. Can become vacant.
        case held(Waiter)
    }

    /// What the next request does that comes to the front.
    enum Succession: Hashable, Sendable {
        /// It asks the nodes at once; it takes over from the holder with this token, if there is one.
        case atOnce(takingOverFrom: Token?)
        /// It waits on, as the one before did.
        case asPlanned
        /// It lets other processes go first.
        case givingWay
    }

    let key: ResourceKey
    private(set) var state = State.vacant(.atOnce(takingOverFrom: nil))
    private(set) var queue = WaiterQueue()
    /// How many in the queue are overdue.
    private var overdueCount = 0
    /// What the last attempt came to, while nobody here holds the resource.
    private var lastRefusal: Refusal?
    /// Grants of this process since this contention was made; wraps around.
    private(set) var grants: UInt32 = 0
    /// Leases of this process that were lost and are not released: their keys may still be there.
    private(set) var lostLeases = 0
    /// Grants of this process in a row since it last let others go first.
    private var turns = 0
    /// Other processes were seen to wait.
    private(set) var hasRivals = false
    /// Refusals in a row.
    private var refusals: Int64 = 0
    /// The front's next attempt is not later.
    private var latest = Instant.distantFuture
    /// Whether the watch says when to try next: not after an outage.
    private var followsWatch = false
    private var watchBox: OnHeap<Watch>?

    /// - Parameter turns: Grants of this process in a row that came before.
    init(key: ResourceKey, turns: Int = 0) {
        self.key = key
        self.turns = turns
    }

    var front: Waiter? {
        switch state {
        case .vacant: nil
        case .acquiring(let front, _), .waiting(let front, _), .held(let front): front
        }
    }

    /// Nobody of this process wants it.
    var isIdle: Bool { front == nil && queue.isEmpty }
    var isHeld: Bool { if case .held = state { true } else { false } }
    var isWatched: Bool { watchBox != nil }
    var watch: Watch? { watchBox?.value }
    /// The node that is to tell of releases; see ``Watch/arbiter``.
    var arbiter: Int? { watchBox?.value.arbiter }

    /// The next of this process takes over at once, and nobody needs to be told.
    var handsOver: Bool {
        if case .vacant(.atOnce(takingOverFrom: .some)) = state { true } else { false }
    }
}

// MARK: - Events and steps

extension Contention {
    enum Event: Sendable {
        /// A request came.
        case joined(slot: Int, deadline: Instant)
        /// The caller of a request gave up, or it ended otherwise. `place` is where it was queued.
        case left(slot: Int, WaiterQueue.Place?)
        /// The wait of a queued request is over.
        case waitOver(WaiterQueue.Place)
        /// Somebody may come to the front: told at the end of what the engine was called for.
        case advance
        /// The instant has come that ``State/waiting(_:until:)`` names.
        case due
        /// The front was granted the lock.
        case granted
        /// The front was refused; `isLast`: for good. Nodes of which it had the key are in `owned`.
        case refused(Refusal, isLast: Bool, owned: NodeSet, askedAt: Instant)
        /// The holder lets go.
        case released(Token)
        /// The holder was told that it lost its lease; it may go on for a while.
        case lost
        /// A lease that was lost is released, and no key of it is left on these nodes.
        case lostLeaseReleased(NodeSet)
        /// A release was told by this node.
        case told(by: Int)
        /// Others are subscribed to the resource's channel, or are not any more.
        case rivals(Bool)
        /// What another process said on the channel at this node.
        case heard(Channel.Message, node: Int)
        /// A vote on the front's attempt. `remaining`: how long the key of another still lives there.
        case voted(Vote, node: Int, remaining: Nanoseconds?, askedAt: Instant)
        case subscribed(node: Int)
        case unsubscribed(node: Int)
    }

    enum Step: Hashable, Sendable {
        /// The front asks the nodes.
        case attempt(slot: Int, Approach)
        /// The front tries again then.
        case wait(slot: Int, until: Instant)
        case queued(slot: Int, WaiterQueue.Place)
        /// The wait of a queued request is over, and there is nothing true to tell it yet.
        case overdue(slot: Int)
        /// The wait of a queued request is over: it is told this; nil says that the front holds.
        case refuse(slot: Int, Refusal?)
        /// Subscribe to the channel of the resource.
        case watch
        /// Somebody may come to the front, or nobody is left: ``Event/advance`` is due.
        case vacated
        /// Nobody is left. `lingers`: it is to be remembered for a while.
        case retire(lingers: Bool)
    }

    /// How an attempt asks the nodes.
    struct Approach: Hashable, Sendable {
        /// The token of the holder of this process that it takes over from.
        var takingOverFrom: Token?
        /// Others may hold the resource or wait for it: it is worth a script that says for how long.
        var isContended: Bool
        /// The node to ask before the others; nil to ask all at once.
        ///
        /// For who was woken by a release, and for who comes while others are known to wait, or to hold. Not for who
        /// takes over in this process, and not where the node cannot be heard: what others say over it would be missed.
        /// Nor for who goes by the clock: whatever the arbiter says, the others may be free.
        var asksFirst: Int?
    }

    /// What an event meets.
    struct Circumstances {
        let now: Instant
        /// What an attempt takes from its start to its decision, as a rule.
        let roundTrip: Nanoseconds
        let mayWatch: Bool
        let isShuttingDown: Bool

        /// How long those hold back at most who are told at the same time that a resource is free.
        var wakeWindow: Nanoseconds { roundTrip * Limits.wakeRoundTrips }
    }

    mutating func on(
        _ event: Event, _ met: Circumstances, using generator: inout any RandomNumberGenerator, _ policy: Policy,
        into steps: inout [Step]
    ) {
        switch event {
        case .joined(let slot, let deadline):
            join(slot, deadline, met, using: &generator, policy, into: &steps)
        case .left(let slot, let place):
            leave(slot, place, into: &steps)
        case .waitOver(let place):
            endWait(place, into: &steps)
        case .advance:
            advance(met, using: &generator, policy, into: &steps)
        case .due:
            guard case .waiting(let front, _) = state else { return }
            beginAttempt(front, takingOverFrom: nil, met, policy, into: &steps)
        case .granted:
            noteGrant(into: &steps)
        case .refused(let refusal, let isLast, let owned, let askedAt):
            if isLast {
                noteLastRefusal(refusal, met, using: &generator, policy, into: &steps)
            } else {
                noteRefusal(refusal, owned, askedAt, met, using: &generator, policy, into: &steps)
            }
        case .released(let token):
            guard case .held = state else { return }
            vacate(succession(after: token, met), into: &steps)
        case .lost:
            lostLeases += 1
            guard case .held = state else { return }
            vacate(.atOnce(takingOverFrom: nil), into: &steps)
        case .lostLeaseReleased(let nodes):
            lostLeases -= 1
            steps.append(.vacated)
            learn(met, policy) { forecast in
                for node in nodes { forecast.released(node, at: met.now) }
            }
            reconsider(met, policy, into: &steps)
        case .told(let node):
            if isWatched { watchBox!.value.arbiter = node }
        case .rivals(let areThere):
            hasRivals = areThere
        case .heard(let message, let node):
            hear(message, node, met, policy, into: &steps)
        case .voted(let vote, let node, let remaining, let askedAt):
            noteVote(vote, of: node, remaining, askedAt, met, policy, into: &steps)
        case .subscribed(let node):
            noteSubscribed(node, met, policy, into: &steps)
        case .unsubscribed(let node):
            guard isWatched else { return }
            watchBox!.value.asked.remove(node)
            watchBox!.value.confirmed.remove(node)
        }
    }
}

// MARK: - Who comes to the front

extension Contention {
    private mutating func join(
        _ slot: Int, _ deadline: Instant, _ met: Circumstances, using generator: inout any RandomNumberGenerator,
        _ policy: Policy, into steps: inout [Step]
    ) {
        let waiter = Waiter(slot: slot, deadline: deadline, grantsBefore: grants)
        guard isIdle else {
            let place = queue.append(waiter)
            steps.append(.queued(slot: slot, place))
            if deadline <= met.now { endWait(place, into: &steps) }
            return
        }
        promote(
            waiter, mustGiveWay ? .givingWay : .atOnce(takingOverFrom: nil), met, using: &generator, policy,
            into: &steps)
    }

    /// Who was ahead of it may have done what was planned for it.
    private mutating func leave(_ slot: Int, _ place: WaiterQueue.Place?, into steps: inout [Step]) {
        if front?.slot == slot {
            if case .waiting = state {
                vacate(.asPlanned, into: &steps)
            } else {
                vacate(.atOnce(takingOverFrom: nil), into: &steps)
            }
        } else if let place {
            if queue.remove(place).isOverdue { overdueCount -= 1 }
        }
    }

    private mutating func vacate(_ succession: Succession, into steps: inout [Step]) {
        state = .vacant(succession)
        steps.append(.vacated)
    }

    private mutating func advance(
        _ met: Circumstances, using generator: inout any RandomNumberGenerator, _ policy: Policy,
        into steps: inout [Step]
    ) {
        guard case .vacant(let succession) = state else { return }
        guard let ends = queue.ends else { return retire(met, into: &steps) }
        let next = policy.rules.next(oldest: Int(ends.oldest), newest: Int(ends.newest))
        var waiter = queue.remove(WaiterQueue.Place(next))
        if waiter.isOverdue { overdueCount -= 1 }
        waiter.isOverdue = false
        promote(waiter, succession, met, using: &generator, policy, into: &steps)
    }

    private mutating func promote(
        _ waiter: Waiter, _ succession: Succession, _ met: Circumstances,
        using generator: inout any RandomNumberGenerator, _ policy: Policy, into steps: inout [Step]
    ) {
        switch succession {
        case .atOnce(let token):
            beginAttempt(waiter, takingOverFrom: token, met, policy, into: &steps)
        case .asPlanned:
            state = .waiting(waiter, until: met.now)
            reconsider(met, policy, into: &steps)
        case .givingWay:
            state = .waiting(waiter, until: met.now)
            giveWay(met, using: &generator, policy, into: &steps)
            reconsider(met, policy, into: &steps)
        }
    }

    /// Nobody is left. What others contend for is remembered for a while; so is a lost lease, until it is released.
    private mutating func retire(_ met: Circumstances, into steps: inout [Step]) {
        guard lostLeases == 0 else { return }
        lastRefusal = nil
        state = .vacant(.atOnce(takingOverFrom: nil))
        steps.append(.retire(lingers: !met.isShuttingDown && (isWatched || hasRivals)))
    }

    /// The holder lets go: the next of this process takes over, unless others are to have their turn.
    private func succession(after token: Token, _ met: Circumstances) -> Succession {
        guard !queue.isEmpty, !met.isShuttingDown else { return .atOnce(takingOverFrom: nil) }
        return mustGiveWay ? .givingWay : .atOnce(takingOverFrom: token)
    }
}

// MARK: - Attempts

extension Contention {
    private mutating func beginAttempt(
        _ waiter: Waiter, takingOverFrom token: Token?, _ met: Circumstances, _ policy: Policy,
        into steps: inout [Step]
    ) {
        let seemsFree = isFree(at: met.now, policy)
        var approach = Approach(takingOverFrom: token, isContended: token == nil && (waiter.hasTried || isWatched))
        if token == nil, let watch, let arbiter = watch.arbiter, watch.confirmed.contains(arbiter) {
            let isWorthIt = waiter.hasTried ? seemsFree : hasRivals || !seemsFree
            if isWorthIt { approach.asksFirst = arbiter }
        }
        if isWatched { watchBox!.value.isUnchecked = false }
        var waiter = waiter
        waiter.hasTried = true
        state = .acquiring(waiter, triesFree: seemsFree)
        steps.append(.attempt(slot: waiter.slot, approach))
    }

    /// Whether, as far as is known, a quorum of nodes is free.
    private func isFree(at now: Instant, _ policy: Policy) -> Bool {
        guard isWatched else { return false }
        return watchBox!.value.freeAt(quorum: policy.quorum) <= now
    }

    private mutating func noteGrant(into steps: inout [Step]) {
        guard case .acquiring(let front, _) = state else { return }
        state = .held(front)
        lastRefusal = nil
        grants &+= 1
        turns += 1
        refusals = 0
        if isWatched { watchBox!.value.noteGrant() }
        answerOverdue(into: &steps)
    }

    /// The front was refused and will try again.
    private mutating func noteRefusal(
        _ refusal: Refusal, _ owned: NodeSet, _ askedAt: Instant, _ met: Circumstances,
        using generator: inout any RandomNumberGenerator, _ policy: Policy, into steps: inout [Step]
    ) {
        guard case .acquiring(let front, let triesFree) = state else { return }
        if refusal.reason == .heldByAnother, front.deadline > met.now + Limits.shortestWatchedWait {
            beginWatch(owned, askedAt, met, policy, into: &steps)
        }
        plan(after: refusal, triesFree, met, using: &generator, policy)
        let next = nextAttempt(policy)
        state = .waiting(front, until: min(next, front.deadline))
        steps.append(.wait(slot: front.slot, until: next))
        answerOverdue(into: &steps)
    }

    /// The front was refused for good: who is behind waits on in its place.
    private mutating func noteLastRefusal(
        _ refusal: Refusal, _ met: Circumstances, using generator: inout any RandomNumberGenerator, _ policy: Policy,
        into steps: inout [Step]
    ) {
        guard case .acquiring(_, let triesFree) = state else { return }
        guard !queue.isEmpty else { return vacate(.atOnce(takingOverFrom: nil), into: &steps) }
        plan(after: refusal, triesFree, met, using: &generator, policy)
        answerOverdue(into: &steps)
        vacate(.asPlanned, into: &steps)
    }

    /// Draws the pauses before the next attempt.
    private mutating func plan(
        after refusal: Refusal, _ triesFree: Bool, _ met: Circumstances,
        using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        let parameters = policy.parameters
        let dice = generator.next()
        refusals = min(refusals + 1, 32)
        let retry = policy.rules.retryDelay(parameters.retryDelay, jitter: parameters.retryJitter, dice: dice)
        let fallback = policy.rules.fallbackDelay(parameters.fallbackDelay, dice: dice)
        lastRefusal = refusal
        followsWatch = refusal.reason == .heldByAnother
        switch refusal.reason {
        case .heldByAnother:
            turns = 0
            // Votes that are split, or for all that is known may be: soon, then ever more seldom.
            let isSplit = refusal.votes.contains(where: \.isOurs) || watch?.forecast.knowsAnything != true
            latest = met.now + (isSplit ? min(retry * (1 << min(refusals - 1, 20)), fallback) : fallback)
        case .unavailable, .expired, .cancelled, .shutDown:
            latest = met.now + min(retry, fallback)
        }
        guard isWatched else { return }
        if watchBox!.value.isUnchecked { latest = met.now }
        watchBox!.value.backOff(afterCollision: triesFree, window: met.wakeWindow, using: &generator, policy)
    }

    private func nextAttempt(_ policy: Policy) -> Instant {
        guard followsWatch, isWatched else { return latest }
        return min(latest, watchBox!.value.freeAt(quorum: policy.quorum) + watchBox!.value.backoff)
    }

    /// The front tries when the plan says so: now, perhaps.
    private mutating func reconsider(_ met: Circumstances, _ policy: Policy, into steps: inout [Step]) {
        guard case .waiting(let front, _) = state else { return }
        let next = nextAttempt(policy)
        state = .waiting(front, until: min(next, front.deadline))
        steps.append(.wait(slot: front.slot, until: next))
        if min(next, front.deadline) <= met.now {
            beginAttempt(front, takingOverFrom: nil, met, policy, into: &steps)
        }
    }
}

// MARK: - The end of a wait

extension Contention {
    /// The wait of a queued request is over: it is told what is known of those ahead, now or once that is known.
    private mutating func endWait(_ place: WaiterQueue.Place, into steps: inout [Step]) {
        let slot = queue[place].slot
        if isHeld {
            steps.append(.refuse(slot: slot, nil))
        } else if let lastRefusal {
            steps.append(
                .refuse(slot: slot, Refusal(reason: lastRefusal.reason, attempts: 0, votes: lastRefusal.votes)))
        } else if !queue[place].isOverdue {
            queue[place].isOverdue = true
            overdueCount += 1
            steps.append(.overdue(slot: slot))
        }
    }

    private mutating func answerOverdue(into steps: inout [Step]) {
        guard overdueCount > 0 else { return }
        var overdue: [WaiterQueue.Place] = []
        queue.forEach { if queue[$0].isOverdue { overdue.append($0) } }
        for place in overdue {
            endWait(place, into: &steps)
            queue[place].isOverdue = false
        }
        overdueCount = 0
    }

    /// Says what of this process stands before a request that is refused.
    ///
    /// - Parameter place: Where it is queued; nil for the front.
    func noteAhead(_ refusal: inout Refusal, _ place: WaiterQueue.Place?) {
        if let place {
            refusal.ahead = isHeld ? .holder : .contender
            refusal.changedHands = grants != queue[place].grantsBefore
            return
        }
        if refusal.reason == .heldByAnother, lostLeases > 0 { refusal.ahead = .lostHolder }
        if let front { refusal.changedHands = grants != front.grantsBefore }
    }
}

// MARK: - Other processes

extension Contention {
    /// Whether this process has had its turns, and others wait.
    private var mustGiveWay: Bool { hasRivals && turns >= Limits.turnsInARow }

    /// Lets other processes go first: the front tries when they had their chance, or have had the resource.
    private mutating func giveWay(
        _ met: Circumstances, using generator: inout any RandomNumberGenerator, _ policy: Policy,
        into steps: inout [Step]
    ) {
        beginWatch(NodeSet(), met.now, met, policy, into: &steps)
        let parameters = policy.parameters
        turns = 0
        followsWatch = true
        latest =
            met.now
            + policy.rules.retryDelay(parameters.retryDelay, jitter: parameters.retryJitter, dice: generator.next())
        if isWatched { watchBox!.value.giveWay(at: met.now, window: met.wakeWindow, using: &generator, policy) }
    }

    private mutating func hear(
        _ message: Channel.Message, _ node: Int, _ met: Circumstances, _ policy: Policy, into steps: inout [Step]
    ) {
        guard isWatched else { return }
        if message == .released { watchBox!.value.arbiter = node }
        learn(met, policy) { forecast in
            switch message {
            case .released: forecast.releasedEverywhere(at: met.now)
            case .free: forecast.released(node, at: met.now)
            case .taken(let time): forecast.taken(node, for: time, at: met.now)
            }
        }
        reconsider(met, policy, into: &steps)
    }

    /// What a vote says of a node, for when to try next.
    private mutating func noteVote(
        _ vote: Vote, of node: Int, _ remaining: Nanoseconds?, _ askedAt: Instant, _ met: Circumstances,
        _ policy: Policy, into steps: inout [Step]
    ) {
        guard isWatched else { return }
        learn(met, policy) {
            $0.voted(vote, of: node, remaining: remaining, askedAt: askedAt, at: met.now)
        }
        // One that does not answer says nothing of who has the resource.
        if case .failed = vote, arbiter == node { watchBox!.value.arbiter = nil }
        // A vote that came after the decision changes when to try next; nobody begins an attempt in the middle of one.
        guard case .waiting(let front, _) = state else { return }
        let next = nextAttempt(policy)
        state = .waiting(front, until: min(next, front.deadline))
        steps.append(.wait(slot: front.slot, until: next))
    }

    private mutating func learn(_ met: Circumstances, _ policy: Policy, _ change: (inout Forecast) -> Void) {
        guard isWatched else { return }
        watchBox!.value.learn(at: met.now, quorum: policy.quorum, change)
    }
}

// MARK: - Watching

extension Contention {
    /// From here on, what others say about this resource is heard.
    private mutating func beginWatch(
        _ owned: NodeSet, _ askedAt: Instant, _ met: Circumstances, _ policy: Policy, into steps: inout [Step]
    ) {
        guard !isWatched, met.mayWatch else { return }
        var watch = Watch(nodes: policy.parameters.nodes)
        watch.learn(at: met.now, quorum: policy.quorum) { forecast in
            for node in owned { forecast.voted(.granted, of: node, remaining: nil, askedAt: askedAt, at: met.now) }
        }
        watchBox = OnHeap(watch)
        steps.append(.watch)
    }

    mutating func endWatch() { watchBox = nil }

    mutating func noteSubscribing(_ node: Int) { watchBox!.value.asked.insert(node) }

    private mutating func noteSubscribed(
        _ node: Int, _ met: Circumstances, _ policy: Policy, into steps: inout [Step]
    ) {
        guard isWatched else { return }
        watchBox!.value.confirmed.insert(node)
        let confirmed = watchBox!.value.confirmed.count
        guard policy.rules.checksAgain(confirmed: confirmed, quorum: policy.quorum) else { return }
        watchBox!.value.isUnchecked = true
        // What is free is tried in its turn anyway. A round trip, so that one attempt will do for those that confirm at
        // about the same time.
        if !isFree(at: met.now, policy) {
            let check = confirmed == policy.parameters.nodes ? met.now : met.now + met.roundTrip
            latest = min(latest, check)
        }
        reconsider(met, policy, into: &steps)
    }
}
