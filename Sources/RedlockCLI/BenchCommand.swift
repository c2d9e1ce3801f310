import CommandSupport
import Glibc
import PosixLock
import RedlockBench

/// `redlock bench`: the library beside the bare wire.
enum BenchCommand {
    static let subcommand = Subcommand(
        "bench", summary: "measures the lock beside the bare wire",
        options: BenchArguments.declared,
        notes: """
            Without nodes it starts five servers, and stops them at the end.
            Nodes given are not harmed; keys begin with redlock-bench: and are released.
            The figures: docs/performance.md. exit: 0; 64 wrong arguments, 69 no nodes.
            """,
        run: { await run(try BenchArguments($0)) })

    private static func run(_ command: BenchArguments) async -> Int32 {
        let interruption = Locked<ReceivedSignal?>(nil)
        // On the threads of the pool: what is measured are callers there.
        let work = Task.detached {
            try await Bench(command.options, progress: { Console.progress($0) }).run()
        }
        MainLoop.shared.handleSignals { signal in
            guard signal.number != SIGCHLD, signal.number != SIGWINCH else { return }
            let isFirst = interruption.withLock { interruption in
                defer { interruption = signal }
                return interruption == nil
            }
            // The servers end with this process, however it ends.
            guard isFirst, signal.number != SIGTSTP else { Ending.end(by: signal) }
            work.cancel()
        }
        let outcome = await work.result
        Console.endProgress()
        if let signal = interruption.withLock({ $0 }) {
            Console.complain("redlock bench: interrupted; there are no figures")
            Ending.end(by: signal)
        }
        switch outcome {
        case .success(let report):
            Console.say(command.asJSON ? report.json : report.table)
            return 0
        case .failure(let error):
            Console.complain("redlock bench: \(error)")
            return ExitCode.unavailable
        }
    }
}
