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
        run: { await run(try DoctorArguments($0)) })

    private static func run(_ command: DoctorArguments) async -> Int32 {
        guard let interval = command.interval else {
            let diagnosis = await examine(command)
            Console.say(command.asJSON ? diagnosis.json : diagnosis.text)
            return diagnosis.exitCode
        }
        await watch(command, interval)
        return 0
    }

    private static func examine(_ command: DoctorArguments) async -> Diagnosis {
        Diagnosis(await command.examination.run(command.expected), command.expected)
    }

    /// Until a signal ends the program, as it does by itself; or a task, where nothing else would.
    private static func watch(_ command: DoctorArguments, _ interval: Duration) async {
        var last: Diagnosis?
        while !Task.isCancelled {
            let next = ContinuousClock.now + interval
            let diagnosis = await examine(command)
            if command.asJSON {
                Console.say(diagnosis.json)
            } else if Console.outputIsScreen {
                Console.redraw("\(Timestamp.now)  every \(interval.argument), Ctrl-C ends\n\n" + diagnosis.text)
            } else {
                for line in diagnosis.news(since: last) { Console.say("\(Timestamp.now) \(line)") }
            }
            last = diagnosis
            try? await Task.sleep(until: next, clock: .continuous)
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
