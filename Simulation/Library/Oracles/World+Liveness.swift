import RedlockCore

/// How long one resource has been wanted and free while nothing was wrong.
struct Starvation: Sendable {
    var total: Int64 = 0
    /// Since when it is wanted and free now; -1 when it is not.
    var since: Int64 = -1
    /// Attempts made in that time.
    var attempts = 0
    /// When somebody last tried, or began to be free to.
    var triedAt: Int64 = 0
}

// Liveness, livelock, orphan keys and answers: what must happen, rather than what must not.

extension World {
    /// To be called when a resource begins or ceases to be wanted or held.
    mutating func tallyWait(_ resource: Int) {
        if waits[resource].since >= 0 {
            waits[resource].total += now - waits[resource].since
            waits[resource].attempts += 1
        }
        let isWanted = workers.contains {
            $0.phase == .acquiring && $0.resource == resource && clients[$0.client].isRunning
        }
        let isStarving = isWanted && believers[resource].isEmpty && activeFaults == 0
        if !isStarving || waits[resource].since < 0 { waits[resource].triedAt = now }
        if isStarving { judgeWakeUp(resource) }
        waits[resource].since = isStarving ? now : -1
        judgeWait(resource)
    }

    private mutating func judgeWait(_ resource: Int) {
        guard waits[resource].total > options.livenessBound + setBack else { return }
        let attempts = waits[resource].attempts
        let wait = Format.length(waits[resource].total)
        let isSplit = attempts > 20
        violate(
            isSplit ? .livelock : .liveness,
            "resource \(Format.letter(resource)) was wanted and free for \(wait) with no fault in force, and nobody got it"
                + (isSplit ? " in some \(attempts) attempts: the votes are split again and again" : ""))
    }

    /// Something began or ended to be wrong: what is owed to callers counts from here.
    mutating func restartWaits() {
        for resource in waits.indices {
            waits[resource] = Starvation()
            waits[resource].triedAt = now
            tallyWait(resource)
        }
    }

    /// A grant after the healing. Once every resource has had a few, the run has shown what it was to show.
    mutating func noteProgress(_ resource: Int) {
        guard isHealed, !options.scripted else { return }
        healedGrants[resource] += 1
        guard healedGrants.allSatisfy({ $0 >= Self.enoughGrants }), !isEnding else { return }
        isEnding = true
        queue.add(.end, 0, at: min(schedule.endAt, now + 2 * orphanGrace))
    }

    private static var enoughGrants: Int { 3 }

    private var isHealed: Bool { now >= schedule.healAt && now >= schedule.lastFaultEnd }

    // MARK: Orphans

    /// How long a release may be under way when nothing is wrong.
    var orphanGrace: Int64 { 8 * (3 * options.delay + options.jitter) + options.nodeTimeout + 2_000_000 }

    /// A key of an attempt that is over, on a node with which its client has a working connection where nothing is
    /// under way: the release was not sent, or not to this node.
    mutating func checkOrphans(of index: Int) {
        let attempt = attempts[index]
        // After a ttl its keys are over without any release.
        guard now < attempt.endedAt + attempt.ttl, attempt.epoch == clients[attempt.client].epoch,
            !clients[attempt.client].isDown
        else { return }
        var isLeft = false
        for node in clients[attempt.client].view {
            guard let entry = nodes[node].live(attempt.resource, at: now), entry.attempt == Int32(index) else {
                // A SET may be under way still.
                if !isSettled(attempt.client, node) { isLeft = true }
                continue
            }
            isLeft = true
            if isReleaseDelivered(entry, attempt, node) {
                violate(
                    .orphanKey,
                    "the attempt of \(name(Int32(index))) was over at \(seconds(attempt.endedAt)), and its key is still "
                        + "on node \(node), which would have executed its release")
            }
        }
        if isLeft { queue.add(.orphanCheck, index, at: now + max(orphanGrace, attempt.ttl / 6)) }
    }

    /// Nothing is under way between them, and the node has taken all that came.
    private func isSettled(_ client: Int, _ node: Int) -> Bool {
        let slot = links[linkIndex(client, node)].connection
        return nodes[node].power == .up && nodes[node].pauses == 0 && slot >= 0 && connections[slot].isQuiet
    }

    private func isReleaseDelivered(_ entry: SimulatedNode.Entry, _ attempt: AttemptRecord, _ node: Int) -> Bool {
        let link = linkIndex(attempt.client, node)
        let slot = links[link].connection
        guard slot >= 0, nodes[node].power == .up, nodes[node].pauses == 0, nodes[node].busyUntil <= now,
            clients[attempt.client].pauses == 0, lastErrorAt[node] < attempt.start
        else { return false }
        let connection = connections[slot]
        guard connection.readyAt < now - orphanGrace, connection.isQuiet else { return false }
        // Set over the connection in use, or before it was made: then the release was owed first thing.
        return entry.connection == connection.serial || entry.setAt < connection.readyAt
    }

    // MARK: The end

    /// The last look at everything that is still open.
    mutating func endJudgement() {
        measureAll()
        for resource in waits.indices { tallyWait(resource) }
        let grace = options.nodeTimeout * 4 + options.ttl + WorldOptions.milliseconds(1_000)
        for worker in workers.indices where clients[workers[worker].client].isRunning {
            let client = workers[worker].client
            let reading = engineTime(client)
            switch workers[worker].phase {
            case .acquiring:
                guard let request = workers[worker].request, request.deadline + Nanoseconds(grace) < reading else {
                    break
                }
                violate(.answers, "client \(client) waits for an answer long after the deadline of its request")
            case .releasing where now - workers[worker].releaseAsked > grace + longestPause:
                violate(.answers, "client \(client) waits for the end of a release")
            case .thinking, .held, .releasing, .gone: break
            }
        }
        if mutant?.isCanary == true { violate(.canary, "this failure is made on purpose") }
    }

    private var longestPause: Int64 {
        schedule.faults.reduce(0) { max($0, $1.kind.target == .client ? $1.duration : 0) }
    }
}
