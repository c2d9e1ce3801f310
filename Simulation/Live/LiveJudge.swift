internal import RedlockSimulation

/// Judges what was seen in a live run by the promises of the simulator.
///
/// Moments of different processes are compared, as they come from one clock. It judges what it can see: it does not
/// know in which order a node executed commands, so it cannot say whose key a release deleted.
struct LiveJudge {
    let schedule: Schedule
    let options: WorldOptions
    let start: Int64
    let finish: Int64
    let records: [LiveRecord]
    let looks: [[LiveHistory.Look]]

    var holds: [LiveHold] = []
    var holdNumbers: [LiveHold.ID: Int] = [:]
    var attempts: [LiveAttempt] = []
    var attemptNumbers: [String: Int32] = [:]
    /// Of each client and resource, its attempts in order.
    var attemptsOf: [Int: [Int32]] = [:]
    var writes: [LiveWrite] = []
    var verdict = LiveVerdict()
    var trace: [TraceRecord] = []
    /// When each worker of each process last asked for a lock.
    var askedAt: [Int: Int64] = [:]

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
