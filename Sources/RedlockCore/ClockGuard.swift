/// Watches the wall clock of one node: one that gains on ours by more than is allowed for has been set forward, or runs
/// too fast, and its keys end early.
///
/// A sample is what the node's clock read at some moment between sending the question and getting the answer. So how far
/// the clock is ahead of ours, less the gain that is allowed since our origin, is known to lie between two numbers. As
/// long as the clock keeps to the allowance that figure never rises. The lowest that was seen is kept: what has been
/// gained since then by steps, or by a rate a little too high, adds up, however often it is sampled.
struct ClockGuard: Sendable {
    /// How often the clock is read at most.
    static let interval = Nanoseconds.seconds(1)

    /// The lowest figure: it was at least, and at most, this.
    private var lowest: (least: Int64, most: Int64)?
    private(set) var lastSample: Instant?
    var toldUnreadable = false

    /// When the next sample is due.
    var due: Instant { lastSample.map { $0 + Self.interval } ?? Instant(nanoseconds: Int64.min / 2) }

    mutating func began(at now: Instant) {
        lastSample = now
    }

    struct Jump: Hashable, Sendable {
        var by: Nanoseconds
        /// For how long keys that were set before may end too early.
        var lasting: Nanoseconds
    }

    /// Takes a sample; nil when the clock has kept to the allowance.
    mutating func note(
        wall: Nanoseconds, sentAt: Instant, receivedAt: Instant, _ policy: Policy
    ) -> Jump? {
        let least = figure(wall, receivedAt, policy)
        let most = figure(wall, sentAt, policy)
        guard let kept = lowest else {
            lowest = (least, most)
            return nil
        }
        let gained = Nanoseconds(least - kept.most)
        let lasting = policy.rules.clockQuarantine(
            gainedAtLeast: gained, atMost: Nanoseconds(most - kept.least),
            partsPerMillion: policy.parameters.driftPartsPerMillion, longestTTL: policy.parameters.longestTTL)
        lowest = policy.rules.clockBaseline(kept: kept, latest: (least, most))
        guard let lasting else { return nil }
        // What no key lives long enough to suffer from is forgotten, or one jump would be held against it for hours.
        let floor = most - gain(policy.parameters.longestTTL.count, policy) - policy.drift(of: .zero).count
        lowest = (max(lowest!.least, floor), max(lowest!.most, floor))
        return Jump(by: gained, lasting: lasting)
    }

    private func figure(_ wall: Nanoseconds, _ instant: Instant, _ policy: Policy) -> Int64 {
        wall.count - instant.nanoseconds - gain(instant.nanoseconds, policy)
    }

    /// What a clock may gain in so many nanoseconds.
    private func gain(_ time: Int64, _ policy: Policy) -> Int64 {
        let (millions, rest) = time.quotientAndRemainder(dividingBy: 1_000_000)
        let rate = policy.rules.clockGain(partsPerMillion: policy.parameters.driftPartsPerMillion)
        return millions * rate + rest * rate / 1_000_000
    }
}

extension Reply {
    /// What `TIME` answered: seconds and microseconds. Nil for anything else, and for times beyond the year 2100.
    var wallClock: Nanoseconds? {
        guard case .list(let parts) = self, parts.count == 2, case .text(let seconds) = parts[0],
            case .text(let microseconds) = parts[1], let seconds = Int64(seconds),
            let microseconds = Int64(microseconds), (0..<4_102_444_800).contains(seconds),
            (0..<1_000_000).contains(microseconds)
        else { return nil }
        return .seconds(seconds) + .microseconds(microseconds)
    }
}
