import RedlockSimulation

/// `replay`, `shrink` and `explain`: what can be done with a schedule's file.
enum ReplayCommand {
    static func replay(_ words: ArraySlice<String>) throws -> ExitCode {
        let arguments = try Arguments(words, valued: ["--trace", "--html", "--json"], rest: 1)
        return try RunCommand.run(RedlockSim.schedule(at: try file(arguments)), arguments)
    }

    static func shrink(_ words: ArraySlice<String>) throws -> ExitCode {
        let arguments = try Arguments(words, valued: ["-o", "--output"], rest: 1)
        guard let output = arguments.value("-o") ?? arguments.value("--output") else {
            throw UsageError("shrink needs -o FILE")
        }
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

    static func explain(_ words: ArraySlice<String>) throws -> ExitCode {
        let arguments = try Arguments(words, rest: 1)
        let schedule = try RedlockSim.schedule(at: try file(arguments))
        for line in Explanation.lines(schedule) { Console.say(line) }
        var world = World(schedule)
        for line in Explanation.verdict(world.run(), of: schedule) { Console.say(line) }
        return .asExpected
    }

    private static func file(_ arguments: Arguments) throws -> String {
        guard let path = arguments.rest.first else { throw UsageError("which file? None is given") }
        return path
    }
}

extension Duration {
    var milliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}
