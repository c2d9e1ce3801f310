import RedlockCore
import RedlockRedis

@testable import RedlockDoctor

/// A healthy server's answers, of which a test changes what it is about.
struct Answers {
    var server = [
        "redis_version": "7.2.4", "redis_mode": "standalone", "run_id": "04c8f3", "uptime_in_seconds": "86400",
    ]
    var persistence = [
        "loading": "0", "aof_enabled": "1", "aof_last_write_status": "ok", "aof_rewrite_in_progress": "0",
        "aof_rewrite_scheduled": "0", "aof_last_bgrewrite_status": "ok",
    ]
    var replication = [
        "role": "master", "connected_slaves": "0", "master_replid": "a0", "master_replid2": "00",
    ]
    var memory = ["used_memory": "1000000", "maxmemory": "0", "maxmemory_policy": "noeviction"]
    var stats = [
        "evicted_keys": "0", "instantaneous_eventloop_cycles_per_sec": "10",
        "instantaneous_eventloop_duration_usec": "30",
    ]
    var cpu: [String: String] = [:]
    var settings = ["appendfsync": "always", "no-appendfsync-on-rewrite": "no"]
    /// By the rule of the right.
    var refusals: [String: String] = [:]
    /// What a stranger is told, where the URL has a password.
    var stranger: Reply? = .error("NOAUTH Authentication required.")
    var hasPassword = true
    /// In microseconds: the node's clock less ours, and the round trips.
    var clockOffset: Int64 = 0
    var roundTrips: [Int64] = [300, 200, 250]

    private static func text(_ fields: [String: String]) -> Reply {
        .text(fields.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)\r\n" }.joined())
    }

    private static let wall: Int64 = 1_700_000_000_000_000

    var made: NodeAnswers {
        let settings = self.settings.sorted { $0.key < $1.key }.flatMap { [Reply.text($0.key), .text($0.value)] }
        var facts = [Self.text(server), Self.text(persistence), Self.text(replication), .list(settings)]
        for (right, question) in [("+info", 0..<3), ("+config|get", 3..<4)] {
            if let refusal = refusals[right] { question.forEach { facts[$0] = .error(refusal) } }
        }
        var info = [memory, stats, cpu].map { Self.text($0) }
        if let refusal = refusals["+info"] { info = info.map { _ in .error(refusal) } }
        return NodeAnswers(
            dialledAt: Instant(nanoseconds: 1_000_000_000_000),
            answeredAt: Instant(nanoseconds: 1_000_001_000_000), facts: facts, info: info,
            rights: Right.all.map { refusals[$0.rule].map { .error($0) } ?? .integer(0) },
            clock: roundTrips.enumerated().map { index, trip in
                let sentAt = Self.wall + Int64(index) * 1_000_000
                // The node reads its clock in the middle.
                let reading = sentAt + trip / 2 + clockOffset
                let reply = Reply.list([
                    .text(String(reading / 1_000_000)), .text(String(reading % 1_000_000)),
                ])
                return .init(
                    sentAt: sentAt, roundTrip: .microseconds(trip),
                    reply: refusals["+time"].map { .error($0) } ?? reply)
            }, hasPassword: hasPassword, stranger: stranger)
    }

    func report(_ expected: Expectations = Expectations()) -> ServerReport {
        var parameters = Parameters(nodes: 5)
        parameters.quarantine = expected.longestTTL
        parameters.longestTTL = expected.longestTTL
        parameters.trustsDurableNodes = expected.trustsDurableNodes
        return ServerReport(made, parameters)
    }

    func findings(_ expected: Expectations = Expectations()) -> [Finding] {
        NodeFindings.all(NodeReport(node: "a:1", host: "a", outcome: .success(report(expected))), expected)
    }

    var codes: [Finding.Code] { findings().map(\.code) }
}

func healthy(_ change: (inout Answers) -> Void = { _ in }) -> Answers {
    var answers = Answers()
    change(&answers)
    return answers
}
