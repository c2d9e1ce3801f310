/// Watches the wall clock of one node: one that gains on ours by more than is allowed for has been set forward, or runs
/// too fast, and its keys end early.
///
/// A sample is what the node's clock read at some moment between sending the question and getting the answer. So how
/// far the clock is ahead of ours, less the gain that is allowed since our origin, is known to lie between two numbers.
/// As long as the clock keeps to the allowance that figure never rises. The lowest that was seen is kept: what has been
/// gained since then by steps, or by a rate a little too high, adds up, however often it is sampled.
struct ClockGuard: Sendable {
    /// How often the clock is read at most.
    static let interval = Nanoseconds.seconds(1)

    /// The figure, of which is known that it was at least, and at most, this.
    typealias Figure = (least: Int64, most: Int64)

    /// The lowest so far.
    private var lowest: Figure?
    /// When it was last found to have risen, and the lowest since then: keys that are set from then on compare with
    /// that.
    private var rise: (at: Instant, lowest: Figure)?
    private(set) var lastSample: Instant?
    var toldUnreadable = false
    /// The present server's run id, if it is known, and when this client first met that server. A key that was granted
    /// before was granted by another server.
    private var run: (id: String?, since: Instant) = (nil, Instant(nanoseconds: Int64.min / 2))
    /// The run whose negative uptime was noticed: the uptime stays negative, and says nothing new.
    private var runSetBack: String?

    /// When the next sample is due.
    var due: Instant { lastSample.map { $0 + Self.interval } ?? Instant(nanoseconds: Int64.min / 2) }

    mutating func began(at now: Instant) {
        lastSample = now
    }

    /// A connection to the server is made. True if its uptime shows for the first time that its clock was set back
    /// since its start: the clock was ahead while the server loaded its keys, and keys may have ended early.
    mutating func met(_ greeting: Greeting, at now: Instant) -> Bool {
        guard case .server(let facts) = greeting else {
            run = (nil, now)
            return false
        }
        if run.id != facts.runID { run = (facts.runID, now) }
        guard facts.uptime < .zero, runSetBack != facts.runID else { return false }
        runSetBack = facts.runID
        return true
    }

    /// Whether the server is the one that this client was connected to at this instant.
    func isSameRun(as instant: Instant) -> Bool { run.since <= instant }

    struct Jump: Hashable, Sendable {
        var by: Nanoseconds
        /// For how long keys that were set before may end too early.
        var lasting: Nanoseconds
    }

    /// Takes a sample; nil when the clock has kept to the allowance.
    mutating func note(
        wall: Nanoseconds, sentAt: Instant, receivedAt now: Instant, _ policy: Policy
    ) -> Jump? {
        let latest = Figure(figure(wall, now, policy), figure(wall, sentAt, policy))
        let longest = policy.parameters.longestTTL
        // No key lives that is older than the last rise.
        if let rise, rise.at + longest <= now {
            lowest = rise.lowest
            self.rise = nil
        }
        guard let kept = lowest else {
            lowest = latest
            return nil
        }
        lowest = policy.rules.clockBaseline(kept: kept, latest: latest)
        let gained = Nanoseconds(latest.least - kept.most)
        let lasting = policy.rules.clockQuarantine(
            gainedAtLeast: gained, atMost: Nanoseconds(latest.most - kept.least),
            partsPerMillion: policy.parameters.driftPartsPerMillion, longestTTL: longest)
        guard let lasting else {
            rise = nil
            return nil
        }
        noteRise(latest, at: now, policy)
        return Jump(by: gained, lasting: min(lasting, rise!.at + longest - now))
    }

    /// The samples that follow a jump show it too. It has risen again only if they are higher than those before.
    private mutating func noteRise(_ latest: Figure, at now: Instant, _ policy: Policy) {
        guard let known = rise, latest.least - known.lowest.most <= policy.drift(of: .zero).count else {
            rise = (now, latest)
            return
        }
        rise!.lowest = policy.rules.clockBaseline(kept: known.lowest, latest: latest)
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
    package var wallClock: Nanoseconds? {
        guard case .list(let parts) = self, parts.count == 2, case .text(let seconds) = parts[0],
            case .text(let microseconds) = parts[1], let seconds = Int64(seconds),
            let microseconds = Int64(microseconds), (0..<4_102_444_800).contains(seconds),
            (0..<1_000_000).contains(microseconds)
        else { return nil }
        return .seconds(seconds) + .microseconds(microseconds)
    }
}
