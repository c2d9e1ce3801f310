import RedlockCore

// Waiting: that a release wakes somebody, that nobody asks without need, and that a process serves in order.

extension World {
    /// To be called while a resource is wanted and nobody believes to hold it.
    mutating func judgeWakeUp(_ resource: Int) {
        let since = waits[resource].triedAt
        let bound = options.wakeUpBound(hasFaults: !schedule.faults.isEmpty) + setBack
        guard now - since > bound, let free = quorumFreeSince(resource), now - max(since, free) > bound else { return }
        var voters = 0
        for node in nodes.indices where mayVote(node, forWaitersOf: resource) { voters += 1 }
        guard voters >= options.quorum else {
            waits[resource].triedAt = now
            return
        }
        violate(
            .lostWakeUp,
            "resource \(Format.letter(resource)) was wanted, and free on a quorum since \(seconds(free)), and nobody tried "
                + "to get it for \(Format.length(now - max(since, free)))")
    }

    /// Since when a quorum of all nodes has no key of the resource; nil when a majority has.
    private func quorumFreeSince(_ resource: Int) -> Int64? {
        var moments: [Int64] = []
        for node in nodes {
            guard node.power == .up, let moment = node.freeSince(resource, at: now) else { continue }
            moments.append(moment)
        }
        moments.sort()
        return moments.count >= options.quorum ? moments[options.quorum - 1] : nil
    }

    /// Whether none of those who want the resource has the node wait: it would be of no use to ask.
    private mutating func mayVote(_ node: Int, forWaitersOf resource: Int) -> Bool {
        for worker in workers where worker.phase == .acquiring && worker.resource == resource {
            guard let place = clients[worker.client].view.firstIndex(of: node) else { continue }
            if engines[worker.client].quarantine(of: place, at: engineTime(worker.client)) != nil { return false }
        }
        return true
    }

    /// An attempt was made.
    mutating func noteTry(_ worker: Int, _ resource: Int) {
        waits[resource].triedAt = now
        guard workers[worker].attemptNumber > 1 else { return }
        for hold in believers[resource] { holds[hold].attemptsOfOthers += 1 }
    }

    /// While one holds, each other process may ask a few times: to learn for how long, when its subscription is there,
    /// when it was woken too late, when the keys could have expired but were extended; and by its fallback.
    mutating func judgePolling(_ index: Int) {
        guard schedule.faults.isEmpty, !options.scripted else { return }
        let length = now - holds[index].grantedAt
        let requests = Int64(workers.count { $0.ticket > 0 }) + Int64(tickets - holds[index].ticketsAtGrant)
        let expiries = length * 3 / max(options.shortestTTL / 2, 1) + 1
        let fallbacks = length / min(options.shortestFallback, options.retryDelay * 32) + 1
        let allowed = 4 * requests + Int64(options.clients) * (expiries + fallbacks)
        guard holds[index].attemptsOfOthers > allowed else { return }
        violate(
            .polling,
            "while \(name(holds[index].attempt)) held resource \(Format.letter(holds[index].resource)) for "
                + "\(Format.length(length)), others tried \(holds[index].attemptsOfOthers) times again")
    }

    /// The worker was granted its lock: nobody of its process may have waited for it longer.
    mutating func judgeTurn(_ worker: Int) {
        let client = workers[worker].client
        for other in workers.indices
        where workers[other].client == client && workers[other].resource == workers[worker].resource {
            if workers[other].phase == .releasing { mark(.handedOver) }
            guard other != worker, workers[other].phase == .acquiring, workers[other].ticket < workers[worker].ticket
            else { continue }
            violate(
                .order,
                "client \(client) was granted resource \(Format.letter(workers[worker].resource)) for a task that had come "
                    + "after another which still waits for it")
        }
    }

    /// A token goes out with an attempt: none of the last ones may have had it.
    mutating func judgeToken(_ token: Token, _ client: Int) {
        for index in attempts.indices.suffix(Self.tokensCompared)
        where attempts[index].token == token {
            violate(.tokenReuse, "client \(client) used the token of attempt #\(index) for another attempt")
        }
    }

    private static var tokensCompared: Int { 16 }
}
