import CommandSupport
import RedlockSimulation

/// `mutants`: breaks one rule at a time, and demands that it is noticed.
enum MutantCommand {
    static let subcommand = Subcommand(
        "mutants", operands: "[NAME...]", summary: "breaks one rule at a time: each must be noticed",
        options: [
            .init("budget", .text("N"), "seeds for each of them (2000)"), .saveFolder,
            .init("list", "names them, and what each breaks"),
        ],
        choices: Mutant.all.map(\.name),
        run: { try run($0).rawValue })

    private static func run(_ arguments: Arguments) throws -> ExitCode {
        let budget = try arguments.number("budget", 1...10_000_000, otherwise: 2_000)
        var mutants = Mutant.all
        let names = try arguments.words(atMost: 100)
        if !names.isEmpty { mutants = try names.map { try RedlockSim.mutant($0) } }
        if arguments.has("list") {
            for mutant in mutants { Console.say("\(mutant.name): \(mutant.summary)") }
            return .asExpected
        }
        var survivors = 0
        for mutant in mutants {
            let hunt = MutantHunt(mutant).run(budget: budget)
            guard let kill = hunt.kill else {
                survivors += 1
                Console.say(
                    "\(Console.styled("SURVIVED", .bad)) \(mutant.name): \(mutant.summary); \(hunt.runs) seeds, \(hunt.activations) times in force"
                )
                continue
            }
            Console.say(
                "killed \(mutant.name) by \(kill.oracle.rawValue) at seed \(kill.seed) (\(hunt.runs) seeds; the broken rule "
                    + "decided otherwise \(Format.grouped(hunt.activations)) times; without it the seed holds)")
            if let folder = arguments.value("save"),
                var shrinker = Shrinker(MutantHunt(mutant).schedule(kill.seed, isBroken: true))
            {
                shrinker.shrink()
                try File.write(shrinker.schedule.json.pretty, to: "\(folder)/mutant-\(mutant.name).json")
            }
        }
        Console.say("\(mutants.count - survivors) of \(mutants.count) killed within \(budget) seeds each")
        return survivors == 0 ? .asExpected : .safety
    }
}
