/// One resource, as this process wants it: who goes to the nodes or holds it, who is behind, and when to try again.
///
/// A value: it decides, and its ``Engine`` acts. There is one for every resource that is held or wanted here, and for a
/// while after if others wanted it too.
struct WaitingLine: Sendable {
    /// What it takes to be told of releases; only of resources that somebody waits for.
    struct Watch: Sendable {
        var forecast: Forecast
        /// The node over which the last release was told. Who heard it asks that one first, and the others only if it
        /// grants: so those who are woken together do not split the votes.
        var arbiter: Int?
        /// Where the channel is subscribed to, or is being.
        var asked = NodeSet()
        /// Where the subscription is confirmed.
        var confirmed = NodeSet()
        /// Subscriptions were confirmed after the last attempt began: what happened in between was not heard.
        var isUnchecked = false
        /// How long the front stays behind others when the resource becomes free: what is left of it.
        var backoff = Nanoseconds.zero
        /// The back-off from when others have taken it on: this process is giving way.
        var backoffAfterOthers: Nanoseconds?
        /// Doubles the pauses drawn, with every attempt that came too late.
        var collisions: Int64 = 0
        /// Its place in the engine's list of watches.
        var place: Int

        /// From when on a quorum of nodes can be free, the arbiter among them if it can be heard.
        func freeAt(quorum: Int) -> Instant {
            let freeAt = forecast.freeAt(quorum: quorum, heard: confirmed)
            guard let arbiter, confirmed.contains(arbiter) else { return freeAt }
            return max(freeAt, forecast.freeAt[arbiter])
        }
    }

    /// What the front does when it takes the place of another.
    enum Succession: Hashable, Sendable {
        /// It tries at once.
        case atOnce
        /// It waits on, as the one before did.
        case asPlanned
        /// It lets other processes go first.
        case givingWay
    }

    let key: LineKey
    /// Tells the uses of a place in the table apart.
    var generation: UInt64 = 0
    /// The slot of the request that goes to the nodes, or holds. The rest waits for it.
    var front: Int?
    /// The slots of those behind it, oldest and newest.
    var oldest: Int?
    var newest: Int?
    /// Those whose wait is over, and to whom nothing true can be said before the first attempt is decided.
    var overdue: [LockID] = []
    /// What the last attempt came to, while nobody here holds the resource.
    var evidence: Refusal?
    var succession = Succession.atOnce
    /// Grants of this process since the line was made; wraps around.
    var grants: UInt32 = 0
    /// Leases of this process that were lost and are not released: their keys may still be there.
    var lostLeases = 0
    /// Grants of this process in a row since it last let others go first.
    var turns = 0
    /// Other processes were seen to wait: ``LineTable/noteRivals(_:at:)``.
    var hasRivals = false
    /// The front's next attempt is not later.
    var latest = Instant.distantFuture
    /// The attempt under way was made because the resource seemed free.
    var triesFree = false
    var refusals: Int64 = 0
    /// Whether ``Watch/forecast`` says when to try next: not after an outage.
    var followsForecast = false
    /// The token of the holder that the next attempt takes over from.
    var released: Token?
    var watch: Watch?
    /// How often it was used: a line that is not used again is let go after a while.
    var uses: UInt64 = 0

    init(key: LineKey) {
        self.key = key
    }

    var isIdle: Bool { front == nil && oldest == nil }
}

// MARK: - When to try again

extension WaitingLine {
    /// When the front's next attempt begins.
    func nextAttempt(quorum: Int) -> Instant {
        guard let watch, followsForecast else { return latest }
        return min(latest, watch.freeAt(quorum: quorum) + watch.backoff)
    }

    /// Changes what is known of the nodes.
    ///
    /// Time that the resource was free counts against the back-off, as in a carrier-sense protocol: who was passed by
    /// is nearer to its turn the next time.
    mutating func learn(at now: Instant, quorum: Int, _ change: (inout Forecast) -> Void) {
        guard watch != nil else { return }
        let before = watch!.freeAt(quorum: quorum)
        change(&watch!.forecast)
        guard before <= now, watch!.freeAt(quorum: quorum) > now else { return }
        watch!.backoff = watch!.backoffAfterOthers.take() ?? max(.zero, watch!.backoff - (now - before))
    }

    /// An attempt was refused: draws the pauses before the next.
    mutating func plan(
        after refusal: Refusal, at now: Instant, window: Nanoseconds,
        using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        let parameters = policy.parameters
        let dice = generator.next()
        refusals = min(refusals + 1, 32)
        let retry = policy.rules.retryDelay(parameters.retryDelay, jitter: parameters.retryJitter, dice: dice)
        let fallback = policy.rules.fallbackDelay(parameters.fallbackDelay, dice: dice)
        evidence = refusal
        followsForecast = refusal.reason == .heldByAnother
        switch refusal.reason {
        case .heldByAnother:
            turns = 0
            // Votes that are split, or for all that is known may be: soon, then ever more seldom.
            let isSplit = refusal.votes.contains(where: \.isOurs) || watch?.forecast.knowsAnything != true
            latest = now + (isSplit ? min(retry * (1 << min(refusals - 1, 20)), fallback) : fallback)
        case .unavailable, .expired, .cancelled, .shutDown:
            latest = now + min(retry, fallback)
        }
        guard watch != nil else { return }
        if watch!.isUnchecked { latest = now }
        if triesFree { watch!.collisions = min(watch!.collisions + 1, Limits.wakeDoublings) }
        watch!.backoffAfterOthers = nil
        watch!.backoff = policy.rules.wakeDelay(window * (1 << watch!.collisions), dice: generator.next())
    }
}

extension WaitingLine {
    /// Whether, as far as is known, a quorum of nodes is free.
    func isFree(at now: Instant, quorum: Int) -> Bool {
        watch.map { $0.freeAt(quorum: quorum) <= now } ?? false
    }

    mutating func granted() {
        evidence = nil
        grants &+= 1
        turns += 1
        refusals = 0
        triesFree = false
        if watch != nil { watch!.collisions = max(watch!.collisions - 1, 0) }
    }

    /// Others go first: a pause that is longer than any of theirs, unless they are heard to have taken it.
    mutating func giveWay(
        at now: Instant, window: Nanoseconds, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        let parameters = policy.parameters
        turns = 0
        followsForecast = true
        latest =
            now
            + policy.rules.retryDelay(parameters.retryDelay, jitter: parameters.retryJitter, dice: generator.next())
        guard watch != nil else { return }
        watch!.forecast.releasedEverywhere(at: now)
        watch!.backoffAfterOthers = policy.rules.wakeDelay(window, dice: generator.next())
        watch!.backoff = window * (1 << Limits.wakeDoublings) + watch!.backoffAfterOthers!
    }
}
