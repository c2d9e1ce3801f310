import CommandSupport
import RedlockSimulation

/// `sweep`, `determinism` and `exhaust`: many worlds on all cores.
enum SweepCommand {
    static let sweep = Subcommand(
        "sweep", summary: "runs many seeds on all cores, old failures first",
        options: [
            .seeds, .first, .jobs, .profile, .mutant, .timeLimit,
            .init("fault", .text("KEY=VALUE"), "a knob of every world: clock_guard=false; may be repeated"),
            .init("regressions", .input("FOLDER"), "old failures (Simulation/Regressions)"), .json,
            .init("junit", .output("FILE"), "the outcome as JUnit has it"), .saveFolder,
        ],
        run: { try await sweep($0).rawValue })

    static let determinism = Subcommand(
        "determinism", summary: "runs every seed twice: both must do the same", options: [.seeds, .jobs, .profile],
        run: { try await determinism($0).rawValue })

    static let exhaust = Subcommand(
        "exhaust", summary: "delays each of the first messages in every way",
        options: [
            .init("nodes", .text("N"), "1 to 3 (3)"), .init("clients", .text("N"), "1 or 2 (2)"), .jobs,
            .init("limit", .text("N"), "only the first N worlds"),
        ],
        run: { try await exhaust($0).rawValue })

    private static func sweep(_ arguments: Arguments) async throws -> ExitCode {
        _ = try arguments.words(atMost: 0)
        let seeds = try SeedArguments(arguments, of: "sweep", atMost: 1_000_000_000)
        let settings = arguments.values("fault")
        // Checked before hours of work.
        var probe = seeds.schedule(0)
        for setting in settings { try RunCommand.set(setting, in: &probe) }

        let regressions = try replayRegressions(arguments.value("regressions") ?? "Simulation/Regressions")
        Console.say("sweep: \(seeds.words), profile \(seeds.profile.rawValue), \(seeds.jobs) jobs")
        let begin = ContinuousClock.now
        let tally = await Parallel.run(
            count: seeds.count, jobs: seeds.jobs, until: seeds.timeLimit.map { begin + $0 }, start: { Tally() },
            progress: { Console.progress("\(Format.grouped($0)) of \(Format.grouped(seeds.count)) seeds") },
            work: { number, tally in
                var schedule = seeds.schedule(number)
                schedule.mutant = seeds.mutant?.name
                seeds.mutant?.hunt(&schedule)
                for setting in settings { try? RunCommand.set(setting, in: &schedule) }
                Sweep.run(schedule, repeating: UInt64(number) % Sweep.repeated == 0, into: &tally)
                return tally.violated.count < 16
            },
            add: { $0.add($1) })
        Console.endProgress()
        let report = SweepReport(
            tally, seeds.profile, jobs: seeds.jobs, elapsed: begin.duration(to: .now), failedRegressions: regressions)
        report.print()
        if let path = arguments.value("json") { try File.write(report.json.pretty, to: path) }
        if let path = arguments.value("junit") { try File.write(report.junit, to: path) }
        if let folder = arguments.value("save") { try report.save(in: folder) }
        return report.exitCode
    }

    /// Replays old failures first: they must not come back. Returns the names of those that did.
    private static func replayRegressions(_ folder: String) throws -> [String] {
        var failed: [String] = []
        let files = File.schedules(in: folder)
        for path in files {
            switch Regression(try RedlockSim.schedule(at: path)).replay() {
            case .asExpected: break
            case .noticedOtherwise(let words): Console.say("  \(path): \(words)")
            case .failed(let words):
                failed.append(path)
                Console.say("  \(path): \(words)")
            }
        }
        // Also when there are none: the folder may not be where the program was started.
        Console.say("\(files.count) old failures of \(folder) replayed, \(failed.count) not as expected")
        for path in failed { Console.say("  not as expected: redlock-sim replay \(path)") }
        return failed
    }

    private static func determinism(_ arguments: Arguments) async throws -> ExitCode {
        _ = try arguments.words(atMost: 0)
        let seeds = try arguments.number("seeds", 1...100_000_000, otherwise: 1_000)
        let jobs = try RedlockSim.jobs(arguments)
        let profile = RedlockSim.profile(arguments)
        let tally = await Parallel.run(
            count: seeds, jobs: jobs, start: { Tally() },
            work: { number, tally in
                Sweep.run(Schedule(random: UInt64(number), profile), repeating: true, into: &tally)
                return true
            },
            add: { $0.add($1) })
        for seed in tally.nondeterministic.sorted().prefix(10) {
            Console.say("seed \(seed) did not do the same twice: redlock-sim run --seed \(seed)")
        }
        Console.say(
            "\(Format.grouped(seeds)) seeds twice, \(tally.nondeterministic.count) of them not the same; "
                + "hash of all draws and events: \(String(tally.hash, radix: 16))")
        return tally.nondeterministic.isEmpty ? .asExpected : .nondeterminism
    }

    private static func exhaust(_ arguments: Arguments) async throws -> ExitCode {
        _ = try arguments.words(atMost: 0)
        let nodes = try arguments.number("nodes", 1...3, otherwise: 3)
        let clients = try arguments.number("clients", 1...2, otherwise: 2)
        let jobs = try RedlockSim.jobs(arguments)
        let worlds = Exhaustive(nodes: nodes, clients: clients)
        let count = try arguments.number("limit", 1...worlds.count, otherwise: worlds.count)
        let begin = ContinuousClock.now
        let (violations, grants) = await Parallel.run(
            count: count, jobs: jobs, start: { ([(Int, String)](), 0) },
            progress: { Console.progress("\(Format.grouped($0)) of \(Format.grouped(count)) worlds") },
            work: { number, total in
                let outcome = worlds.run(number)
                total.1 += outcome.grants
                if let worst = outcome.worst { total.0.append((number, "\(worst.oracle.rawValue): \(worst.message)")) }
                return total.0.count < 10
            },
            add: { sum, total in
                sum.0 += total.0
                sum.1 += total.1
            })
        Console.endProgress()
        for (number, message) in violations.sorted(by: { $0.0 < $1.0 }) { Console.say("world \(number): \(message)") }
        Console.say(
            "\(violations.count) of \(Format.grouped(count)) worlds violated, \(Format.grouped(grants)) grants, in "
                + "\(begin.duration(to: .now).milliseconds) ms"
                + (count < worlds.count ? " (of \(Format.grouped(worlds.count)) in all)" : ""))
        return violations.isEmpty ? .asExpected : .safety
    }
}
