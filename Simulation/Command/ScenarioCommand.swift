import RedlockSimulation

/// `scenario`: situations with a name and an expected outcome.
enum ScenarioCommand {
    static func run(_ words: ArraySlice<String>) throws -> ExitCode {
        var words = words
        switch words.popFirst() {
        case "list":
            _ = try Arguments(words)
            list()
            return .asExpected
        case "run":
            let arguments = try Arguments(
                words, valued: ["--html", "--trace", "--save", "--times", "--jobs", "--stretch"],
                flags: ["--all", "--live"], rest: 1_000)
            guard !arguments.has("--live") else { return try LiveScenarioCommand.run(arguments) }
            for option in ["--times", "--jobs", "--stretch"] where arguments.has(option) {
                throw UsageError("\(option) goes with --live")
            }
            return try run(arguments)
        case let other: throw UsageError("scenario list, or scenario run NAME…\(other.map { ", not \"\($0)\"" } ?? "")")
        }
    }

    private static func list() {
        for scenario in Scenario.all {
            Console.say("\(scenario.name): \(scenario.summary) → \(scenario.expectation)")
        }
        for missing in Scenario.notApplicableYet {
            Console.say("\(missing.name): not applicable yet: needs \(missing.needs)")
        }
    }

    /// Those that are named, or all.
    static func chosen(_ arguments: Arguments) throws -> [Scenario] {
        if arguments.has("--all") {
            guard arguments.rest.isEmpty else { throw UsageError("--all goes without names") }
            return Scenario.all
        }
        guard !arguments.rest.isEmpty else { throw UsageError("which scenario? Give names, or --all") }
        return try arguments.rest.map { try RedlockSim.scenario($0) }
    }

    private static func run(_ arguments: Arguments) throws -> ExitCode {
        let scenarios = try chosen(arguments)
        if scenarios.count != 1, arguments.has("--html") || arguments.has("--trace") || arguments.has("--save") {
            throw UsageError("--html, --trace and --save are for one scenario at a time")
        }
        var unexpected = 0
        for scenario in scenarios {
            var world = World(scenario.schedule, tracing: scenarios.count == 1)
            let outcome = world.run()
            let faults = scenario.check(outcome)
            unexpected += faults.isEmpty ? 0 : 1
            Console.say("\(faults.isEmpty ? "as expected" : "NOT EXPECTED") \(scenario.name): \(scenario.expectation)")
            for fault in faults { Console.say("  \(fault)") }
            guard scenarios.count == 1 else { continue }
            for line in Explanation.lines(scenario.schedule) + Explanation.verdict(outcome, of: scenario.schedule) {
                Console.say("  " + line)
            }
            if let path = arguments.value("--html") {
                try File.write(HTMLReport.page(scenario.schedule, outcome, world.trace), to: path)
            }
            if let path = arguments.value("--trace") {
                try File.write(world.trace.map { $0.json.text + "\n" }.joined(), to: path)
            }
            if let path = arguments.value("--save") { try File.write(scenario.schedule.json.pretty, to: path) }
        }
        Console.say("\(scenarios.count - unexpected) of \(scenarios.count) as expected")
        return unexpected == 0 ? .asExpected : .safety
    }
}
