/// The time for which a node that may have lost locks is barred from voting.
package struct Quarantine: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// It was started at ``Quarantine/since``.
        case started
        /// Another server answers at its address since ``Quarantine/since``: a replica that took over, another machine.
        case replaced
        /// What it said at ``Quarantine/since`` of itself makes no sense: it may be any server, started at any time.
        case malformed(String)
        /// Connected at ``Quarantine/since``, and it may not be asked what it is: likewise.
        case unknown(String)
        /// At ``Quarantine/since`` its wall clock was found to have gained so much on ours: keys ended early.
        case clockJumped(by: Nanoseconds)
        /// At ``Quarantine/since`` it reported a negative uptime: its wall clock was ahead when the server was started.
        case clockSetBack
        /// At ``Quarantine/since`` a key of this client was gone so long before its time, while another node had it.
        case keyGone(early: Nanoseconds)
    }

    package var reason: Reason
    package var since: Instant
    package var until: Instant

    package init(_ reason: Reason, since: Instant, until: Instant) {
        self.reason = reason
        self.since = since
        self.until = until
    }

    /// The decision of a client that meets a server for the first time, by the rules as they ship; nil if the server
    /// votes at once.
    package static func atFirstSight(
        of greeting: Greeting, dialledAt: Instant, at now: Instant, _ parameters: Parameters
    ) -> Quarantine? {
        var memory = NodeMemory()
        _ = memory.met(greeting, dialledAt: dialledAt, at: now, Policy(rules: StandardRules(), parameters: parameters))
        return memory.quarantine(at: now)
    }
}

/// What this client knows of a node's memory: which server it is, and until when it may have lost locks.
///
/// The rule is that of the Redis documentation ("Distributed locks with Redis", the section on crash recovery): a node
/// without durable storage stays out after a crash for longer than the longest ttl. For votes, a node in quarantine is
/// a node that is still down. Only evidence shortens it: what this client saw, and an uptime that is long enough. Why
/// that is enough, and what is trusted, is in docs/algorithm.md.
struct NodeMemory: Sendable {
    /// The server that answered last.
    private(set) var server: NodeFacts?
    /// A moment at which it was still running: its answers came later than what they answer was sent.
    private var aliveAt = Instant(nanoseconds: Int64.min / 2)
    private var quarantine: Quarantine?
    private var toldUnverified = false
    private var record: DurableRecord?
    /// A server that does not say what it is refused a write as a replica does.
    private var wasReplica = false

    /// A time for which this client saw that the server kept every write, or served nobody.
    private struct DurableRecord: Sendable {
        /// What was granted before this is not covered.
        var since: Instant
        /// The last sign.
        var seenAt: Instant
    }

    /// Why it casts no votes now; nil when it does.
    func quarantine(at now: Instant) -> Quarantine? {
        guard let quarantine, now < quarantine.until else { return nil }
        return quarantine
    }

    /// The quarantine whose end has not been told yet, over or not.
    var untold: Quarantine? { quarantine }

    /// True when a quarantine was over, and is forgotten with this.
    mutating func endQuarantine(at now: Instant) -> Bool {
        guard let quarantine, quarantine.until <= now else { return false }
        self.quarantine = nil
        return true
    }

    /// It answered what was sent at this moment.
    mutating func heard(fromAfter sentAt: Instant) {
        aliveAt = max(aliveAt, sentAt)
    }

    /// True when it was not in quarantine, or is so for longer now.
    mutating func extendQuarantine(_ new: Quarantine, at now: Instant) -> Bool {
        guard new.until > now else { return false }
        if let quarantine, quarantine.until >= new.until { return false }
        quarantine = new
        return true
    }

    enum News: Hashable, Sendable {
        case quarantined(Quarantine)
        /// What should be known of it is not: told once.
        case unverified(String)
    }

    /// A connection to it is made, dialled at this moment.
    mutating func met(_ greeting: Greeting, dialledAt: Instant, at now: Instant, _ policy: Policy) -> [News] {
        var news: [News] = []
        switch greeting {
        case .server(let facts):
            if case .unknown(let reason) = facts.durability { noteUnverified(reason, &news, policy) }
            bar(judge(facts, at: now, policy), at: now, &news)
            take(facts, from: dialledAt, at: now, policy)
        case .unknown(let reason):
            noteUnverified(reason, &news, policy)
            forgetServer()
            guard policy.rules.barsUnknown() else { break }
            bar(untilForgotten(.unknown(reason), at: now, policy), at: now, &news)
        case .malformed(let reason):
            forgetServer()
            bar(untilForgotten(.malformed(reason), at: now, policy), at: now, &news)
        case .sentinel:
            break
        }
        return news
    }

    /// A server has been greeted that is asked for no locks: as a replica it may take over, and is then another server.
    mutating func metUnfit(_ greeting: Greeting, dialledAt: Instant) {
        guard case .server(let facts) = greeting else { return }
        if facts.runID != server?.runID { aliveAt = dialledAt }
        server = facts
        record = nil
        heard(fromAfter: dialledAt)
    }

    /// The server was asked again, at this moment, and says this. Returns why the connection is to end, if it is.
    mutating func looked(
        _ greeting: Greeting, sentAt: Instant, at now: Instant, _ policy: Policy
    ) -> (news: [News], ending: String?) {
        if let reason = greeting.unfitness {
            metUnfit(greeting, dialledAt: sentAt)
            return ([], reason)
        }
        if case .unknown(let reason) = greeting {
            // The connection is the same, so the server is; how it keeps its writes is not known from here on.
            var news: [News] = []
            noteUnverified(reason, &news, policy)
            record = nil
            return (news, nil)
        }
        let known = server
        let news = met(greeting, dialledAt: sentAt, at: now, policy)
        guard case .server(let facts) = greeting, let known, facts.runID != known.runID else { return (news, nil) }
        return (news, "another server answers on this connection")
    }

    /// It refused a write as a replica does.
    mutating func answeredAsReplica() {
        record = nil
        if server == nil { wasReplica = true }
        server?.isReplica = true
    }

    /// A dial at this moment found that nobody is served.
    mutating func servedNobody(dialledAt: Instant, at now: Instant, _ policy: Policy) {
        guard let record, policy.rules.isSeenThrough(gap: now - record.seenAt) else { return }
        self.record!.seenAt = max(record.seenAt, dialledAt)
    }
}

// MARK: - Decisions

extension NodeMemory {
    private mutating func noteUnverified(_ reason: String, _ news: inout [News], _ policy: Policy) {
        guard !toldUnverified, policy.parameters.quarantine > .zero else { return }
        toldUnverified = true
        news.append(.unverified(reason))
    }

    private mutating func bar(_ quarantine: Quarantine?, at now: Instant, _ news: inout [News]) {
        guard let quarantine, extendQuarantine(quarantine, at: now) else { return }
        news.append(.quarantined(quarantine))
    }

    private mutating func forgetServer() {
        server = nil
        record = nil
        wasReplica = false
    }

    private mutating func take(_ facts: NodeFacts, from sentAt: Instant, at now: Instant, _ policy: Policy) {
        if !facts.isDurable {
            record = nil
        } else if isSeenThrough(at: now, policy), !isReplacement(facts, at: now, policy) {
            record!.seenAt = max(record!.seenAt, sentAt)
        } else {
            record = DurableRecord(since: now, seenAt: sentAt)
        }
        if facts.runID != server?.runID { aliveAt = sentAt }
        server = facts
        wasReplica = false
        heard(fromAfter: sentAt)
    }

    /// The record reaches to this moment.
    private func isSeenThrough(at now: Instant, _ policy: Policy) -> Bool {
        guard let record else { return false }
        return policy.rules.isSeenThrough(gap: now - record.seenAt)
    }

    /// It may have the data of another server, which did not know of all locks.
    private func isPromoted(_ facts: NodeFacts) -> Bool {
        guard let known = server else { return wasReplica || facts.wasPromoted }
        if known.isReplica { return !facts.isReplica }
        return known.runID == facts.runID ? facts.wasPromoted(since: known) : facts.wasPromoted
    }

    /// It was promoted, or it says that it was running while the other still answered. Then it is no restart of that:
    /// another server, or a clock that was set. What it has on its disk is not what the other had.
    private func isReplacement(_ facts: NodeFacts, at now: Instant, _ policy: Policy) -> Bool {
        if isPromoted(facts), policy.rules.promotionIsStart() { return true }
        guard let known = server, known.runID != facts.runID else { return false }
        return latestStart(facts.uptime, at: now, policy) < aliveAt
    }

    /// Whether, and until when, a server must not vote that answers at this address now.
    private func judge(_ facts: NodeFacts, at now: Instant, _ policy: Policy) -> Quarantine? {
        let started = latestStart(facts.uptime, at: now, policy)
        guard !isReplacement(facts, at: now, policy) else {
            return quarantine(.replaced, since: now, isReplacement: true, started: started, at: now, policy)
        }
        if let known = server, known.runID == facts.runID { return nil }
        guard let known = server else {
            if facts.isDurable, policy.believesDurability { return nil }
            return quarantine(.started, since: started, isReplacement: false, started: started, at: now, policy)
        }
        if facts.isDurable {
            if known.isDurable, policy.believesDurability { return nil }
            // Only what was granted before the record began can be lost.
            if let record, isSeenThrough(at: now, policy) {
                return quarantine(
                    .started, since: started, isReplacement: true, started: started, at: record.since, policy)
            }
        }
        return quarantine(.started, since: started, isReplacement: true, started: started, at: now, policy)
    }

    private func untilForgotten(_ reason: Quarantine.Reason, at now: Instant, _ policy: Policy) -> Quarantine {
        quarantine(reason, since: now, isReplacement: true, started: now, at: now, policy)
    }

    private func quarantine(
        _ reason: Quarantine.Reason, since: Instant, isReplacement: Bool, started: Instant, at seen: Instant,
        _ policy: Policy
    ) -> Quarantine {
        let end = policy.rules.quarantineEnd(
            firstSeen: seen, started: started, isReplacement: isReplacement, length: policy.parameters.quarantine)
        return Quarantine(reason, since: since, until: end)
    }

    /// Redis subtracts two clocks that count whole seconds, so it may be a second younger than it says; and its clock
    /// may be fast. Set back since the start, it says less than zero.
    private func latestStart(_ uptime: Nanoseconds, at now: Instant, _ policy: Policy) -> Instant {
        let age = max(min(uptime, Limits.longestUptime) - .seconds(1), .zero)
        return now - max(age - policy.drift(of: age), .zero)
    }
}
