import Testing

@testable import RedlockSimulation

@Suite("The world")
struct WorldTests {
    @Test("does the same twice: every draw and every event", arguments: Profile.allCases)
    func isDeterministic(profile: Profile) {
        for seed in 0..<12 as Range<UInt64> {
            var one = World(Schedule(random: seed, profile))
            var other = World(Schedule(random: seed, profile))
            #expect(one.run().hash == other.run().hash, "seed \(seed)")
        }
    }

    @Test("does the same whether it is traced or not")
    func tracingChangesNothing() {
        for seed in 0..<6 as Range<UInt64> {
            var quiet = World(Schedule(random: seed, .chaos))
            var traced = World(Schedule(random: seed, .chaos), tracing: true)
            #expect(quiet.run().hash == traced.run().hash, "seed \(seed)")
            #expect(!traced.trace.isEmpty)
        }
    }

    @Test("holds in tolerated seeds, and does something in them")
    func smallSweep() {
        var tally = Tally()
        for seed in 0..<60 as Range<UInt64> { Sweep.run(Schedule(random: seed, .tolerated), into: &tally) }
        #expect(
            tally.violated.isEmpty, "\(tally.violated.first.map { "seed \($0.schedule.seed): \($0.violation)" } ?? "")")
        // That a node forgot its numbers when its locks had expired is no fault for a lock.
        #expect(tally.inconclusive.allSatisfy { $0.violation.excuse?.assumption == .numbers })
        #expect(!tally.isVacuous)
    }

    @Test("violates nothing without a broken assumption, whatever happens", arguments: Profile.allCases)
    func everyProfile(profile: Profile) {
        var tally = Tally()
        for seed in 1_000..<1_030 as Range<UInt64> { Sweep.run(Schedule(random: seed, profile), into: &tally) }
        #expect(
            tally.violated.isEmpty, "\(tally.violated.first.map { "seed \($0.schedule.seed): \($0.violation)" } ?? "")")
    }

    @Test("shows overlaps where assumptions are broken, and names the assumption")
    func chaosBreaks() {
        var tally = Tally()
        for seed in 0..<60 as Range<UInt64> { Sweep.run(Schedule(random: seed, .chaos), into: &tally) }
        #expect(!tally.inconclusive.isEmpty)
        #expect(tally.inconclusive.allSatisfy { $0.violation.excuse != nil })
    }

    @Test("holds in every fiftieth way in which first messages can be late")
    func exhaustive() {
        let worlds = Exhaustive(nodes: 2, clients: 2)
        #expect(worlds.count == 6_561)
        for number in stride(from: 0, to: worlds.count, by: 50) {
            #expect(worlds.run(number).verdict == .held, "world \(number)")
        }
    }
}

@Suite("Clocks")
struct ClockTests {
    @Test(
        "a reading's moment is the first at which the clock reads it",
        arguments: [0, 1, -1, 5_000_000, -5_000_000, 999_999_999])
    func inverse(rate: Int64) {
        var clock = Clock(reading: 1_700_000_000_123_456_789, rate: rate)
        var random = Randomness(seed: 7, .test)
        var time: Int64 = 0
        for _ in 0..<500 {
            time += random.within(1...2_000_000_000)
            if random.chance(perMille: 100) { clock.jump(by: random.within(-1_000_000...1_000_000), at: time) }
            if random.chance(perMille: 100) { clock.setRate(random.within(-9_000_000...9_000_000), at: time) }
            let reading = clock.reading(at: time) + random.below(3_000_000_000)
            let moment = clock.time(of: reading)
            #expect(clock.reading(at: moment) >= reading)
            #expect(clock.reading(at: moment - 1) < reading || moment == time)
        }
    }

    @Test("events come out by time, and in the order in which they went in")
    func queueOrder() {
        var queue = EventQueue()
        var random = Randomness(seed: 3, .test)
        for number in 0..<2_000 { queue.add(.work, number, at: random.below(50)) }
        var last: EventQueue.Item?
        while let item = queue.popFirst() {
            if let last { #expect(last.precedes(item)) }
            last = item
        }
    }
}
