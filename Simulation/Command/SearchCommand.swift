import CommandSupport
import RedlockSimulation

/// `search`: variants of the schedules that came nearest to a violation.
enum SearchCommand {
    static let subcommand = Subcommand(
        "search", summary: "varies the schedules that came nearest to a violation",
        options: [
            .seeds, .first, .init("rounds", .text("R"), "how many rounds of as many variants (20)"), .jobs, .profile,
            .mutant, .init("ordinary", "with --mutant: in worlds that are not made for it"), .timeLimit, .saveFolder,
        ],
        run: { try await run($0).rawValue })

    private static func run(_ arguments: Arguments) async throws -> ExitCode {
        _ = try arguments.words(atMost: 0)
        let seeds = try SeedArguments(arguments, of: "search", atMost: 10_000_000)
        let rounds = try arguments.number("rounds", 0...1_000_000, otherwise: 20)
        let isOrdinary = arguments.has("ordinary")

        Console.say(
            "search: \(seeds.words), then \(rounds) rounds of as many variants, profile \(seeds.profile.rawValue), "
                + "\(seeds.jobs) jobs")
        let deadline = seeds.timeLimit.map { ContinuousClock.now + $0 }
        var search = Search(seed: seeds.first, seeds.profile)
        var total = Generation()
        for round in 0...rounds {
            let current = search
            let generation = await Parallel.run(
                count: seeds.count, jobs: seeds.jobs, until: deadline, start: { Generation() },
                work: { number, generation in
                    guard round == 0 else { return generation.run(current.variant(number), number) }
                    var schedule = seeds.schedule(number)
                    schedule.mutant = seeds.mutant?.name
                    if !isOrdinary { seeds.mutant?.hunt(&schedule) }
                    return generation.run(schedule, number)
                },
                add: { $0.add($1) })
            if let (number, failure) = generation.first {
                Console.endProgress()
                let before = total.tally.runs
                try say(failure, afterRuns: before + number + 1, round, seeds.profile, saveIn: arguments.value("save"))
                return failure.violation.oracle.isLiveness ? .liveness : .safety
            }
            total.add(generation)
            if round == 0 { search.begin(with: generation.inOrder) } else { search.advance(with: generation.runs) }
            Console.progress("round \(round) of \(rounds): \(search.words)")
            if search.kept.isEmpty { break }
            if let deadline, ContinuousClock.now >= deadline { break }
        }
        Console.endProgress()
        Console.say("nearest: \(search.words), after \(search.round) rounds")
        Console.say("violations: none in \(Format.grouped(total.tally.runs)) runs that were steered towards one")
        guard total.tally.isVacuous else { return .asExpected }
        Console.say("VACUOUS: \(total.tally.grants) grants in \(total.tally.runs) runs prove nothing")
        return .inconclusive
    }

    /// As a sweep says it; but a variant has no seed that makes it again, so its schedule must be kept in a file.
    private static func say(
        _ failure: Tally.Failure, afterRuns runs: Int, _ round: Int, _ profile: Profile, saveIn folder: String?
    ) throws {
        let small = SweepReport.say(failure, profile)
        if let folder {
            let path = "\(folder)/\(failure.violation.oracle.rawValue)-\(failure.schedule.seed).json"
            try File.write(small.json.pretty, to: path)
            Console.say("  redlock-sim replay \(path)")
        } else {
            Console.say("  the same search with --save FOLDER keeps it for redlock-sim replay")
        }
        Console.say("first violation after \(Format.grouped(runs)) runs, in round \(round)")
    }
}

/// What the runs of one round came to.
private struct Generation: Sendable {
    var tally = Tally()
    var runs: [(number: Int, run: Search.Kept)] = []
    var failures: [(number: Int, failure: Tally.Failure)] = []

    /// False to stop the round. Numbers are given out in order, so all below that of a violation are run too, and the
    /// first violation is the same with any number of jobs.
    mutating func run(_ schedule: Schedule, _ number: Int) -> Bool {
        var world = World(schedule, measuringSlack: true)
        let outcome = world.run()
        tally.add(schedule, outcome)
        if outcome.verdict == .violated, let violation = outcome.worst {
            failures.append((number, Tally.Failure(schedule: schedule, violation: violation)))
            return false
        }
        if let distance = Distance(outcome) { runs.append((number, Search.Kept(schedule, distance))) }
        return true
    }

    mutating func add(_ other: Generation) {
        tally.add(other.tally)
        runs += other.runs
        failures += other.failures
    }

    var first: (number: Int, failure: Tally.Failure)? { failures.min { $0.number < $1.number } }
    var inOrder: [Search.Kept] { runs.sorted { $0.number < $1.number }.map(\.run) }
}

extension Search {
    fileprivate var words: String {
        guard let nearest else { return "nothing to go by" }
        let slack = nearest.slack >= Clock.never ? "" : ", \(Format.seconds(nearest.slack)) apart"
        return "least margin \(nearest.margin)\(slack)"
    }
}
