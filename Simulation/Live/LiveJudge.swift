internal import RedlockSimulation

/// Judges what was seen in a live run by the promises of the simulator.
///
/// Moments of different processes are compared, as they come from one clock. It judges what it can see: it does not know in
/// which order a node executed commands, so it cannot say whose key a release deleted.
struct LiveJudge {
    let schedule: Schedule
    let options: WorldOptions
    let start: Int64
    let finish: Int64
    let records: [LiveRecord]
    let looks: [[LiveHistory.Look]]

    var holds: [LiveHold] = []
    private var holdNumbers: [LiveHold.ID: Int] = [:]
    var attempts: [LiveAttempt] = []
    private var attemptNumbers: [String: Int32] = [:]
    /// Of each client and resource, its attempts in order.
    private var attemptsOf: [Int: [Int32]] = [:]
    var writes: [LiveWrite] = []
    var verdict = LiveVerdict()
    var trace: [TraceRecord] = []
    private var askedAt: [Int: Int64] = [:]

    init(_ schedule: Schedule, start: Int64, end: Int64, records: [LiveRecord], looks: [[LiveHistory.Look]]) {
        self.schedule = schedule
        options = schedule.options
        self.start = start
        finish = end
        self.records = records.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
        self.looks = looks
    }

    func judge() -> LiveVerdict {
        var judge = self
        judge.takeAttempts()
        judge.judgeOptions()
        for record in records { judge.take(record) }
        judge.nameTokens()
        judge.judgeOverlaps()
        judge.judgeMargins()
        judge.judgeFencing()
        judge.judgeWrites()
        judge.finishTrace()
        judge.verdict.outcome.duration = finish - start
        judge.verdict.outcome.attempts = judge.attempts.count
        judge.verdict.trace = judge.trace
        return judge.verdict
    }

    func moment(_ time: Int64) -> Int64 { max(0, time - start) }
    func seconds(_ time: Int64) -> String { Format.seconds(moment(time)) }
    func name(_ hold: LiveHold) -> String {
        hold.attempt < 0 ? "client \(hold.id.client)" : "client \(hold.id.client) (attempt #\(hold.attempt))"
    }

    // MARK: Breaches and violations

    mutating func breach(_ assumption: Assumption, _ subject: String, at time: Int64) {
        verdict.breach(assumption, subject, at: moment(time))
        trace.append(
            TraceRecord(.breach, at: moment(time), text: "\(subject): no longer true that \(assumption.rawValue)"))
    }

    mutating func violate(_ oracle: Oracle, _ message: String, at time: Int64) {
        let isFirst = verdict.violate(oracle, message, at: moment(time), options)
        guard isFirst else { return }
        trace.append(TraceRecord(.violation, at: moment(time), text: "\(oracle.rawValue): \(message)"))
    }

    private mutating func judgeOptions() {
        let drift = options.driftPartsPerMillion * 1_000
        for node in 0..<options.nodes where LiveNode.baseRate(of: node, options) > drift {
            breach(.clockRates, "node \(node)", at: start)
        }
        if let first = options.views.first, options.views.contains(where: { $0 != first }) {
            breach(.oneNodeList, "the configuration", at: start)
        }
    }

    // MARK: Taking what was seen

    private mutating func takeAttempts() {
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

    private mutating func take(_ record: LiveRecord) {
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
        let place = holdNumbers[id]
        let process = (record.client * 1_000_000 + record.epoch) * 16 + report.worker
        switch report.kind {
        case .ready, .ended: return
        case .asked: askedAt[process] = report.at
        case .granted:
            verdict.outcome.grants += 1
            verdict.outcome.grantsPerClient.grow(to: record.client + 1)
            verdict.outcome.grantsPerClient[record.client] += 1
            if let asked = askedAt[process] { verdict.latencies.append(report.at - asked) }
            holdNumbers[id] = holds.count
            holds.append(
                LiveHold(
                    id: id, worker: report.worker, resource: report.resource, grantedAt: report.at,
                    beganAt: askedAt[process] ?? report.at,
                    fencingToken: report.other, validUntil: report.value))
        case .refused:
            switch report.text {
            case "unavailable": verdict.outcome.marks.insert(.unavailable)
            case "expired": verdict.outcome.marks.insert(.expiredWhileAcquiring)
            case "cancelled": verdict.outcome.marks.insert(.cancelled)
            default: break
            }
        case .extended:
            verdict.outcome.extensions += 1
            verdict.outcome.marks.insert(.extended)
            guard let place else { return }
            if holds[place].refusedAt < report.value, holds[place].validUntil < holds[place].refusedAt,
                report.value > holds[place].validUntil
            {
                violate(
                    .resurrection,
                    "client \(record.client) found its lease invalid at \(seconds(holds[place].refusedAt)), and then was "
                        + "told that it was extended", at: report.at)
            }
            holds[place].validUntil = max(holds[place].validUntil, report.value)
        case .notExtended: verdict.outcome.marks.insert(.extensionFailed)
        case .lost:
            verdict.outcome.losses += 1
            guard let place else { return }
            verdict.outcome.marks.insert(report.at < report.value ? .lossTold : .lossByExpiry)
            holds[place].validUntil = max(holds[place].validUntil, report.value)
            holds[place].close(at: report.at, "lost")
        case .releasing:
            guard let place else { return }
            holds[place].validUntil = max(holds[place].validUntil, report.value)
            holds[place].close(at: report.at, "released")
        case .released: break
        case .written:
            guard let place else { return }
            writes.append(
                LiveWrite(hold: place, checkedAt: report.value, plannedAt: report.other, sentAt: report.at))
        case .writeRefused:
            verdict.outcome.marks.insert(.writeRefusedByCheck)
            guard let place else { return }
            holds[place].refusedAt = min(holds[place].refusedAt, report.at)
        case .errorReply:
            verdict.outcome.marks.insert(.errorReply)
            return
        case .atRisk: verdict.outcome.marks.insert(.atRisk)
        case .recovered: verdict.outcome.marks.insert(.recovered)
        case .repaired: verdict.outcome.marks.insert(.repaired)
        }
        guard report.kind != .written, report.kind != .asked else { return }
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

    // MARK: Tokens

    /// A busy machine takes so long, at most, from sending to seeing.
    private static let sightDelay: Int64 = 100_000_000

    /// The attempt that a client began last on a resource; -1 for none.
    private func latestAttempt(_ client: Int, _ resource: Int, before time: Int64) -> Int32 {
        guard let list = attemptsOf[client * options.resources + resource] else { return -1 }
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if attempts[Int(list[middle])].at <= time { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? -1 : list[low - 1]
    }

    /// Says whose token a lease has. Where several workers of a process ask for one resource at once, the wire does not tell
    /// whose an attempt is, and the lease is judged without its keys.
    private mutating func nameTokens() {
        var uses: [Int32: Int] = [:]
        for index in holds.indices where options.workersPerClient == 1 {
            let attempt = latestAttempt(
                holds[index].id.client, holds[index].resource, before: holds[index].grantedAt)
            holds[index].attempt = attempt
            guard attempt >= 0 else { continue }
            // The wire shows an attempt a moment after it began.
            holds[index].beganAt = max(
                holds[index].beganAt, attempts[Int(attempt)].at - Self.sightDelay)
            if let other = uses[attempt] {
                violate(
                    .tokenReuse,
                    "client \(holds[index].id.client) was granted its locks #\(holds[other].id.number) and "
                        + "#\(holds[index].id.number) with one token", at: holds[index].grantedAt)
            }
            uses[attempt] = index
        }
    }

    // MARK: Oracles

    private mutating func judgeOverlaps() {
        for resource in 0..<options.resources {
            var open: [Int] = []
            for index in holds.indices where holds[index].resource == resource && !holds[index].isEmpty {
                open.removeAll { holds[$0].end <= holds[index].grantedAt }
                for other in open {
                    violate(
                        .overlap,
                        "\(name(holds[other])) and \(name(holds[index])) both hold resource \(Format.letter(resource)), until "
                            + "\(seconds(min(holds[other].end, holds[index].end)))", at: holds[index].grantedAt)
                }
                open.append(index)
            }
        }
    }

    /// For each lease, over all looks at the nodes while its holder believed: how many more would have had to lose its key.
    private mutating func judgeMargins() {
        var keys: [[(at: Int64, attempt: Int32)]] = Array(
            repeating: [], count: options.nodes * options.resources)
        /// Of each node, since when nobody counts its vote for as long as the quarantine.
        var forgot: [[Int64]] = Array(repeating: [], count: options.nodes)
        for record in records {
            switch record.content {
            case .key(let node, let resource, let token):
                keys[node * options.resources + resource].append((record.at, attemptNumbers[token] ?? -1))
            case .forgot(let node): forgot[node].append(record.at)
            default: break
            }
        }
        for index in holds.indices where holds[index].attempt >= 0 && !holds[index].isEmpty {
            let hold = holds[index]
            let view =
                hold.id.client < options.views.count ? options.views[hold.id.client] : Array(0..<options.nodes)
            let quorum = view.count / 2 + 1
            /// Looks that began and ended while the holder believed, and what they saw.
            var sights: [(at: Int64, node: Int, isGone: Bool)] = []
            for node in view {
                let list = keys[node * options.resources + hold.resource]
                var place = looks[node].partitioningIndex { $0.from >= hold.grantedAt }
                var key = list.partitioningIndex { $0.at > hold.grantedAt }
                while place < looks[node].count, looks[node][place].to <= hold.end {
                    let look = looks[node][place]
                    // A change is noted at the moment at which the look began that saw it.
                    while key < list.count, list[key].at <= look.from { key += 1 }
                    let waits = forgot[node].contains { $0 <= look.to && look.to < $0 + options.quarantineLength }
                    sights.append((look.to, node, !waits && (key == 0 || list[key - 1].attempt != hold.attempt)))
                    place += 1
                }
            }
            sights.sort { $0.at < $1.at }
            var gone: Set<Int> = []
            var least = quorum + 1
            for sight in sights {
                if sight.isGone { gone.insert(sight.node) } else { gone.remove(sight.node) }
                let margin = quorum - gone.count
                guard margin < least else { continue }
                least = margin
                verdict.outcome.leastMargin = min(verdict.outcome.leastMargin ?? margin, margin)
                if margin == 1 { verdict.outcome.marks.insert(.keyOutlivedByLease) }
                trace.append(
                    TraceRecord(
                        .margin, at: moment(sight.at), client: hold.id.client, resource: hold.resource,
                        attempt: hold.attempt, value: Int64(max(margin, 0))))
                guard margin <= 0 else { continue }
                violate(
                    .quorumMargin,
                    "\(name(hold)) believes that it holds resource \(Format.letter(hold.resource)) until \(seconds(hold.end)), but "
                        + "\(gone.count) of \(view.count) nodes do not have its key: another could get the lock now",
                    at: sight.at)
                break
            }
        }
    }

    private mutating func finishTrace() {
        for hold in holds where !hold.isEmpty {
            trace.append(
                TraceRecord(
                    .believe, at: moment(hold.grantedAt), client: hold.id.client, worker: hold.worker,
                    resource: hold.resource, attempt: hold.attempt, value: moment(hold.validUntil)))
            trace.append(
                TraceRecord(
                    .disbelieve, at: moment(hold.end), client: hold.id.client, worker: hold.worker,
                    resource: hold.resource, attempt: hold.attempt, text: hold.closing))
        }
        trace.sort { $0.at < $1.at }
    }
}

extension Array {
    /// In a sorted array, the first place from which on `predicate` is true.
    func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension [Int] {
    fileprivate mutating func grow(to count: Int) {
        while self.count < count { append(0) }
    }
}
