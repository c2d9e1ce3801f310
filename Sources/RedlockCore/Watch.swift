/// What others say about a resource that somebody here waits for, and how long to stay behind them.
///
/// There is one while its channels are subscribed to.
struct Watch: Sendable {
    private(set) var forecast: Forecast
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
    private(set) var backoff = Nanoseconds.zero
    /// The back-off from when others have taken it on: this process is giving way.
    private var backoffAfterOthers: Nanoseconds?
    /// Doubles the pauses drawn, with every attempt that came too late.
    private var collisions: Int64 = 0

    init(nodes: Int) {
        forecast = Forecast(nodes: nodes)
    }

    /// From when on a quorum of nodes can be free, the arbiter among them if it can be heard.
    func freeAt(quorum: Int) -> Instant {
        let freeAt = forecast.freeAt(quorum: quorum, heard: confirmed)
        guard let arbiter, confirmed.contains(arbiter) else { return freeAt }
        return max(freeAt, forecast.freeAt[arbiter])
    }

    /// Changes what is known of the nodes.
    ///
    /// Time that the resource was free counts against the back-off, as in a carrier-sense protocol: who was passed by
    /// is nearer to its turn the next time.
    mutating func learn(at now: Instant, quorum: Int, _ change: (inout Forecast) -> Void) {
        let before = freeAt(quorum: quorum)
        change(&forecast)
        guard before <= now, freeAt(quorum: quorum) > now else { return }
        backoff = backoffAfterOthers.take() ?? max(.zero, backoff - (now - before))
    }

    /// An attempt was refused: draws the pause for when the resource becomes free.
    mutating func backOff(
        afterCollision: Bool, window: Nanoseconds, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        if afterCollision { collisions = min(collisions + 1, Limits.wakeDoublings) }
        backoffAfterOthers = nil
        backoff = policy.rules.wakeDelay(window * (1 << collisions), dice: generator.next())
    }

    mutating func noteGrant() { collisions = max(collisions - 1, 0) }

    /// Others go first: a pause that is longer than any of theirs, unless they are heard to have taken it.
    mutating func giveWay(
        at now: Instant, window: Nanoseconds, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        forecast.releasedEverywhere(at: now)
        let pause = policy.rules.wakeDelay(window, dice: generator.next())
        backoffAfterOthers = pause
        backoff = window * (1 << Limits.wakeDoublings) + pause
    }
}
