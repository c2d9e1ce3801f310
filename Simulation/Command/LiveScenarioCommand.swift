import CommandSupport
import PosixLock
import RedlockLive
import RedlockSimulation

/// `scenario run --live`: situations with a name on real servers, beside what the simulator says of them.
enum LiveScenarioCommand {
    /// A run on a machine that was too busy is made again, so many times.
    private static let tries = 3

    private struct Trial: Sendable {
        var verdict: Verdict?
        /// What was not as expected.
        var faults: [String] = []
        var isUntimely = false
        var error: String?
    }

    static func run(_ scenarios: [Scenario], _ arguments: Arguments) throws -> ExitCode {
        let times = try arguments.number("times", 1...1_000, otherwise: 1)
        let stretch = Int64(try arguments.number("stretch", 1...100, otherwise: Int(Schedule.usualStretch)))
        let jobs = try arguments.number("jobs", 1...64, otherwise: 4)
        for option in ["html", "trace", "save"] where arguments.has(option) {
            throw UsageError("--\(option) of a live run: redlock-sim live --scenario NAME --\(option) FILE")
        }
        Interruption.watch()
        let live = scenarios.filter { $0.obstacle == nil }
        Console.say(
            "\(live.count) scenarios on real servers, \(times) times each, \(jobs) at a time, \(stretch) times as slow")
        let trials = Locked<[[Trial]]>(Array(repeating: [], count: live.count))
        onThreads(jobs, count: live.count * times) { number in
            let index = number % live.count
            let trial = attempt(live[index], stretch)
            trials.withLock { $0[index].append(trial) }
            let done = trials.withLock { $0.reduce(0) { $0 + $1.count } }
            Console.progress("\(done) of \(live.count * times)")
        }
        Console.endProgress()
        for scenario in scenarios {
            if let obstacle = scenario.obstacle { Console.say("not live  \(scenario.name): \(obstacle)") }
        }
        return report(live, trials.withLock { $0 }, times)
    }

    private static func attempt(_ scenario: Scenario, _ stretch: Int64) -> Trial {
        var trial = Trial()
        for _ in 0..<tries where !Interruption.isWanted {
            do {
                let result = try LiveRunner.run(scenario.live(stretch: stretch), isQuiet: true)
                guard !result.isInterrupted else { break }
                trial = Trial(
                    verdict: result.outcome.verdict, faults: scenario.check(result),
                    isUntimely: result.lateness > Scenario.latest)
            } catch {
                return Trial(error: "\(error)")
            }
            // What came late may be wrong, but need not.
            if trial.faults.isEmpty || !trial.isUntimely { return trial }
        }
        return trial
    }

    private static func report(_ scenarios: [Scenario], _ trials: [[Trial]], _ times: Int) -> ExitCode {
        let width = scenarios.reduce(0) { max($0, $1.name.count) }
        func row(_ cells: [String]) -> String {
            let padded = zip(cells, [width, 13, 13]).map { cell, width in
                cell + String(repeating: " ", count: max(0, width - cell.count))
            }
            return (padded + cells.dropFirst(3)).joined(separator: "  ")
        }
        Console.say(row(["scenario", "simulated", "live", "reproduced"]))
        var code = ExitCode.asExpected
        for (index, scenario) in scenarios.enumerated() {
            var world = World(scenario.schedule)
            let simulated = world.run().verdict
            let counted = trials[index].filter { $0.verdict != nil && (!$0.isUntimely || $0.faults.isEmpty) }
            let good = counted.filter { $0.faults.isEmpty }
            let verdicts = Set(counted.compactMap { $0.verdict?.rawValue }).sorted().joined(separator: "/")
            Console.say(
                row([
                    scenario.name, simulated.rawValue, verdicts.isEmpty ? "none" : verdicts,
                    "\(good.count) of \(counted.count)"
                        + (counted.count < times ? " (\(times - counted.count) did not count)" : ""),
                ]))
            for trial in trials[index] {
                for fault in trial.faults { Console.say("    \(trial.isUntimely ? "machine too busy: " : "")\(fault)") }
                if let error = trial.error { Console.say("    \(error)") }
            }
            if good.count < counted.count { code = .safety }
            if counted.isEmpty, code == .asExpected { code = .inconclusive }
        }
        return code
    }
}
