import CommandSupport
import RedlockSimulation

/// `run`: one world, from a seed or from a file.
enum RunCommand {
    static let subcommand = Subcommand(
        "run", summary: "runs one world, from a seed or from a file",
        options: [
            .init("seed", .text("N"), "the seed that all is drawn from (1)"), .profile,
            .init("fault", .text("KEY=VALUE"), "a knob of the world: nodes=3, ttl_us=500000; may be repeated"),
            .init("schedule", .input("FILE"), "a schedule instead of a seed and a profile"), .mutant,
        ] + RunOutputs.options,
        run: { try run($0).rawValue })

    private static func run(_ arguments: Arguments) throws -> ExitCode {
        _ = try arguments.words(atMost: 0)
        var schedule: Schedule
        if let path = arguments.value("schedule") {
            guard !arguments.has("seed"), !arguments.has("profile") else {
                throw UsageError("a schedule has its seed: --schedule goes without --seed and --profile")
            }
            schedule = try RedlockSim.schedule(at: path)
        } else {
            let seed = try arguments.number("seed", 0...Int.max, otherwise: 1)
            schedule = Schedule(random: UInt64(seed), RedlockSim.profile(arguments))
        }
        if let name = arguments.value("mutant") {
            let mutant = try RedlockSim.mutant(name)
            schedule.mutant = name
            mutant.hunt(&schedule)
        }
        for setting in arguments.values("fault") { try set(setting, in: &schedule) }
        return try run(schedule, arguments)
    }

    /// Runs, prints, and writes what was asked for.
    static func run(_ schedule: Schedule, _ arguments: Arguments) throws -> ExitCode {
        Console.say("seed \(schedule.seed): \(Explanation.world(schedule.options))")
        Console.say("\(Format.count(schedule.faults.count, "fault")) until \(Format.seconds(schedule.healAt))")
        if let mutant = schedule.mutant { Console.say("broken on purpose: \(mutant)") }
        let wantsTrace = arguments.has("trace") || arguments.has("html")
        var world = World(schedule, tracing: wantsTrace)
        let outcome = world.run()
        for line in Explanation.verdict(outcome, of: schedule) {
            Console.say(Console.styled(line, outcome.verdict))
        }
        Console.say(
            "\(Format.count(outcome.grants, "grant")) in \(Format.count(outcome.attempts, "attempt")), "
                + "\(Format.count(outcome.extensions, "extension")), \(Format.count(outcome.losses, "loss", "losses")); "
                + "\(Format.count(outcome.events, "event")) in "
                + "\(Format.seconds(outcome.duration)); least margin \(outcome.leastMargin.map { String($0) } ?? "none"); "
                + "hash \(String(outcome.hash, radix: 16))")
        Console.say("grants by client: \(outcome.grantsPerClient.map { String($0) }.joined(separator: ", "))")
        if outcome.verdict != .held { printFailure(schedule, outcome) }
        try RunOutputs.write(schedule, outcome, world.trace, for: arguments)
        return RedlockSim.exitCode(outcome)
    }

    private static func printFailure(_ schedule: Schedule, _ outcome: Outcome) {
        guard var shrinker = Shrinker(schedule) else { return }
        shrinker.shrink()
        Console.say("")
        Console.say("The smallest schedule found that fails in the same way (\(shrinker.runs) runs):")
        for line in Explanation.lines(shrinker.schedule) { Console.say("  " + line) }
        Console.say("To keep it: --save FILE; then: redlock-sim shrink FILE -o SMALL && redlock-sim replay SMALL")
    }

    /// A knob of the world, by its name in a schedule's JSON.
    static func set(_ setting: String, in schedule: inout Schedule) throws {
        let parts = setting.split(separator: "=", maxSplits: 1).map { String($0) }
        guard parts.count == 2, case .object(var members) = schedule.json else {
            throw UsageError("--fault \(setting): it must be KEY=VALUE")
        }
        guard let world = members.firstIndex(where: { $0.key == "world" }),
            case .object(var knobs) = members[world].value
        else { return }
        let value = (try? JSON(parsing: parts[1])) ?? .string(parts[1])
        if let place = knobs.firstIndex(where: { $0.key == parts[0] }) {
            knobs[place].value = value
        } else {
            knobs.append(JSON.Member(parts[0], value))
        }
        members[world].value = .object(knobs)
        do throws(ScheduleError) {
            schedule = try Schedule(json: .object(members))
        } catch {
            throw UsageError("--fault \(setting): \(error)")
        }
    }
}
