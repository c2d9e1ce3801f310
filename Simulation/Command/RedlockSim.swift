import RedlockLive
import RedlockSimulation

/// The command: its first word says what to do.
enum RedlockSim {
    static func run(_ words: ArraySlice<String>) async throws -> ExitCode {
        var words = words
        guard let verb = words.popFirst() else {
            Console.complain(help)
            return .usage
        }
        switch verb {
        case "run": return try RunCommand.run(words)
        case "sweep": return try await SweepCommand.run(words)
        case "search": return try await SearchCommand.run(words)
        case "replay": return try ReplayCommand.replay(words)
        case "shrink": return try ReplayCommand.shrink(words)
        case "explain": return try ReplayCommand.explain(words)
        case "scenario": return try ScenarioCommand.run(words)
        case "mutants": return try await MutantCommand.run(words)
        case "determinism": return try await SweepCommand.determinism(words)
        case "exhaust": return try await SweepCommand.exhaust(words)
        case "live": return try LiveCommand.run(words)
        case ClientProcess.verb:
            try await ClientProcess.run(words.first ?? "")
            return .asExpected
        case "help", "--help", "-h":
            Console.say(help)
            return .asExpected
        default: throw UsageError("there is no command \"\(verb)\"")
        }
    }

    static let help = """
        redlock-sim runs the lock's own decisions in a hostile world, and says what held and what broke.

          run       [--seed N] [--profile P] [--fault KEY=VALUE]… [--schedule FILE] [--mutant NAME]
                    [--json FILE] [--trace FILE] [--html FILE] [--save FILE]
                    one run; --fault sets a knob of the world, as `nodes=3` or `ttl_us=500000`
          sweep     --seeds N [--first N] [--jobs J] [--profile P] [--time-limit 60s] [--regressions FOLDER]
                    [--json FILE] [--junit FILE] [--save FOLDER]
          search    --seeds N [--first N] [--rounds R] [--jobs J] [--profile P] [--mutant NAME [--ordinary]]
                    [--time-limit 60s] [--save FOLDER]
                    varies the schedules that came nearest to a violation; --ordinary: in worlds not made for the mutant
          replay    FILE [--trace FILE] [--html FILE]      run a schedule again
          shrink    FILE -o FILE                           make a failing schedule small
          explain   FILE                                   a schedule in sentences
          scenario  list | run NAME… | run --all [--html FILE] [--live [--times N] [--jobs J] [--stretch S]]
          mutants   [--budget N] [--save FOLDER] [NAME…]   break one rule at a time: each must be noticed
          determinism --seeds N [--jobs J]                 every seed twice, with the same hash
          exhaust   [--nodes 3] [--clients 2] [--jobs J] [--limit N]
          live      [--scenario NAME | --schedule FILE | --profile P --duration 60s [--clients N] [--resources N]]
                    [--seed N] [--stretch S] [--fault KEY=VALUE]… [--json FILE] [--trace FILE] [--html FILE]
                    [--save FILE] [--compose FILE]
                    the same faults on real redis-servers and real processes; --compose: on a cluster that is up

        Profiles: tolerated (what the algorithm must withstand), clock, amnesia, chaos.
        Exit: 0 as expected, 1 safety, 2 inconclusive or vacuous, 3 liveness, 4 nondeterminism, 64 usage, 70 internal.
        """

    static func profile(_ arguments: Arguments) throws -> Profile {
        let name = arguments.value("--profile") ?? "tolerated"
        guard let profile = Profile(rawValue: name) else {
            throw UsageError(
                "there is no profile \"\(name)\"; there are "
                    + Profile.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return profile
    }

    static func mutant(_ name: String) throws -> Mutant {
        guard let mutant = Mutant.named(name) else {
            if let missing = Mutant.notApplicableYet.first(where: { $0.name == name }) {
                throw UsageError("the mutant \"\(name)\" is not applicable yet: it needs \(missing.needs)")
            }
            throw UsageError("there is no mutant \"\(name)\"; redlock-sim mutants --list names them")
        }
        return mutant
    }

    static func scenario(_ name: String) throws -> Scenario {
        guard let scenario = Scenario.named(name) else {
            throw UsageError("there is no scenario \"\(name)\"; redlock-sim scenario list names them")
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
