import CommandSupport
import RedlockSimulation

/// `experiment`: how often exclusion fails, against the size of what goes wrong; and docs/experiments.md made anew.
enum ExperimentCommand {
    static let subcommand = Subcommand(
        "experiment", operands: "NAME... | --all", summary: "measures how often exclusion fails, and draws it",
        options: [
            .init("all", "every one of them"), .init("list", "names them, and what each asks"),
            .init("seeds", .text("N"), "how many for each cell of a table (1000)"), .first, .jobs,
            .init("docs", .outputFolder("FOLDER"), "put tables and pictures into FOLDER/experiments.md"), .json,
            .saveFolder,
        ],
        choices: Experiment.all.map(\.name),
        notes: """
            In experiments.md only what stands between the marks of an experiment changes.
              redlock-sim experiment --all --seeds 1000 --docs docs
            """,
        run: { try await run($0).rawValue })

    private static func run(_ arguments: Arguments) async throws -> ExitCode {
        let names = try arguments.words(atMost: 100)
        guard !arguments.has("list") else {
            for experiment in Experiment.all { Console.say("\(experiment.name): \(experiment.question)") }
            return .asExpected
        }
        let experiments = try chosen(names, all: arguments.has("all"))
        let seeds = try arguments.number("seeds", 1...1_000_000, otherwise: 1_000)
        let first = try RedlockSim.first(arguments)
        let jobs = try RedlockSim.jobs(arguments)
        // Minutes of work are not to end with a page that has no place for them.
        var docs = try arguments.value("docs").map { try ExperimentDocs(in: $0, for: experiments) }

        var results: [ExperimentResult] = []
        for experiment in experiments {
            let result = await Self.result(of: experiment, seeds: seeds, first: first, jobs: jobs)
            Console.say("\(experiment.name): \(experiment.question)\n\n\(result.markdown)")
            results.append(result)
        }
        try docs?.write(results)
        if let path = arguments.value("json") {
            let record = JSON.record([
                "schema": "redlock-sim/experiment", "version": 1, "experiments": .array(results.map(\.json)),
            ])
            try File.write(record.pretty, to: path)
        }
        let violated = results.flatMap(\.violated)
        try tell(violated, saveIn: arguments.value("save"))
        return violated.isEmpty ? .asExpected : .safety
    }

    private static func chosen(_ names: [String], all: Bool) throws -> [Experiment] {
        guard !all || names.isEmpty else { throw UsageError("--all goes without names") }
        guard all || !names.isEmpty else { throw UsageError("which experiment? Give names, or --all; \(known)") }
        return try all
            ? Experiment.all
            : names.map { name in
                guard let experiment = Experiment.named(name) else {
                    throw UsageError("there is no experiment '\(name)'; \(known)")
                }
                return experiment
            }
    }

    private static var known: String { "there are \(Experiment.all.map(\.name).joined(separator: ", "))" }

    private static func result(
        of experiment: Experiment, seeds: Int, first: UInt64, jobs: Int
    ) async -> ExperimentResult {
        let begin = ContinuousClock.now
        let empty = ExperimentResult(experiment, seeds: seeds, first: first)
        let result = await Parallel.run(
            count: empty.runs, jobs: jobs, start: { empty },
            progress: {
                Console.progress("\(experiment.name): \(Format.grouped($0)) of \(Format.grouped(empty.runs)) runs")
            },
            work: { number, result in
                result.run(number)
                return true
            },
            add: { $0.add($1) })
        Console.endProgress()
        // Not on the output: that is the same each time.
        Console.complain(
            "\(experiment.name): \(Format.grouped(empty.runs)) runs in \(begin.duration(to: .now).milliseconds) ms")
        return result
    }

    /// A promise was broken, and no assumption: that is no finding of an experiment but a bug.
    private static func tell(_ violated: [(place: String, failure: Tally.Failure)], saveIn folder: String?) throws {
        guard !violated.isEmpty else { return }
        Console.complain("\(violated.count) runs broke a promise without a broken assumption:")
        for (place, failure) in violated.prefix(10) {
            let violation = failure.violation
            Console.complain(
                "  \(place), seed \(failure.schedule.seed): \(violation.oracle.rawValue): \(violation.message)")
            guard let folder else { continue }
            let words = "\(place) \(failure.schedule.seed)".split { !$0.isLetter && !$0.isNumber }
            let path = "\(folder)/\(words.joined(separator: "-")).json"
            try File.write(failure.schedule.json.pretty, to: path)
            Console.complain("  redlock-sim replay \(path)")
        }
    }
}
