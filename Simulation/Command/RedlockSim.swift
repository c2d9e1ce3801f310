import CommandSupport
import RedlockLive
import RedlockSimulation

/// The command `redlock-sim`: its first word says what to do.
enum RedlockSim {
    static let program = Program(
        "redlock-sim", summary: "the lock's own decisions in a hostile world: what held, what broke", version: version,
        notes: """
            Exit: 0 as expected, 1 safety, 2 inconclusive or vacuous, 3 liveness,
              4 nondeterminism, 64 usage, 70 internal. docs/simulation.md has the rest.
            """,
        [
            RunCommand.subcommand, SweepCommand.sweep, SearchCommand.subcommand, ReplayCommand.replay,
            ReplayCommand.shrink, ReplayCommand.explain, ScenarioCommand.subcommand, MutantCommand.subcommand,
            SweepCommand.determinism, SweepCommand.exhaust, ExperimentCommand.subcommand, LiveCommand.subcommand,
        ])

    static func profile(_ arguments: Arguments) -> Profile {
        arguments.value("profile").flatMap { Profile(rawValue: $0) } ?? .tolerated
    }

    static func first(_ arguments: Arguments) throws(UsageError) -> UInt64 {
        UInt64(try arguments.number("first", 0...(Int.max / 2), otherwise: 0))
    }

    static func jobs(_ arguments: Arguments) throws(UsageError) -> Int {
        try arguments.number("jobs", 1...1_024, otherwise: Parallel.cores)
    }

    static func mutant(_ name: String) throws(UsageError) -> Mutant {
        guard let mutant = Mutant.named(name) else {
            throw UsageError("there is no mutant '\(name)'; redlock-sim mutants --list names them")
        }
        return mutant
    }

    static func scenario(_ name: String) throws -> Scenario {
        guard let scenario = Scenario.named(name) else {
            throw UsageError("there is no scenario '\(name)'; redlock-sim scenario list names them")
        }
        return scenario
    }

    static func schedule(at path: String) throws -> Schedule {
        let bytes = try File.read(path)
        do {
            return try Schedule(json: JSON(parsing: bytes))
        } catch let error as JSON.ParseError {
            throw UsageError("\(path): \(error)")
        } catch let error as ScheduleError {
            throw UsageError("\(path): \(error)")
        }
    }

    static func exitCode(_ outcome: Outcome) -> ExitCode {
        switch outcome.verdict {
        case .held: .asExpected
        case .inconclusive: .inconclusive
        case .violated: outcome.worst!.oracle.isLiveness ? .liveness : .safety
        }
    }
}

/// Options that several subcommands take.
extension Option {
    static let seeds = Option("seeds", .text("N"), "how many seeds")
    static let first = Option("first", .text("N"), "the first of them (0)")
    static let jobs = Option("jobs", .text("J"), "threads (one for each core: \(Parallel.cores))")
    static let profile = Option(
        "profile", .choice("PROFILE", Profile.allCases.map(\.rawValue)),
        "faults: \(Profile.allCases.map(\.rawValue).joined(separator: ", ")) (tolerated)")
    static let mutant = Option("mutant", .text("NAME"), "with this rule broken; `mutants --list` names them")
    static let timeLimit = Option("time-limit", .text("TIME"), "stop after this, as 60s or 2m")
    static let stretch = Option(
        "stretch", .text("S"), "real time is so many times slower (\(Schedule.usualStretch))")
    static let saveFolder = Option("save", .outputFolder("FOLDER"), "keep the schedules of failures there")
    static let saveFile = Option("save", .output("FILE"), "keep the schedule")
    static let trace = Option("trace", .output("FILE"), "every step, one JSON object a line")
    static let html = Option("html", .output("FILE"), "the run as a page to look at")
    static let json = Option("json", .output("FILE"), "the outcome for programs")
}

extension Console {
    /// Red for what must not be, green for what held; an inconclusive run says nothing against the library.
    static func styled(_ text: String, _ verdict: Verdict) -> String {
        switch verdict {
        case .held: styled(text, .good)
        case .inconclusive: styled(text, .strong)
        case .violated: styled(text, .bad)
        }
    }
}
