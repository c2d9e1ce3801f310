import RedlockCore

// Overlap, quorum margin and resurrection: what holders believe, against what the nodes have.

extension World {
    /// The caller has its lease: from now on it believes in it.
    mutating func openHold(_ worker: Int, _ fencingToken: Int64?) {
        let client = workers[worker].client
        let resource = workers[worker].resource
        let attempt = workers[worker].attempt
        guard attempt >= 0 else { return violate(.answers, "client \(client) was granted a lock without an attempt") }
        let index = holds.count
        let end = time(of: workers[worker].validUntil, client)
        holds.append(
            Hold(
                worker: worker, client: client, resource: resource, attempt: attempt,
                token: attempts[Int(attempt)].token, fencingToken: fencingToken, grantedAt: now,
                ticketsAtGrant: tickets,
                validUntil: workers[worker].validUntil, end: end))
        workers[worker].hold = index
        latestHold[resource] = index
        checkOverlap(index)
        judgeToken(index)
        believers[resource].append(index)
        tallyWait(resource)
        recordBelief(index)
        measure(index, at: now)
        queue.add(.beliefEnd, index, at: end)
    }

    /// An extension moved the end.
    mutating func extendHold(_ index: Int, to validUntil: Instant) {
        guard index >= 0 else { return }
        holds[index].validUntil = validUntil
        recomputeEnd(index)
        guard holds[index].end > now, !holds[index].isOpen, holds[index].hasLapsed else { return }
        violate(
            .resurrection,
            "\(name(holds[index].attempt)) had no valid lease from \(seconds(holds[index].closedAt)) on, "
                + "and then was told that it was extended")
        holds[index].isOpen = true
        believers[holds[index].resource].append(index)
        checkOverlap(index)
        queue.add(.beliefEnd, index, at: holds[index].end)
    }

    /// After a change of the lease or of the holder's clock.
    private mutating func recomputeEnd(_ index: Int) {
        guard holds[index].isOpen || holds[index].hasLapsed else { return }
        let before = holds[index].end
        holds[index].end = time(of: holds[index].validUntil, holds[index].client)
        if holds[index].isOpen, holds[index].end < before {
            queue.add(.beliefEnd, index, at: max(holds[index].end, now))
        }
        recordBelief(index)
    }

    /// The holder's clock was changed: its belief ends at another moment.
    mutating func clockChanged(of client: Int) {
        for index in openHolds() where holds[index].client == client { recomputeEnd(index) }
        resetTimer(client)
    }

    mutating func beliefMayEnd(_ index: Int) {
        guard holds[index].isOpen else { return }
        guard holds[index].end <= now else { return queue.add(.beliefEnd, index, at: holds[index].end) }
        mark(.keyExpired)
        close(index, at: holds[index].end, "its end came")
        holds[index].hasLapsed = true
    }

    mutating func closeHold(_ index: Int, _ reason: String) {
        guard index >= 0, holds[index].isOpen else { return }
        close(index, at: now, reason)
    }

    private mutating func close(_ index: Int, at moment: Int64, _ reason: String) {
        measure(index, at: min(moment, holds[index].end - 1))
        holds[index].isOpen = false
        holds[index].closedAt = moment
        judgePolling(index)
        let resource = holds[index].resource
        believers[resource].removeAll { $0 == index }
        tallyWait(resource)
        guard isTracing else { return }
        trace.append(
            TraceRecord(
                .disbelieve, at: now, client: holds[index].client, worker: holds[index].worker, resource: resource,
                attempt: holds[index].attempt, text: reason))
    }

    private func openHolds() -> [Int] {
        believers.flatMap { $0 }
    }

    private mutating func recordBelief(_ index: Int) {
        guard isTracing else { return }
        trace.append(
            TraceRecord(
                .believe, at: now, client: holds[index].client, worker: holds[index].worker,
                resource: holds[index].resource, attempt: holds[index].attempt, value: holds[index].end))
    }

    mutating func checkOverlap(_ index: Int) {
        guard holds[index].end > now else { return }
        for other in believers[holds[index].resource] where other != index && holds[other].end > now {
            violate(
                .overlap,
                "\(name(holds[other].attempt)) and \(name(holds[index].attempt)) both hold resource "
                    + "\(Format.letter(holds[index].resource)); the first until \(seconds(holds[other].end))")
            measure(other, at: now)
        }
    }
}

// MARK: - Margin

extension World {
    /// Counts, for a holder that believes at this moment, the nodes from which another could have the lock.
    ///
    /// What is gone stays gone until something changes a node, so it is enough to look just before each such change,
    /// and at the end of the belief.
    mutating func measure(_ index: Int, at moment: Int64) {
        guard moment >= holds[index].grantedAt, moment < holds[index].end else { return }
        let view = clients[holds[index].client].view
        var gone = 0
        for node in view where nodes[node].power == .up {
            if nodes[node].live(holds[index].resource, at: moment)?.token != holds[index].token,
                mayVote(node, at: moment)
            {
                gone += 1
            }
        }
        let quorum = view.count / 2 + 1
        let margin = quorum - gone
        outcome.leastMargin = min(outcome.leastMargin ?? margin, margin)
        if margin == 1 { mark(.keyOutlivedByLease) }
        if isTracing {
            trace.append(
                TraceRecord(
                    .margin, at: moment, client: holds[index].client, resource: holds[index].resource,
                    attempt: holds[index].attempt, value: Int64(max(margin, 0))))
        }
        guard margin <= 0 else {
            if measuresSlack { measureSlack(index, margin, view, at: moment) }
            return
        }
        violate(
            .quorumMargin,
            "\(name(holds[index].attempt)) believes that it holds resource \(Format.letter(holds[index].resource)) until "
                + "\(seconds(holds[index].end)), but \(gone) of \(view.count) nodes do not have its key: another "
                + "could get the lock now", at: moment)
    }

    /// For how long after the end of the belief its keys would still keep another out, if nothing else happened.
    private mutating func measureSlack(_ index: Int, _ margin: Int, _ view: [Int], at moment: Int64) {
        var ends: [Int64] = []
        for node in view where nodes[node].power == .up {
            guard let entry = nodes[node].live(holds[index].resource, at: moment), entry.token == holds[index].token
            else { continue }
            // Gone when the clock reads more than the expiry.
            ends.append(nodes[node].clock.time(of: (entry.expiresAt + 1) * 1_000_000))
        }
        // While the clock of the holder's machine stands still, its belief has no end that is known.
        guard ends.count >= margin, holds[index].end < Clock.never else { return }
        ends.sort()
        let slack = ends[margin - 1] - holds[index].end
        outcome.leastSlack = min(outcome.leastSlack ?? slack, slack)
    }

    /// To be called before anything but a command of the library changes a node, and before a clock is changed.
    mutating func measureAll() {
        for index in openHolds() { measure(index, at: min(now, holds[index].end - 1)) }
    }

    func seconds(_ time: Int64) -> String { time < Clock.never ? Format.seconds(time) : "its clock goes on" }
}
