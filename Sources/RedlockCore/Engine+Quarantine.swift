// Nodes that may have forgotten locks, and nodes whose clocks cannot be relied on.

extension Engine {
    func report(_ news: NodeMemory.News, of node: Int, _ turn: inout Turn) {
        switch news {
        case .quarantined(let quarantine): report(.quarantined(node: node, quarantine), &turn)
        case .unverified(let reason): report(.unverified(node: node, reason), &turn)
        }
    }

    /// What an answer counts for. One that was under way when the node lost its credit does not count as a grant, nor
    /// one to what it was sent in quarantine. That a key is gone is believed of every node.
    func vote(_ reply: Reply, to entry: NodeSession.Entry, of node: Int, at now: Instant) -> Vote {
        let vote = reply.vote(on: entry.command.operation)
        if entry.command.isRelease {
            // Confirmed under the other name.
            return sessions[node].twin.map { .failed(.sameServer(as: $0.first)) } ?? vote
        }
        guard let failure = entry.quarantine?.value ?? sessions[node].barredFailure(at: now) else { return vote }
        switch vote {
        case .granted, .numberTooLow: return .failed(failure)
        case .pending, .notAsked, .heldByAnother, .missing, .failed: return vote
        }
    }

    /// The server was asked again what it is. A connection to what gives no locks ends, as that of a greeting does; the
    /// next one tells which server it is.
    mutating func noteLook(of node: Int, sentAt: Instant, _ turn: inout Turn) {
        guard let greeting = sessions[node].readLook(policy) else { return }
        let (news, ending) = sessions[node].memory.looked(greeting, sentAt: sentAt, at: turn.now, policy)
        for news in news { report(news, of: node, &turn) }
        if case .unknown = greeting { sessions[node].scheduleLook(after: greeting, at: turn.now, policy) }
        if let ending { leave(node, because: ending, &turn) }
    }

    /// The server refused a write as a replica does.
    mutating func noteReplica(_ node: Int, _ turn: inout Turn) {
        sessions[node].memory.answeredAsReplica()
        leave(node, because: Greeting.replica, &turn)
    }

    private mutating func leave(_ node: Int, because reason: String, _ turn: inout Turn) {
        guard case .ready(let connection) = sessions[node].phase else { return }
        disconnect(node, connection, reason, .turnedAway, &turn)
    }

    /// The node said what time it has.
    mutating func noteClock(_ reply: Reply, of node: Int, sentAt: Instant, _ turn: inout Turn) {
        guard let wall = reply.wallClock else { return noteUnreadableClock(reply, of: node, &turn) }
        let jump = sessions[node].clock.note(wall: wall, sentAt: sentAt, receivedAt: turn.now, policy)
        guard let jump else { return }
        let known = sessions[node].memory.quarantine(at: turn.now)
        var quarantine = Quarantine(.clockJumped(by: jump.by), since: turn.now, until: turn.now + jump.lasting)
        var isNews = true
        // The same jump is seen again by the samples that follow it.
        if let known, case .clockJumped(let by) = known.reason {
            quarantine.since = known.since
            quarantine.reason = .clockJumped(by: max(by, jump.by))
            isNews = false
        }
        guard sessions[node].memory.extendQuarantine(quarantine, at: turn.now) else {
            return distrust(node, quarantine, .clockJumped, &turn)
        }
        if isNews { report(.quarantined(node: node, quarantine), &turn) }
        distrust(node, quarantine, .clockJumped, &turn)
    }

    /// Its grants do not count any more, where they were counted already: for attempts, extensions and held leases.
    mutating func distrust(_ node: Int, _ quarantine: Quarantine, _ reason: Loss.Reason, _ turn: inout Turn) {
        let failure = Vote.Failure.quarantined(quarantine, at: turn.now)
        for slot in locks.indices where locks.isUsed(slot) {
            let lock = locks.lock(in: slot)
            let machine = locks[slot]
            if let number = machine.attemptResting(on: node, endingBefore: quarantine.until) {
                count(.failed(failure), of: node, for: .attempt(lock, number: number), &turn)
            }
            if let round = machine.extensionResting(on: node) {
                count(.failed(failure), of: node, for: .extend(lock, round: round), &turn)
            }
            let loss = locks[slot].distrust(
                node, .failed(failure), endingBefore: quarantine.until, reason, policy)
            if let loss {
                tellLoss(loss, lock, slot, &turn)
            }
        }
    }

    private mutating func noteUnreadableClock(_ reply: Reply, of node: Int, _ turn: inout Turn) {
        guard !sessions[node].clock.toldUnreadable else { return }
        let reason: String
        switch reply {
        case .error(let text):
            // One that ails answers so to everything, for a while.
            guard text.utf8.starts(with: "NOPERM".utf8) || text.utf8.starts(with: "ERR unknown".utf8) else { return }
            reason = "TIME: \(text)"
        default:
            reason = "TIME was answered with no time"
        }
        sessions[node].clock.toldUnreadable = true
        report(.unverified(node: node, reason), &turn)
    }
}
