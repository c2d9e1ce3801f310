internal import RedlockSimulation

// What was seen, taken one after the other: attempts, leases, writes and faults.

extension LiveJudge {
    mutating func takeAttempts() {
        for record in records {
            guard case .attempt(let token, let resource) = record.content else { continue }
            let number = Int32(attempts.count)
            attemptNumbers[token] = number
            attemptsOf[record.client * options.resources + resource, default: []].append(number)
            attempts.append(LiveAttempt(token: token, client: record.client, resource: resource, at: record.at))
            trace.append(
                TraceRecord(
                    .attempt, at: moment(record.at), client: record.client, resource: resource, attempt: number))
        }
    }

    mutating func take(_ record: LiveRecord) {
        let at = moment(record.at)
        switch record.content {
        case .report(let report): take(report, record)
        case .clientGone:
            for index in holds.indices
            where holds[index].id.client == record.client && holds[index].id.epoch == record.epoch {
                if holds[index].end > record.at { verdict.outcome.marks.insert(.clientCrashedHolding) }
                holds[index].close(at: record.at, "crashed")
            }
            trace.append(TraceRecord(.client, at: at, client: record.client, text: "its process is gone"))
        case .attempt: break
        case .lateCommand: verdict.outcome.marks.insert(.setOnOldConnection)
        case .key(let node, let resource, let token):
            trace.append(
                TraceRecord(
                    .key, at: at, node: node, resource: resource, attempt: attemptNumbers[token] ?? -1,
                    value: moment(finish)))
        case .faultBegan(let index):
            verdict.faults[schedule.faults[index].kind, default: 0] += 1
            trace.append(
                TraceRecord(.fault, at: at, value: Int64(index), text: schedule.faults[index].sentence))
        case .faultEnded(let index):
            trace.append(
                TraceRecord(.faultEnd, at: at, value: Int64(index), text: schedule.faults[index].sentence))
        case .node(let node, let text): trace.append(TraceRecord(.node, at: at, node: node, text: text))
        case .client(let client, let text): trace.append(TraceRecord(.client, at: at, client: client, text: text))
        case .breach(let name, let subject):
            if let assumption = Assumption(rawValue: name) { breach(assumption, subject, at: record.at) }
        case .forgot(let node):
            trace.append(TraceRecord(.node, at: at, node: node, text: "may have forgotten"))
        case .strangeExpiry(let node, let resource, let left):
            violate(
                .orphanKey,
                left < 0
                    ? "the key of resource \(Format.letter(resource)) on node \(node) has no expiry"
                    : "the key of resource \(Format.letter(resource)) on node \(node) ends in \(left) ms, later than any ttl",
                at: record.at)
        case .keyLeft(let node, let resource, let left):
            verdict.keysLeft += 1
            violate(
                .orphanKey,
                "the key of resource \(Format.letter(resource)) is still on node \(node), though every ttl is over"
                    + (left < 0 ? "; it has no expiry" : ""), at: record.at)
        case .starved(let resources):
            violate(
                .liveness, "all faults are over, and these resources are not granted: \(resources)", at: record.at)
        case .unanswered:
            violate(.answers, "client \(record.client) did not end: somebody waits for an answer", at: record.at)
        }
    }

    private mutating func take(_ report: ClientReport, _ record: LiveRecord) {
        let id = LiveHold.ID(client: record.client, epoch: record.epoch, number: report.hold)
        let worker = (record.client * 1_000_000 + record.epoch) * 16 + report.worker
        switch report.kind {
        case .ready, .ended: return
        case .asked:
            askedAt[worker] = report.at
            return
        case .errorReply:
            verdict.outcome.marks.insert(.errorReply)
            return
        case .granted: takeGrant(report, id, askedAt: askedAt[worker])
        case .refused:
            switch report.text {
            case "unavailable": verdict.outcome.marks.insert(.unavailable)
            case "expired": verdict.outcome.marks.insert(.expiredWhileAcquiring)
            case "cancelled": verdict.outcome.marks.insert(.cancelled)
            default: break
            }
        case .extended, .lost, .releasing, .written, .writeRefused:
            guard takeEvent(report, of: id), report.kind != .written else { return }
        case .notExtended: verdict.outcome.marks.insert(.extensionFailed)
        case .atRisk: verdict.outcome.marks.insert(.atRisk)
        case .recovered: verdict.outcome.marks.insert(.recovered)
        case .repaired: verdict.outcome.marks.insert(.repaired)
        case .noProgress: violate(.progress, "client \(record.client): \(report.text)", at: record.at)
        case .released: break
        }
        let text =
            switch report.kind {
            case .refused, .notExtended, .lost: "\(report.kind.rawValue): \(report.text)"
            default: report.kind.rawValue
            }
        trace.append(
            TraceRecord(
                .answer, at: moment(report.at), client: record.client, worker: report.worker, resource: report.resource,
                attempt: latestAttempt(record.client, report.resource, before: report.at), text: text))
    }

    private mutating func takeGrant(_ report: ClientReport, _ id: LiveHold.ID, askedAt: Int64?) {
        verdict.outcome.grants += 1
        verdict.outcome.grantsPerClient.grow(to: id.client + 1)
        verdict.outcome.grantsPerClient[id.client] += 1
        if let askedAt { verdict.latencies.append(report.at - askedAt) }
        holdNumbers[id] = holds.count
        holds.append(
            LiveHold(
                id: id, worker: report.worker, resource: report.resource, grantedAt: report.at,
                beganAt: askedAt ?? report.at, fencingToken: report.other, validUntil: report.value))
    }

    /// What befell a lease; false when its grant was never told.
    private mutating func takeEvent(_ report: ClientReport, of id: LiveHold.ID) -> Bool {
        switch report.kind {
        case .extended:
            verdict.outcome.extensions += 1
            verdict.outcome.marks.insert(.extended)
        case .lost: verdict.outcome.losses += 1
        case .writeRefused: verdict.outcome.marks.insert(.writeRefusedByCheck)
        default: break
        }
        guard let place = holdNumbers[id] else { return false }
        switch report.kind {
        case .extended: extend(place, to: report.value, toldAt: report.at)
        case .lost:
            verdict.outcome.marks.insert(report.at < report.value ? .lossTold : .lossByExpiry)
            holds[place].validUntil = max(holds[place].validUntil, report.value)
            holds[place].close(at: report.at, "lost")
        case .releasing:
            holds[place].validUntil = max(holds[place].validUntil, report.value)
            holds[place].close(at: report.at, "released")
        case .written:
            writes.append(
                LiveWrite(hold: place, checkedAt: report.value, plannedAt: report.other, sentAt: report.at))
        case .writeRefused: holds[place].refusedAt = min(holds[place].refusedAt, report.at)
        default: preconditionFailure("\(report.kind) does not befall a lease")
        }
        return true
    }

    private mutating func extend(_ place: Int, to validUntil: Int64, toldAt: Int64) {
        let hold = holds[place]
        if hold.refusedAt < validUntil, hold.validUntil < hold.refusedAt, validUntil > hold.validUntil {
            violate(
                .resurrection,
                "client \(hold.id.client) found its lease invalid at \(seconds(hold.refusedAt)), and then was told that it "
                    + "was extended", at: toldAt)
        }
        holds[place].validUntil = max(hold.validUntil, validUntil)
    }

    /// The attempt that a client began last on a resource; -1 for none.
    func latestAttempt(_ client: Int, _ resource: Int, before time: Int64) -> Int32 {
        guard let list = attemptsOf[client * options.resources + resource] else { return -1 }
        let next = list.partitioningIndex { attempts[Int($0)].at > time }
        return next == 0 ? -1 : list[next - 1]
    }
}

extension [Int] {
    fileprivate mutating func grow(to count: Int) {
        while self.count < count { append(0) }
    }
}
