import Testing

@testable import RedlockSimulation

@Suite("The oracles")
struct OracleTests {
    @Test(
        "each mutant is killed by an oracle that should see it, its broken rule in force",
        // One needs more seeds than a debug build should run; `make sim` hunts it with the others.
        arguments: Mutant.all.map(\.name).filter { $0 != "start-a-little-late" })
    func mutant(name: String) throws {
        let mutant = try #require(Mutant.named(name))
        let hunt = MutantHunt(mutant).run(budget: 300)
        let kill = try #require(hunt.kill, "\(name) survived \(hunt.runs) seeds")
        #expect(mutant.oracles.contains(kill.oracle))
        #expect(hunt.activations > 0)
    }

    @Test("the canary fails in every run")
    func canary() {
        for seed in 0..<5 as Range<UInt64> {
            var schedule = Schedule(random: seed, .tolerated)
            schedule.mutant = "canary"
            var world = World(schedule)
            let outcome = world.run()
            #expect(outcome.verdict == .violated)
            #expect(outcome.worst?.oracle == .canary)
        }
    }

    @Test("each scenario comes out as expected", arguments: Scenario.all.map(\.name))
    func scenario(name: String) throws {
        let scenario = try #require(Scenario.named(name))
        var world = World(scenario.schedule)
        #expect(scenario.check(world.run()) == [])
    }

    @Test("a scenario whose outcome is another is told apart")
    func scenarioMismatch() throws {
        let good = try #require(Scenario.named("happy-path"))
        let bad = try #require(Scenario.named("quarantine-off"))
        var world = World(bad.schedule)
        #expect(!good.check(world.run()).isEmpty)
    }

    @Test("a resource that is wanted, free and never granted is reported, with all faults over")
    func liveness() {
        // Nodes that never come back are no fault in force: the run's end comes before the fault's.
        var schedule = Schedule(seed: 1)
        schedule.options.clients = 1
        schedule.options.scripted = true
        schedule.acquire(0, at: 100, wait: 600_000)
        schedule.healAt = 0
        schedule.endAt = WorldOptions.milliseconds(60_000)
        schedule.options.nodeTimeout = WorldOptions.milliseconds(1)
        // Slower than the node timeout: no vote ever counts.
        schedule.options.delay = WorldOptions.milliseconds(20)
        var world = World(schedule)
        let worst = world.run().worst
        #expect(worst?.oracle == .liveness || worst?.oracle == .livelock)
        #expect(worst?.excuse == nil)
    }

    @Test("an assumption broken too late, or of the wrong kind, excuses nothing")
    func excuses() {
        #expect(!Assumption.promptWrites.excuses(.overlap))
        #expect(Assumption.promptWrites.excuses(.staleWrite))
        #expect(Assumption.memory.excuses(.quorumMargin))
        for assumption in Assumption.allCases {
            for oracle in [Oracle.ownership, .answers, .liveness, .orphanKey, .tokenReuse, .resurrection] {
                #expect(!assumption.excuses(oracle))
            }
        }
    }
}

@Suite("Metamorphic")
struct MetamorphicTests {
    private func verdict(_ schedule: Schedule) -> (Verdict, Set<Oracle>) {
        var world = World(schedule, stopsAtViolation: false)
        let outcome = world.run()
        return (outcome.verdict, Set(outcome.violations.map(\.oracle)))
    }

    @Test("the order of the nodes changes no scenario's verdict", arguments: Scenario.all.map(\.name))
    func nodeOrder(name: String) throws {
        let scenario = try #require(Scenario.named(name))
        // Sites and views name nodes by their place.
        guard !scenario.schedule.options.twoSites, scenario.schedule.options.views.isEmpty else { return }
        var mirrored = scenario.schedule
        let last = mirrored.options.nodes - 1
        mirrored.options.nodeRates.reverse()
        for index in mirrored.faults.indices {
            mirrored.faults[index].nodes = mirrored.faults[index].nodes.map { last - $0 }.sorted()
        }
        #expect(verdict(mirrored).0 == verdict(scenario.schedule).0)
    }

    @Test("a client that does nothing changes no scenario's verdict", arguments: Scenario.all.map(\.name))
    func idleClient(name: String) throws {
        let scenario = try #require(Scenario.named(name))
        guard scenario.schedule.options.scripted, scenario.schedule.options.views.isEmpty else { return }
        var crowded = scenario.schedule
        crowded.options.clients += 1
        #expect(verdict(crowded).0 == verdict(scenario.schedule).0)
    }

    @Test(
        "everything twice as slow changes no verdict",
        arguments: ["happy-path", "crash-amnesia", "crash-aof", "drift-within"])
    func timeScale(name: String) throws {
        let scenario = try #require(Scenario.named(name))
        var slow = scenario.schedule
        slow.options.ttl *= 2
        slow.options.nodeTimeout *= 2
        slow.options.retryDelay *= 2
        slow.options.retryJitter *= 2
        slow.options.delay *= 2
        slow.options.jitter *= 2
        slow.endAt *= 2
        for index in slow.faults.indices {
            slow.faults[index].at *= 2
            slow.faults[index].duration *= 2
        }
        for index in slow.script.indices {
            slow.script[index].at *= 2
            slow.script[index].wait *= 2
        }
        #expect(verdict(slow).0 == verdict(scenario.schedule).0)
    }
}
