import CommandSupport
import RedlockDoctor

/// `redlock doctor`: what the nodes are, what could happen with them, and what to change.
enum DoctorCommand {
    static let subcommand = Subcommand(
        "doctor", summary: "tells what is wrong with the nodes, and what to change",
        options: DoctorArguments.declared,
        notes: """
            It changes nothing on the nodes, and sets no key.
            What it finds, and what to do about it: docs/operations.md.
            exit: 0 fine, 1 warnings, 69 no quorum, 64 wrong arguments
            example: redlock doctor --node redis://a --node redis://b --node redis://c
            """,
        run: { try await run(try DoctorArguments($0)) })

    @MainThread
    private static func run(_ command: DoctorArguments) async throws -> Int32 {
        guard let interval = command.interval else {
            let diagnosis = try await examine(command)
            Console.say(command.asJSON ? diagnosis.json : diagnosis.text)
            return diagnosis.exitCode
        }
        try await watch(command, interval)
        return 0
    }

    @MainThread
    private static func examine(_ command: DoctorArguments) async throws -> Diagnosis {
        Diagnosis(try await command.examination.run(command.expected), command.expected)
    }

    /// Until a signal ends the program, or nobody can read the output any more.
    @MainThread
    private static func watch(_ command: DoctorArguments, _ interval: Duration) async throws {
        // The looks go on, and their times are right, while a terminal is stopped.
        try Console.queue(.output) { "\(Timestamp.now) \($0) lines were left out: they were not read" }
        var last: Diagnosis?
        while Console.isRead(.output) {
            let next = ContinuousClock.now + interval
            let diagnosis = try await examine(command)
            if command.asJSON {
                Console.say(diagnosis.json)
            } else if Console.outputIsScreen {
                Console.redraw("\(Timestamp.now)  every \(interval.argument), Ctrl-C ends\n\n" + diagnosis.text)
            } else {
                for line in diagnosis.news(since: last) { Console.say("\(Timestamp.now) \(line)") }
            }
            last = diagnosis
            await MainThread.sleep(until: next)
        }
    }
}

extension Diagnosis {
    var exitCode: Int32 {
        switch verdict {
        case .fine: 0
        case .warnings: ExitCode.warnings
        case .noQuorum: ExitCode.unavailable
        }
    }
}
