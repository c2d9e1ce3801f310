import RedlockCore
import Testing

@testable import RedlockSimulation

@Suite("Runs that would not end")
struct ProgressTests {
    @Test("an engine that is due and does nothing ends the run, and the report names the seed and the last directives")
    func staleDeadline() throws {
        let hunt = MutantHunt(try #require(Mutant.named("stale-deadline")))
        let kill = try #require(hunt.run(budget: 300).kill)
        #expect(kill.oracle == .progress)
        var world = World(hunt.schedule(kill.seed, isBroken: true))
        let outcome = world.run()
        let violation = try #require(outcome.violations.first { $0.oracle == .progress })
        #expect(violation.message.contains("seed \(kill.seed)"))
        #expect(violation.message.contains("a lock"))
        #expect(violation.message.contains("The last directives: "))
        #expect(!violation.message.hasSuffix("The last directives: none"))
        #expect(outcome.duration == violation.at, "nothing runs after it")
        #expect(outcome.events < world.stepLimit)
    }

    @Test("it ends the run also where violations do not")
    func staleDeadlineInAnExperiment() throws {
        let hunt = MutantHunt(try #require(Mutant.named("stale-deadline")))
        let kill = try #require(hunt.run(budget: 300).kill)
        var world = World(hunt.schedule(kill.seed, isBroken: true), stopsAtViolation: false)
        let outcome = world.run()
        #expect(outcome.violations.last?.oracle == .progress)
        #expect(outcome.duration == outcome.violations.last?.at)
    }

    @Test("a world that uses more steps than its limit is ended")
    func tooManySteps() throws {
        let schedule = Schedule(random: 3, .tolerated)
        var whole = World(schedule)
        let steps = whole.run().events
        #expect(whole.outcome.verdict == .held)
        var limited = World(schedule)
        limited.stepLimit = steps / 2
        let outcome = limited.run()
        #expect(outcome.events == steps / 2)
        #expect(outcome.verdict == .violated)
        #expect(outcome.worst?.oracle == .progress)
        #expect(try #require(outcome.worst?.message).hasPrefix("seed 3: the world used "))
    }

    @Test("ordinary worlds stay below a tenth of the limit", arguments: Profile.allCases)
    func ordinaryWorlds(profile: Profile) {
        for seed in 500..<540 as Range<UInt64> {
            let schedule = Schedule(random: seed, profile)
            var world = World(schedule)
            let outcome = world.run()
            #expect(outcome.events * 10 <= schedule.stepLimit, "seed \(seed): \(outcome.events) steps")
        }
    }

    @Test("the limit grows with the time, the workers, the nodes and the faults")
    func limit() {
        let schedule = Schedule(seed: 1)
        let limit = schedule.stepLimit
        var other = schedule
        other.endAt *= 2
        #expect(other.stepLimit > limit)
        other = schedule
        other.options.workersPerClient += 1
        #expect(other.stepLimit > limit)
        other = schedule
        other.options.nodes += 1
        #expect(other.stepLimit > limit)
        other = schedule
        other.faults = [Fault(.nodeKill, at: 0, nodes: [0], for: 1)]
        #expect(other.stepLimit == limit + Schedule.stepsPerFault)
    }

    @Test("the last directives are the last, oldest first")
    func recentDirectives() {
        var recent = RecentDirectives()
        for node in 0..<RecentDirectives.limit + 3 {
            recent.add(.subscribe(key: [], node: node), of: 1, at: 0)
        }
        #expect(recent.words.count == RecentDirectives.limit)
        #expect(recent.words.first?.hasSuffix("client 1: subscribe at node 3") == true)
        #expect(recent.words.last?.hasSuffix("node \(RecentDirectives.limit + 2)") == true)
    }
}
