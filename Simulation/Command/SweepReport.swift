import CommandSupport
import RedlockSimulation

/// What a sweep came to, for people and for machines.
struct SweepReport {
    let tally: Tally
    let profile: Profile
    let jobs: Int
    let elapsed: Duration
    let failedRegressions: [String]

    init(_ tally: Tally, _ profile: Profile, jobs: Int, elapsed: Duration, failedRegressions: [String]) {
        self.tally = tally
        self.profile = profile
        self.jobs = jobs
        self.elapsed = elapsed
        self.failedRegressions = failedRegressions
    }

    var exitCode: ExitCode {
        if let worst = violated.first?.violation { return worst.oracle.isLiveness ? .liveness : .safety }
        if !failedRegressions.isEmpty { return .safety }
        if !tally.nondeterministic.isEmpty { return .nondeterminism }
        return tally.isVacuous ? .inconclusive : .asExpected
    }

    private var violated: [Tally.Failure] { tally.violated.sorted { $0.schedule.seed < $1.schedule.seed } }
    private var milliseconds: Int { Int(max(1, elapsed.milliseconds)) }
    private var eventsPerSecondAndCore: Int { tally.events * 1_000 / milliseconds / min(jobs, Parallel.cores) }
    private var timesRealTime: Int {
        Int(tally.duration / 1_000_000) / milliseconds / min(jobs, Parallel.cores)
    }

    func print() {
        for failure in violated.prefix(1) { printFailure(failure) }
        if violated.isEmpty {
            Console.say("violations: \(Console.styled(tally.bound, .good))")
        } else {
            Console.say(
                Console.styled(
                    "violations: \(violated.count) of \(Format.grouped(tally.runs)) seeds, no assumption broken", .bad))
            for failure in violated.prefix(10) {
                Console.say("  seed \(failure.schedule.seed): \(failure.violation.oracle.rawValue)")
            }
        }
        if !tally.inconclusive.isEmpty {
            let seeds = Format.count(tally.inconclusive.count, "seed")
            Console.say("inconclusive: \(seeds), each after a broken assumption")
            for assumption in Assumption.allCases {
                let failures = tally.inconclusive.filter { $0.violation.excuse?.assumption == assumption }
                guard !failures.isEmpty else { continue }
                let seed = failures.map(\.schedule.seed).min()!
                Console.say("  \(failures.count) without \"\(assumption.rawValue)\" (first: seed \(seed))")
            }
        }
        let failures = zip(Oracle.allCases, tally.failures).filter { $1 > 0 }.map { "\($0.rawValue): \($1)" }
        if !failures.isEmpty { Console.say("seeds in which an oracle failed: \(failures.joined(separator: ", "))") }
        if tally.isVacuous { Console.say("VACUOUS: \(tally.grants) grants in \(tally.runs) runs prove nothing") }
        for seed in tally.nondeterministic { Console.say("NOT DETERMINISTIC: seed \(seed)") }
        Console.say(
            "\(Format.grouped(tally.grants)) grants, \(Format.grouped(tally.attempts)) attempts, "
                + "\(Format.grouped(tally.extensions)) extensions, \(Format.grouped(tally.faults)) faults")
        Console.say(
            "\(Format.count(tally.losses, "lease")) lost, \(Format.grouped(tally.extendingLosses)) of them such as extend "
                + "themselves; \(Format.grouped(tally.risks)) times at risk")
        Console.say(
            "\(Format.grouped(tally.fencedGrants)) grants with a fencing token in \(Format.grouped(tally.fencedRuns)) "
                + "runs, \(Format.grouped(tally.unexcusedFencedRuns)) of them without lost numbers that a clock is "
                + "behind; \(Format.grouped(tally.raises)) numbers raised")
        let margins = tally.margins.enumerated().filter { $0.element > 0 }
            .map { "\($0.offset == 9 ? "no hold" : String($0.offset)): \(Format.grouped($0.element))" }
        Console.say("least margin of a run, in nodes: \(margins.joined(separator: ", "))")
        for mark in tally.marks.missing(in: profile) { Console.say("MISS: never seen: \(mark.words)") }
        Console.say(
            "\(Format.grouped(tally.events)) events in \(Format.decimal(Int64(milliseconds), per: 1_000)) s: "
                + "\(Format.grouped(eventsPerSecondAndCore)) events/s on each core, "
                + "\(Format.grouped(timesRealTime)) times real time on each core")
    }

    private func printFailure(_ failure: Tally.Failure) {
        Self.say(failure, profile)
        let mutant = failure.schedule.mutant.map { " --mutant \($0)" } ?? ""
        Console.say("  redlock-sim run --seed \(failure.schedule.seed) --profile \(profile.rawValue)\(mutant)")
    }

    /// The oracle, the moment, and the smallest schedule that fails in the same way, which it returns.
    @discardableResult
    static func say(_ failure: Tally.Failure, _ profile: Profile) -> Schedule {
        let violation = failure.violation
        Console.say(
            "seed \(failure.schedule.seed) (\(profile.rawValue)): \(violation.oracle.rawValue) at \(Format.seconds(violation.at))"
        )
        Console.say("  \(violation.message)")
        guard var shrinker = Shrinker(failure.schedule) else { return failure.schedule }
        shrinker.shrink()
        for line in Explanation.lines(shrinker.schedule).prefix(7) { Console.say("  " + line) }
        return shrinker.schedule
    }

    /// Each failure's schedule, shrunk, in a file of its own.
    func save(in folder: String) throws {
        for failure in violated.prefix(16) {
            var schedule = failure.schedule
            if var shrinker = Shrinker(schedule) {
                shrinker.shrink()
                schedule = shrinker.schedule
            }
            let name = "\(failure.violation.oracle.rawValue)-\(schedule.seed).json"
            try File.write(schedule.json.pretty, to: folder + "/" + name)
            Console.say("redlock-sim replay \(folder)/\(name)")
        }
    }

    var json: JSON {
        .record([
            "schema": "redlock-sim/sweep", "version": 1, "profile": .string(profile.rawValue),
            "seeds": JSON(tally.runs), "violations": JSON(violated.count),
            "inconclusive": JSON(tally.inconclusive.count), "vacuous": .bool(tally.isVacuous),
            "nondeterministic": JSON(tally.nondeterministic.count), "grants": JSON(tally.grants),
            "fenced_grants": JSON(tally.fencedGrants), "raises": JSON(tally.raises),
            "attempts": JSON(tally.attempts), "losses": JSON(tally.losses),
            "extending_losses": JSON(tally.extendingLosses), "risks": JSON(tally.risks),
            "events": JSON(tally.events),
            "virtual_us": .number(tally.duration / 1_000), "elapsed_us": JSON(milliseconds * 1_000),
            "events_per_second_and_core": JSON(eventsPerSecondAndCore), "times_real_time": JSON(timesRealTime),
            "least_margins": .array(tally.margins.map { JSON($0) }),
            "missed": .array(tally.marks.missing(in: profile).map { .string($0.words) }),
            "hash": .string(String(tally.hash, radix: 16)),
            "failures": .array(
                violated.map {
                    .record([
                        "seed": .number(Int64(bitPattern: $0.schedule.seed)),
                        "oracle": .string($0.violation.oracle.rawValue), "at_us": .number($0.violation.at / 1_000),
                        "message": .string($0.violation.message),
                    ])
                }),
        ])
    }

    var junit: String {
        // Some of it stands in an attribute.
        func escaped(_ text: String) -> String { Markup.escaped(text).replacing("\"", with: "&quot;") }
        let name = "\(tally.runs) seeds, \(profile.rawValue)"
        var cases = "  <testcase classname=\"redlock-sim.sweep\" name=\"\(name)\">"
        for failure in violated.prefix(1) {
            cases +=
                "<failure message=\"\(escaped(failure.violation.oracle.rawValue))\">seed \(failure.schedule.seed): "
                + "\(escaped(failure.violation.message))</failure>"
        }
        if tally.isVacuous { cases += "<failure message=\"vacuous\">too few grants</failure>" }
        cases += "</testcase>\n"
        for path in failedRegressions {
            cases +=
                "  <testcase classname=\"redlock-sim.regressions\" name=\"\(escaped(path))\"><failure/></testcase>\n"
        }
        let failures = (violated.isEmpty && !tally.isVacuous ? 0 : 1) + failedRegressions.count
        return
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"redlock-sim\" tests=\"\(1 + failedRegressions.count)\" "
            + "failures=\"\(failures)\">\n\(cases)</testsuite>\n"
    }
}
