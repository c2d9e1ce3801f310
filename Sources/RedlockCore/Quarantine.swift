/// The time in which a node casts no votes, because locks that it granted may be gone without its knowing.
package struct Quarantine: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// It was started at ``Quarantine/since``.
        case started
        /// Another server answers at its address since ``Quarantine/since``: a replica that took over, another machine.
        case replaced
        /// It did not say at ``Quarantine/since`` what it is: it may be any server, started at any time.
        case malformed(String)
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

    /// What a client decides that meets a server for the first time, by the rules as they ship; nil when it lets it
    /// vote.
    package static func atFirstSight(
        of greeting: Greeting, dialledAt: Instant, at now: Instant, _ parameters: Parameters
    ) -> Quarantine? {
        var memory = NodeMemory()
        _ = memory.met(greeting, dialledAt: dialledAt, at: now, Policy(rules: StandardRules(), parameters: parameters))
        return memory.quarantine(at: now)
    }
}

/// What this client knows of a node's memory: which server it is, and until when it may have forgotten locks.
///
/// The rule is that of the Redis documentation ("Distributed locks with Redis", the section on crash recovery): a node
/// without durable storage stays out after a crash for longer than the longest ttl. For votes, a node in quarantine is
/// a node that is still down. Why it is enough, and what is trusted, is in docs/algorithm.md.
struct NodeMemory: Sendable {
    /// The server that answered last.
    private(set) var server: NodeFacts?
    /// A moment at which it was still running: its answers came later than what they answer was sent.
    private var aliveAt = Instant(nanoseconds: Int64.min / 2)
    private var quarantine: Quarantine?
    private var toldUnverified = false

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
        func unverified(_ reason: String) {
            guard !toldUnverified, policy.parameters.quarantine > .zero else { return }
            toldUnverified = true
            news.append(.unverified(reason))
        }
        switch greeting {
        case .server(let facts):
            if case .unknown(let reason) = facts.durability { unverified(reason) }
            if let quarantine = judge(facts, at: now, policy), extendQuarantine(quarantine, at: now) {
                news.append(.quarantined(quarantine))
            }
            if facts.runID != server?.runID { aliveAt = dialledAt }
            server = facts
            heard(fromAfter: dialledAt)
        case .unknown(let reason):
            // As the documentation has it, without the quarantine: whoever set the server up answers for it.
            unverified(reason)
        case .malformed(let reason):
            server = nil
            let end = policy.rules.quarantineEnd(
                firstSeen: now, started: now, isReplacement: true, length: policy.parameters.quarantine)
            let quarantine = Quarantine(.malformed(reason), since: now, until: end)
            if extendQuarantine(quarantine, at: now) { news.append(.quarantined(quarantine)) }
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
        heard(fromAfter: dialledAt)
    }

    /// Whether, and until when, a server must not vote that answers at this address now.
    private func judge(_ facts: NodeFacts, at now: Instant, _ policy: Policy) -> Quarantine? {
        let started = latestStart(facts.uptime, at: now, policy)
        guard let known = server else {
            guard !facts.isDurable else { return nil }
            return quarantine(.started, since: started, isReplacement: false, started: started, at: now, policy)
        }
        let isPromoted = known.isReplica && !facts.isReplica
        guard facts.runID != known.runID || isPromoted else { return nil }
        // One that says it was running while the other still answered is no restart of it: another server, or a clock
        // that was set. What it has on its disk is not what the other had.
        let isRestart = started >= aliveAt && !isPromoted
        if isRestart, known.isDurable, facts.isDurable { return nil }
        return quarantine(
            isRestart ? .started : .replaced, since: isRestart ? started : now, isReplacement: true, started: started,
            at: now, policy)
    }

    private func quarantine(
        _ reason: Quarantine.Reason, since: Instant, isReplacement: Bool, started: Instant, at now: Instant,
        _ policy: Policy
    ) -> Quarantine {
        let end = policy.rules.quarantineEnd(
            firstSeen: now, started: started, isReplacement: isReplacement, length: policy.parameters.quarantine)
        return Quarantine(reason, since: since, until: end)
    }

    /// Redis subtracts two clocks that count whole seconds, so it may be a second younger than it says; and its clock
    /// may be fast. Set back since the start, it says less than zero.
    private func latestStart(_ uptime: Nanoseconds, at now: Instant, _ policy: Policy) -> Instant {
        let age = max(min(uptime, Limits.longestUptime) - .seconds(1), .zero)
        return now - max(age - policy.drift(of: age), .zero)
    }
}
