import CommandSupport
import RedlockSimulation

/// `replay`, `shrink` and `explain`: what can be done with a schedule's file.
enum ReplayCommand {
    static let replay = Subcommand(
        "replay", operands: "FILE", summary: "runs a schedule again", options: RunOutputs.options,
        run: { try RunCommand.run(RedlockSim.schedule(at: try file($0)), $0).rawValue })

    static let shrink = Subcommand(
        "shrink", operands: "FILE", summary: "makes a failing schedule small",
        options: [.init("output", short: "o", .output("FILE"), "where the small one goes")],
        run: { try shrink($0).rawValue })

    static let explain = Subcommand(
        "explain", operands: "FILE", summary: "tells a schedule, and what comes of it, in sentences",
        run: { try explain($0).rawValue })

    private static func shrink(_ arguments: Arguments) throws -> ExitCode {
        guard let output = arguments.value("output") else { throw UsageError("shrink needs -o FILE") }
        let schedule = try RedlockSim.schedule(at: try file(arguments))
        let start = ContinuousClock.now
        guard var shrinker = Shrinker(schedule) else {
            Console.say("It does not fail; there is nothing to shrink.")
            return .inconclusive
        }
        shrinker.shrink()
        try File.write(shrinker.schedule.json.pretty, to: output)
        let small = shrinker.schedule
        Console.say(
            "\(shrinker.oracle.rawValue): from \(schedule.faults.count) faults, \(schedule.options.nodes) nodes and "
                + "\(schedule.options.clients) clients to \(small.faults.count), \(small.options.nodes) and "
                + "\(small.options.clients), in \(shrinker.runs) runs and \(start.duration(to: .now).milliseconds) ms.")
        for line in Explanation.lines(small) { Console.say("  " + line) }
        Console.say("redlock-sim replay \(output)")
        return .asExpected
    }

    private static func explain(_ arguments: Arguments) throws -> ExitCode {
        let schedule = try RedlockSim.schedule(at: try file(arguments))
        for line in Explanation.lines(schedule) { Console.say(line) }
        var world = World(schedule)
        for line in Explanation.verdict(world.run(), of: schedule) { Console.say(line) }
        return .asExpected
    }

    private static func file(_ arguments: Arguments) throws -> String {
        guard let path = try arguments.words(atMost: 1).first else { throw UsageError("which file? None is given") }
        return path
    }
}
