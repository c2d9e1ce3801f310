import CommandSupport
import RedlockSimulation

/// The files that can be written of a run.
enum RunOutputs {
    static let options: [Option] = [.json, .trace, .html, .saveFile]

    static func write(
        _ schedule: Schedule, _ outcome: Outcome, _ trace: [TraceRecord], for arguments: Arguments
    ) throws(File.Failure) {
        if let path = arguments.value("json") { try File.write(json(schedule, outcome).pretty, to: path) }
        try writeScheduleAndTrace(schedule, outcome, trace, for: arguments)
    }

    /// All but `--json`, which a scenario does not take.
    static func writeScheduleAndTrace(
        _ schedule: Schedule, _ outcome: Outcome, _ trace: [TraceRecord], for arguments: Arguments
    ) throws(File.Failure) {
        if let path = arguments.value("save") { try File.write(schedule.json.pretty, to: path) }
        if let path = arguments.value("trace") {
            try File.write(trace.map { $0.json.text + "\n" }.joined(), to: path)
        }
        if let path = arguments.value("html") {
            try File.write(HTMLReport.page(schedule, outcome, trace), to: path)
        }
    }

    private static func json(_ schedule: Schedule, _ outcome: Outcome) -> JSON {
        .record([
            "schema": "redlock-sim/run", "version": 1, "verdict": .string(outcome.verdict.rawValue),
            "violations": .array(
                outcome.violations.map {
                    .record([
                        "oracle": .string($0.oracle.rawValue), "at_us": .number($0.at / 1_000),
                        "message": .string($0.message),
                        "broken_assumption": $0.excuse.map { .string($0.assumption.rawValue) },
                    ])
                }),
            "broken_assumptions": .array(
                outcome.breaches.map {
                    .record([
                        "assumption": .string($0.assumption.rawValue), "at_us": .number($0.at / 1_000),
                        "by": .string($0.subject),
                    ])
                }),
            "grants": JSON(outcome.grants), "grants_per_client": .array(outcome.grantsPerClient.map { JSON($0) }),
            "attempts": JSON(outcome.attempts), "extensions": JSON(outcome.extensions), "losses": JSON(outcome.losses),
            "events": JSON(outcome.events), "duration_us": .number(outcome.duration / 1_000),
            "least_margin": outcome.leastMargin.map { JSON($0) },
            "hash": .string(String(outcome.hash, radix: 16)), "schedule": schedule.json,
        ])
    }
}
