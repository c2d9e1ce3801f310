import Testing

@testable import RedlockSimulation

@Suite("Experiments")
struct ExperimentTests {
    @Test("have names of their own, points and series")
    func names() {
        #expect(Set(Experiment.all.map(\.name)).count == Experiment.all.count)
        for experiment in Experiment.all {
            #expect(!experiment.points.isEmpty, "\(experiment.name)")
            #expect(Set(experiment.points.map(\.label)).count == experiment.points.count, "\(experiment.name)")
            #expect(Set(experiment.series.map(\.name)).count == experiment.series.count, "\(experiment.name)")
        }
    }

    @Test("make schedules that JSON can carry, so that a run can be looked at", arguments: Experiment.all.map(\.name))
    func replayable(name: String) throws {
        let experiment = try #require(Experiment.named(name))
        for point in experiment.points.indices {
            for series in experiment.series.indices {
                let schedule = experiment.schedule(7, point: point, series: series)
                #expect(try Schedule(json: JSON(parsing: schedule.json.text)) == schedule)
            }
        }
    }

    @Test("give the series of a point the same faults")
    func sameFaults() {
        for experiment in Experiment.all where experiment.measure == .safety {
            for point in experiment.points.indices {
                let faults = experiment.series.indices.map { experiment.schedule(3, point: point, series: $0).faults }
                #expect(faults.allSatisfy { $0 == faults[0] }, "\(experiment.name)")
            }
        }
    }

    @Test("come to the same in any order, and in any number of parts", arguments: ["persistence", "outage"])
    func deterministic(name: String) throws {
        let experiment = try #require(Experiment.named(name))
        var whole = ExperimentResult(experiment, seeds: 2, first: 5)
        for number in 0..<whole.runs { whole.run(number) }
        var one = ExperimentResult(experiment, seeds: 2, first: 5)
        var other = one
        for number in (0..<whole.runs).reversed() {
            if number % 3 == 0 { one.run(number) } else { other.run(number) }
        }
        one.add(other)
        #expect(one.markdown == whole.markdown)
        #expect(one.svg == whole.svg)
        #expect(one.json == whole.json)
    }

    @Test("show overlap, damage, and what prevents them")
    func plausible() throws {
        func cell(_ name: String, _ point: String, _ series: String) throws -> ExperimentCell {
            let experiment = try #require(Experiment.named(name))
            let place = try #require(experiment.points.firstIndex { $0.label == point })
            let column = try #require(experiment.series.firstIndex { $0.name == series })
            var cell = ExperimentCell()
            for seed in 0..<10 as Range<UInt64> { experiment.run(seed, point: place, series: column, into: &cell) }
            return cell
        }
        #expect(try cell("clock-rate", "50 %", "plain").overlap.count > 6)
        #expect(try cell("clock-rate", "50 %", "plain").damage.count > 3)
        #expect(try cell("clock-rate", "50 %", "fencing").overlap.count > 6)
        #expect(try cell("clock-rate", "50 %", "fencing").damage.count == 0)
        #expect(try cell("nodes", "1", "plain").overlap.count > 1)
        #expect(try cell("nodes", "1", "quarantine").overlap.count == 0)
        #expect(try cell("pause", "10 s", "plain").overlap.count == 0)
        #expect(try cell("outage", "0", "3 nodes").availability.share == 1)
        #expect(try cell("outage", "2", "3 nodes").granted.count == 0)
    }

    @Test("count a write as damage that comes after a later holder's visit, and none before it")
    func damage() {
        // A stands still after its check, B gets the lock, reads, and A's write comes.
        #expect(Self.damages(pause: 4_000, fenced: 0) == 1)
        #expect(Self.damages(pause: 4_000, fenced: 2) == 0)
        #expect(Self.damages(pause: 100, fenced: 0) == 0)
    }

    /// Two clients: one checks at 1 s, and is stopped before it has sent its write; the other waits for the lock.
    private static func damages(pause milliseconds: Int64, fenced: Int) -> Int {
        var schedule = Schedule(seed: 1)
        schedule.options.clients = 2
        schedule.options.scripted = true
        schedule.options.visitsFirst = true
        schedule.options.fencedClients = fenced
        func step(_ action: Schedule.Step.Action, _ milliseconds: Int64, worker: Int) -> Schedule.Step {
            var step = Schedule.Step(action, at: WorldOptions.milliseconds(milliseconds), worker: worker)
            step.wait = WorldOptions.milliseconds(8_000)
            step.delay = WorldOptions.milliseconds(20)
            return step
        }
        schedule.script = [
            step(.acquire, 500, worker: 0), step(.acquire, 600, worker: 1), step(.write, 1_000, worker: 0),
            step(.release, 1_500, worker: 0),
        ]
        schedule.faults = [
            Fault(
                .clientPause, at: WorldOptions.milliseconds(1_010), clients: [0],
                for: WorldOptions.milliseconds(milliseconds))
        ]
        schedule.healAt = WorldOptions.milliseconds(9_000)
        schedule.endAt = WorldOptions.milliseconds(9_000)
        var world = World(schedule, stopsAtViolation: false)
        return world.run().damages
    }
}
