// What a pause of this process has to do with an outcome. Decisions never depend on it: it explains them.

extension Engine {
    /// A pause that is shorter does not explain the end of a lease: its loss margin is there for such delays.
    private func shortestPause(of request: AcquireRequest) -> Nanoseconds {
        max(Limits.shortestPause, min(policy.parameters.lossMargin ?? .forever, request.ttl / 10))
    }

    /// A pause that is shorter does not explain that a node did not answer in time.
    private var shortestPauseOfNode: Nanoseconds { max(Limits.shortestPause, policy.parameters.nodeTimeout) }

    /// The pauses since the last round of a lease that a quorum granted.
    private func pauses(in slot: Int) -> Pauses.Sum? {
        guard !pauses.isEmpty, let hold = locks[slot].hold?.value else { return nil }
        return pauses.sum(since: hold.grantedRoundStart, atLeast: shortestPause(of: locks[slot].request))
    }

    func explain(_ loss: inout Loss, _ slot: Int) {
        guard let pause = pauses(in: slot), let hold = locks[slot].hold?.value else { return }
        switch loss.reason {
        case .expired, .notExtended:
            loss.votes = hold.votes(on: pause.end)
        case .taken:
            // What the nodes were asked before the pause, they answer without regard to it.
            guard hold.votesAskedAt >= pause.end else { return }
        case .clockJumped, .keyGone, .clockGained, .maximumHold, .shutDown:
            return
        }
        loss.pause = pause.length
    }

    func explain(_ risk: inout RiskReport, _ slot: Int) {
        guard risk.risk == .notExtended, let pause = pauses(in: slot), let hold = locks[slot].hold?.value else {
            return
        }
        risk.votes = hold.votes(on: pause.end)
        risk.pause = pause.length
    }

    func explain(_ refusal: inout ExtensionRefusal, _ slot: Int) {
        switch refusal.reason {
        case .expired, .lost:
            guard refusal.reason == .expired || locks[slot].lossReason == .notExtended, let pause = pauses(in: slot),
                let hold = locks[slot].hold?.value
            else { return }
            refusal.votes = hold.votes(on: pause.end)
            refusal.pause = pause.length
        case .notExtended:
            guard !pauses.isEmpty, let hold = locks[slot].hold?.value else { return }
            refusal.pause = pauses.sum(since: hold.votesAskedAt, atLeast: shortestPauseOfNode)?.length
        case .released:
            return
        }
    }

    func explain(_ refusal: inout Refusal, _ slot: Int) {
        guard !pauses.isEmpty, let attempt = locks[slot].attempt else { return }
        switch refusal.reason {
        case .expired:
            let shortest = shortestPause(of: locks[slot].request)
            guard let pause = pauses.sum(since: attempt.start, atLeast: shortest) else { return }
            refusal.votes = attempt.votes(on: pause.end)
            refusal.pause = pause.length
        case .unavailable:
            refusal.pause = pauses.sum(since: attempt.start, atLeast: shortestPauseOfNode)?.length
        case .heldByAnother, .cancelled, .shutDown:
            return
        }
    }
}
