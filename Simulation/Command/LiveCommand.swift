import ChildProcesses
import CommandSupport
import RedlockLive
import RedlockSimulation

/// `live`: a schedule on real servers and real processes.
enum LiveCommand {
    static let subcommand = Subcommand(
        "live", summary: "runs a schedule on real servers and real processes",
        options: [
            .init("scenario", .text("NAME"), "a situation with a name; `scenario list` has them"),
            .init("schedule", .input("FILE"), "a schedule that was kept"), .profile,
            .init("duration", .text("TIME"), "with a profile: how long (60s)"),
            .init("clients", .text("N"), "likewise: processes (\(WorldOptions.soak.clients))"),
            .init("resources", .text("N"), "likewise: locks (\(WorldOptions.soak.resources))"),
            .init("seed", .text("N"), "likewise: what all is drawn from (1)"),
            .init("fault", .text("KEY=VALUE"), "likewise: a knob; may be repeated"), .stretch,
            .init("compose", .input("FILE"), "on a compose cluster that is up"),
        ] + RunOutputs.options,
        run: { try run($0).rawValue })

    private static func run(_ arguments: Arguments) throws -> ExitCode {
        _ = try arguments.words(atMost: 0)
        Interruption.watch()
        let cluster = try arguments.value("compose").map { try ComposeCluster(file: $0) }
        var schedule = try schedule(arguments)
        // A random schedule does without; one that somebody wrote is not changed in silence.
        if cluster != nil, !arguments.has("scenario"), !arguments.has("schedule") {
            schedule = schedule.forContainers
        }
        Console.say("seed \(schedule.seed): \(Explanation.world(schedule.options))")
        Console.say(
            "\(schedule.faults.count) faults until \(Format.seconds(max(schedule.healAt, schedule.lastFaultEnd))), on real "
                + "servers")
        let result = try LiveRunner.run(schedule, on: cluster)
        for line in Explanation.verdict(result.outcome, of: schedule) { Console.say(line) }
        for line in LiveSummary.lines(result) { Console.say(line) }
        try RunOutputs.write(schedule, result.outcome, result.trace, for: arguments)
        let code = RedlockSim.exitCode(result.outcome)
        guard code == .asExpected else { return code }
        if !result.leaks.isEmpty { return .liveness }
        return result.isInterrupted || result.outcome.grants == 0 ? .inconclusive : .asExpected
    }

    private static func schedule(_ arguments: Arguments) throws -> Schedule {
        let stretch = Int64(try arguments.number("stretch", 1...100, otherwise: Int(Schedule.usualStretch)))
        let sources = ["scenario", "schedule", "profile"].filter { arguments.has($0) }
        guard sources.count <= 1 else {
            throw UsageError("\(sources.map { "--\($0)" }.joined(separator: " and ")) do not go together")
        }
        var schedule: Schedule
        if let name = arguments.value("scenario") {
            let scenario = try RedlockSim.scenario(name)
            schedule = scenario.live(stretch: stretch)
        } else if let path = arguments.value("schedule") {
            schedule = try RedlockSim.schedule(at: path)
            if let obstacle = schedule.obstacle { throw UsageError(obstacle) }
            if arguments.has("stretch") { schedule = schedule.stretched(by: stretch) }
        } else {
            let seed = UInt64(try arguments.number("seed", 0...Int.max, otherwise: 1))
            var options = WorldOptions.soak
            options.clients = try arguments.number("clients", 1...64, otherwise: options.clients)
            options.fencedClients = options.clients
            options.resources = try arguments.number("resources", 1...26, otherwise: options.resources)
            let length = Int64((try arguments.time("duration") ?? .seconds(60)) / .nanoseconds(1))
            let empty = Schedule(soak: seed, options, .tolerated, lasting: 0)
            var knobs = empty
            for setting in arguments.values("fault") { try RunCommand.set(setting, in: &knobs) }
            schedule = Schedule(soak: seed, knobs.options, RedlockSim.profile(arguments), lasting: length)
        }
        guard schedule.mutant == nil else {
            throw UsageError("real clients run the library as it ships: a schedule with a mutant cannot be live")
        }
        return schedule.withoutImpossibleFaults
    }
}

/// Runs a schedule on this machine, with this program as the client.
enum LiveRunner {
    static func run(
        _ schedule: Schedule, on cluster: ComposeCluster? = nil, isQuiet: Bool = false
    ) throws -> LiveResult {
        var setup = LiveRun.Setup(schedule, program: executablePath)
        setup.cluster = cluster
        setup.isInterrupted = { Interruption.isWanted }
        if !isQuiet { setup.progress = { Console.progress($0) } }
        defer { if !isQuiet { Console.endProgress() } }
        return try LiveRun(setup).run()
    }
}

/// What a person wants to know of a live run besides the verdict.
enum LiveSummary {
    static func lines(_ result: LiveResult) -> [String] {
        let outcome = result.outcome
        var lines = [
            "\(Format.count(outcome.grants, "grant")) in \(Format.count(outcome.attempts, "attempt")), "
                + "\(Format.count(outcome.extensions, "extension")), \(Format.count(outcome.losses, "loss", "losses")) in "
                + "\(Format.seconds(outcome.duration)); least margin seen \(outcome.leastMargin.map { String($0) } ?? "none")",
            "from asking to the grant, waits included: median \(Format.length(result.latency(perMille: 500))), "
                + "90 % \(Format.length(result.latency(perMille: 900))), 99 % \(Format.length(result.latency(perMille: 990))), "
                + "longest \(Format.length(result.latency(perMille: 1_000)))",
        ]
        let kinds = Fault.Kind.allCases.compactMap { kind in
            result.verdict.faults[kind].map { "\($0) \(kind.rawValue)" }
        }
        lines.append("faults: " + (kinds.isEmpty ? "none" : kinds.joined(separator: ", ")))
        let counts = result.verdict.counts.map { entry in
            "\(entry.count) \(entry.oracle.rawValue)"
                + (entry.unexcused < entry.count ? " (\(entry.count - entry.unexcused) after a broken assumption)" : "")
        }
        lines.append("broken promises: " + (counts.isEmpty ? "none" : counts.joined(separator: ", ")))
        if outcome.fencedGrants > 0 {
            lines.append(
                "fencing: \(Format.count(outcome.fencedGrants, "grant")) with a token; the resource refused "
                    + Format.count(result.verdict.fencedWrites, "late write"))
        }
        lines.append("keys past their ttl at the end: \(result.verdict.keysLeft)")
        lines += result.notes
        lines.append("the latest fault came \(Format.length(result.lateness)) after its time")
        lines += result.leaks.map { "LEAK " + $0 }
        if result.isInterrupted { lines.append("interrupted: all was healed and ended") }
        return lines
    }
}
