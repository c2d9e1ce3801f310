import CommandSupport
import RedlockSimulation

/// `scenario`: situations with a name and an expected outcome.
enum ScenarioCommand {
    static let subcommand = Subcommand(
        "scenario", operands: "list | run NAME... | run --all",
        summary: "plays situations that have a name and an expected outcome",
        options: [
            .init("all", "every one of them"), .trace, .html, .saveFile,
            .init("live", "on real servers and real processes, beside what the simulator says"),
            .init("times", .text("N"), "with --live: how often (1)"),
            .init("jobs", .text("J"), "with --live: how many at a time (4)"), .stretch,
        ],
        choices: ["list", "run"] + Scenario.all.map(\.name),
        run: { arguments in
            let words = try arguments.words(atMost: 1_000)
            switch words.first {
            case "list":
                guard words.count == 1 else { throw UsageError("'\(words[1])' is too much: list goes alone") }
                list()
                return 0
            case "run":
                let scenarios = try chosen(words.dropFirst(), arguments)
                guard !arguments.has("live") else { return try LiveScenarioCommand.run(scenarios, arguments).rawValue }
                for option in ["times", "jobs", "stretch"] where arguments.has(option) {
                    throw UsageError("--\(option) goes with --live")
                }
                return try run(scenarios, arguments).rawValue
            case let other:
                throw UsageError("scenario list, or scenario run NAME...\(other.map { ", not '\($0)'" } ?? "")")
            }
        })

    /// Those that are named, or all.
    private static func chosen(_ names: ArraySlice<String>, _ arguments: Arguments) throws -> [Scenario] {
        if arguments.has("all") {
            guard names.isEmpty else { throw UsageError("--all goes without names") }
            return Scenario.all
        }
        guard !names.isEmpty else { throw UsageError("which scenario? Give names, or --all") }
        return try names.map { try RedlockSim.scenario($0) }
    }

    private static func list() {
        for scenario in Scenario.all {
            Console.say("\(scenario.name): \(scenario.summary) → \(scenario.expectation)")
        }
    }

    private static func run(_ scenarios: [Scenario], _ arguments: Arguments) throws -> ExitCode {
        if scenarios.count != 1, arguments.has("html") || arguments.has("trace") || arguments.has("save") {
            throw UsageError("--html, --trace and --save are for one scenario at a time")
        }
        var unexpected = 0
        for scenario in scenarios {
            var world = World(scenario.schedule, tracing: scenarios.count == 1)
            let outcome = world.run()
            let faults = scenario.check(outcome)
            unexpected += faults.isEmpty ? 0 : 1
            let verdict =
                faults.isEmpty ? Console.styled("as expected", .good) : Console.styled("NOT EXPECTED", .bad)
            Console.say("\(verdict) \(scenario.name): \(scenario.expectation)")
            for fault in faults { Console.say("  \(fault)") }
            guard scenarios.count == 1 else { continue }
            for line in Explanation.lines(scenario.schedule) + Explanation.verdict(outcome, of: scenario.schedule) {
                Console.say("  " + line)
            }
            try RunOutputs.writeScheduleAndTrace(scenario.schedule, outcome, world.trace, for: arguments)
        }
        Console.say("\(scenarios.count - unexpected) of \(scenarios.count) as expected")
        return unexpected == 0 ? .asExpected : .safety
    }
}
