import RedlockSimulation
import Testing

@testable import RedlockLive

/// Histories written by hand: the judge says of them what it must, and nothing else.
@Suite("The judge of live runs")
struct LiveJudgeTests {
    /// Milliseconds.
    private static func time(_ milliseconds: Int64) -> Int64 { milliseconds * 1_000_000 }

    private struct Story {
        var schedule = Schedule(seed: 1)
        var records: [LiveRecord] = []
        var looks: [[LiveHistory.Look]] = Array(repeating: [], count: 5)

        init() {
            schedule.options.clients = 2
            schedule.options.scripted = true
        }

        mutating func report(
            _ kind: ClientReport.Kind, client: Int, at: Int64, hold: Int = 1, value: Int64 = 0, other: Int64 = 0
        ) {
            var report = ClientReport(kind, at: time(at))
            report.hold = hold
            report.value = time(value)
            report.other = time(other)
            records.append(LiveRecord(.report(report), at: time(at), client: client, epoch: 1))
        }

        mutating func attempt(_ token: String, client: Int, at: Int64) {
            records.append(LiveRecord(.attempt(token: token, resource: 0), at: time(at), client: client))
        }

        mutating func key(_ token: String, nodes: [Int], at: Int64) {
            for node in nodes {
                records.append(LiveRecord(.key(node: node, resource: 0, token: token), at: time(at)))
            }
        }

        mutating func look(at moments: [Int64]) {
            for node in looks.indices {
                looks[node] += moments.map { LiveHistory.Look(from: time($0), to: time($0) + 1_000) }
            }
        }

        mutating func breach(_ assumption: Assumption, at: Int64) {
            records.append(LiveRecord(.breach(assumption.rawValue, "node 0"), at: time(at)))
        }

        func verdict() -> LiveVerdict {
            LiveJudge(schedule, start: 0, end: time(10_000), records: records, looks: looks).judge()
        }
    }

    /// Client 0 holds from 100 to 2,080 ms, client 1 from `second` on.
    private static func twoHolders(second: Int64) -> Story {
        var story = Story()
        story.attempt("a", client: 0, at: 95)
        story.report(.granted, client: 0, at: 100, value: 2_080)
        story.attempt("b", client: 1, at: second - 5)
        story.report(.granted, client: 1, at: second, value: second + 1_980)
        return story
    }

    @Test("one after the other is what a lock is for")
    func held() {
        let verdict = Self.twoHolders(second: 2_080).verdict()
        #expect(verdict.outcome.verdict == .held)
        #expect(verdict.outcome.grants == 2)
        #expect(verdict.outcome.grantsPerClient == [1, 1])
    }

    @Test("two who believe at one moment are an overlap, explained or not")
    func overlap() {
        var story = Self.twoHolders(second: 2_079)
        #expect(story.verdict().outcome.worst?.oracle == .overlap)
        #expect(story.verdict().outcome.verdict == .violated)
        story.breach(.clockSteps, at: 3_000)
        #expect(story.verdict().outcome.verdict == .violated, "what breaks later explains nothing")
        story.breach(.clockSteps, at: 1_000)
        #expect(story.verdict().outcome.verdict == .inconclusive)
        #expect(story.verdict().outcome.worst?.excuse?.assumption == .clockSteps)
    }

    @Test("who released, was told of a loss or is dead believes no more", arguments: ["release", "loss", "death"])
    func closed(how: String) {
        var story = Self.twoHolders(second: 1_000)
        switch how {
        case "release": story.report(.releasing, client: 0, at: 900, value: 2_080)
        case "loss": story.report(.lost, client: 0, at: 900, value: 2_080)
        default: story.records.append(LiveRecord(.clientGone, at: Self.time(900), client: 0, epoch: 1))
        }
        #expect(story.verdict().outcome.verdict == .held)
    }

    @Test("an extension prolongs belief")
    func extended() {
        var story = Self.twoHolders(second: 2_500)
        story.report(.extended, client: 0, at: 1_000, value: 2_980)
        #expect(story.verdict().outcome.worst?.oracle == .overlap)
    }

    @Test("a lease that was found invalid and lives again is a resurrection")
    func resurrection() {
        var story = Self.twoHolders(second: 6_000)
        story.report(.writeRefused, client: 0, at: 2_100)
        story.report(.extended, client: 0, at: 2_200, value: 4_000)
        #expect(story.verdict().outcome.worst?.oracle == .resurrection)
    }

    @Test("a majority without the key of a believed lease is seen")
    func margin() {
        var story = Self.twoHolders(second: 6_000)
        story.look(at: [50, 150, 1_000, 2_000, 2_200])
        story.key("a", nodes: [0, 1, 2], at: 150)
        #expect(story.verdict().outcome.verdict == .held)
        #expect(story.verdict().outcome.leastMargin == 1)
        story.key("", nodes: [0], at: 2_200)
        #expect(story.verdict().outcome.verdict == .held, "after its end it may go")
        story.key("", nodes: [2], at: 2_000)
        #expect(story.verdict().outcome.worst?.oracle == .quorumMargin)
        #expect(story.verdict().outcome.leastMargin == 0)
    }

    @Test("a write after a later grant is stale; a holder that stood still explains it")
    func staleWrite() {
        var story = Self.twoHolders(second: 2_200)
        story.report(.written, client: 0, at: 2_300, value: 1_000, other: 2_299)
        #expect(story.verdict().outcome.worst?.oracle == .staleWrite)
        #expect(story.verdict().outcome.verdict == .violated)
        story.records.removeLast()
        story.report(.written, client: 0, at: 2_300, value: 1_000, other: 1_000)
        #expect(story.verdict().outcome.verdict == .inconclusive)
        #expect(story.verdict().outcome.worst?.excuse?.assumption == .promptWrites)
    }

    @Test("fencing tokens rise, and the resource refuses a late write by them")
    func fencing() {
        func story(_ first: Int64, _ second: Int64) -> Story {
            var story = Story()
            story.schedule.options.fencedClients = 2
            story.report(.asked, client: 0, at: 90)
            story.attempt("a", client: 0, at: 95)
            story.report(.granted, client: 0, at: 100, value: 2_080, other: first)
            story.report(.asked, client: 1, at: 2_400)
            story.attempt("b", client: 1, at: 2_405)
            story.report(.granted, client: 1, at: 2_410, value: 4_380, other: second)
            story.report(.written, client: 1, at: 2_500, value: 2_500, other: 2_500)
            story.report(.written, client: 0, at: 2_600, value: 1_000, other: 1_000)
            return story
        }
        let good = story(1, 2).verdict()
        #expect(good.outcome.verdict == .held)
        #expect(good.fencedWrites == 1)
        let bad = story(2, 1).verdict()
        #expect(bad.outcome.violations.contains { $0.oracle == .fencingOrder })
        #expect(bad.outcome.violations.contains { $0.oracle == .outOfOrderWrite })
        #expect(bad.outcome.verdict == .violated)
        #expect(story(2, 2).verdict().outcome.worst?.oracle == .fencingOrder)
        #expect(story(1, 0).verdict().outcome.worst?.oracle == .answers, "asked for, and not given")
    }

    @Test("one token for two locks is seen")
    func tokenReuse() {
        var story = Story()
        story.attempt("a", client: 0, at: 95)
        story.report(.granted, client: 0, at: 100, value: 2_080)
        story.report(.releasing, client: 0, at: 200, value: 2_080)
        story.report(.granted, client: 0, at: 300, hold: 2, value: 2_280)
        #expect(story.verdict().outcome.worst?.oracle == .tokenReuse)
    }

    @Test("a key that stays, one without an end, a resource that nobody gets, a client that does not end")
    func rest() {
        for (content, oracle) in [
            (LiveRecord.Content.keyLeft(node: 1, resource: 0, milliseconds: 5), Oracle.orphanKey),
            (.strangeExpiry(node: 1, resource: 0, milliseconds: -1), .orphanKey), (.starved("0"), .liveness),
            (.unanswered, .answers),
        ] {
            var story = Self.twoHolders(second: 3_000)
            story.records.append(LiveRecord(content, at: Self.time(9_000), client: 0))
            #expect(story.verdict().outcome.worst?.oracle == oracle)
            #expect(story.verdict().outcome.verdict == .violated)
        }
    }
}
