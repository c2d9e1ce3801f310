import Testing

@testable import RedlockSimulation

@Suite("The search for a violation")
struct SearchTests {
    private static func run(_ schedule: Schedule) -> Search.Kept? {
        var world = World(schedule, measuringSlack: true)
        return Distance(world.run()).map { Search.Kept(schedule, $0) }
    }

    @Test("variants are schedules that can be written down and that their profile allows", arguments: Profile.allCases)
    func variants(profile: Profile) throws {
        var random = Randomness(seed: 1, .test)
        for seed in 0..<20 as Range<UInt64> {
            var schedule = Schedule(random: seed, profile)
            for _ in 0..<50 { schedule = schedule.varied(profile, &random) }
            #expect(try Schedule(json: JSON(parsing: schedule.json.text)) == schedule, "seed \(seed)")
            var world = World(schedule)
            #expect(world.run().verdict != .violated, "seed \(seed)")
            guard profile == .tolerated else { continue }
            // Neither is a lock's: a late write, and fencing numbers that a node forgot when its locks had expired.
            let others = world.outcome.breaches.filter { $0.assumption != .promptWrites && $0.assumption != .numbers }
            #expect(others.isEmpty, "seed \(seed)")
        }
    }

    @Test("it comes nearer, and the same way each time")
    func descent() throws {
        func search() -> (Search, before: Distance?) {
            var search = Search(seed: 5, .tolerated)
            search.begin(with: (0..<32).compactMap { Self.run(Schedule(random: $0, .tolerated)) })
            let before = search.nearest
            for _ in 0..<4 {
                let current = search
                search.advance(
                    with: (0..<32).compactMap { number in Self.run(current.variant(number)).map { (number, $0) } })
            }
            return (search, before)
        }
        let (one, before) = search()
        let (other, _) = search()
        #expect(one.kept.map(\.schedule) == other.kept.map(\.schedule))
        #expect(try #require(one.nearest) <= #require(before))
    }

    @Test("measuring the slack changes nothing else")
    func slackIsSilent() {
        for seed in 0..<20 as Range<UInt64> {
            var plain = World(Schedule(random: seed, .tolerated))
            var measuring = World(Schedule(random: seed, .tolerated), measuringSlack: true)
            #expect(plain.run().hash == measuring.run().hash)
        }
    }
}
