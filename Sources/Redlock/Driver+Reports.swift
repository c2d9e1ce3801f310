internal import RedlockCore

// What the engine reports, in the words of the public events.

extension Driver {
    /// - Parameter parts: What is due in the engine.
    func noProgress(_ parts: [String]) -> Redlock.Event {
        var event = Redlock.Event(kind: .noProgress)
        let due = parts.isEmpty ? "nothing that can be named" : parts.joined(separator: ", ")
        event.reason =
            "an error in the library: \(Limits.idleTimers) timers in a row changed nothing, and \(due) is still due; "
            + "please report it with this line"
        return event
    }

    func event(for report: Report) -> Redlock.Event? {
        func about(
            _ kind: Redlock.Event.Kind, _ lock: LockID, _ votes: [Vote] = [], after pause: Nanoseconds? = nil
        ) -> Redlock.Event? {
            guard let client = clients[lock] else { return nil }
            var event = Redlock.Event(kind: kind)
            event.resource = client.resource
            event.votes = self.votes(votes, after: pause)
            event.pause = pause.map { Duration($0) }
            return event
        }
        func about(_ kind: Redlock.Event.Kind, node: Int) -> Redlock.Event {
            var event = Redlock.Event(kind: kind)
            event.node = nodes[node].name
            return event
        }
        func until(_ instant: Instant) -> Duration {
            Duration(max(instant - clock.now(), .zero))
        }

        var event: Redlock.Event?
        switch report {
        case .attempt(let lock, let number):
            event = about(.attempt, lock)
            event?.attempt = number
        case .vote(let lock, let node, let vote):
            event = about(.vote, lock)
            event?.votes = [nodeVote(vote, of: node)]
        case .raised(let lock, let number, _):
            event = about(.numberRaised, lock)
            event?.fencingToken = number
        case .refused(let lock, let refusal, let retryAt):
            event = about(retryAt == nil ? .refused : .retry, lock)
            event?.votes = votes(of: refusal)
            event?.pause = refusal.pause.map { Duration($0) }
            event?.attempt = refusal.attempts
            event?.remaining = retryAt.map(until)
            event?.reason = refusal.words
        case .granted(let lock, let grant):
            event = about(.acquired, lock, grant.votes)
            event?.attempt = grant.attempts
            event?.fencingToken = grant.fencingToken
            event?.remaining = until(grant.validUntil)
        case .extended(let lock, let validUntil, let votes):
            event = about(.extended, lock, votes)
            event?.remaining = until(validUntil)
        case .notExtended(let lock, let refusal):
            event = about(.notExtended, lock, refusal.votes, after: refusal.pause)
            event?.remaining = clients[lock]?.lease.map { until($0.validUntil) }
            event?.reason = refusal.words
        case .repaired(let lock, let node):
            event = about(.repaired, lock)
            event?.node = nodes[node].name
        case .atRisk(let lock, let risk):
            event = about(.atRisk, lock, risk.votes, after: risk.pause)
            event?.remaining = until(risk.validUntil)
            event?.reason = risk.words
        case .recovered(let lock, let validUntil):
            event = about(.recovered, lock)
            event?.remaining = until(validUntil)
        case .lost(let lock, let loss):
            event = about(.lost, lock, loss.votes, after: loss.pause)
            event?.remaining = until(loss.validUntil)
            event?.reason = loss.words
        case .released(let lock):
            event = about(.released, lock)
        case .connected(let node):
            event = about(.nodeConnected, node: node)
        case .disconnected(let node, let reason, let retryAt):
            event = about(.nodeDisconnected, node: node)
            event?.remaining = until(retryAt)
            event?.reason = reason
        case .stalled(let node):
            event = about(.nodeStalled, node: node)
        case .answersAgain(let node):
            event = about(.nodeAnswers, node: node)
        case .quarantined(let node, let quarantine):
            event = about(.nodeQuarantined, node: node)
            event?.remaining = until(quarantine.until)
            event?.reason = quarantine.words(at: clock.now())
        case .quarantineOver(let node):
            event = about(.nodeQuarantineEnded, node: node)
        case .sameServer(let node, let first):
            event = about(.sameServer, node: node)
            event?.reason = "it is the same server as \(nodes[first].name), and has no vote beside it"
        case .unverified(let node, let reason):
            event = about(.nodeUnverified, node: node)
            event?.reason = reason
        case .releaseDropped(let node):
            event = about(.releaseDropped, node: node)
        case .notificationsDenied(let node, let reason):
            event = about(.notificationsDenied, node: node)
            event?.reason = reason
        }
        return event
    }
}
