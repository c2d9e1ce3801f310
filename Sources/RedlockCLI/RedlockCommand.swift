import CommandSupport
import Glibc
import RedlockBench

/// The command `redlock`.
@main
struct RedlockCommand {
    static let program = Program(
        "redlock", summary: "a lock over independent Redis nodes", version: version,
        notes: "Exit codes, environment and the lines of --json: docs/command.md.",
        [RunCommand.subcommand, DoctorCommand.subcommand, ForgetNumbersCommand.subcommand, BenchCommand.subcommand])

    /// What the process was started with. First used as the first thing of all.
    static let start = ProcessStart()

    static func main() {
        let start = start
        Console.letSignalsEndWrites(start.ending)
        let words = [[UInt8]](of: CommandLine.self).dropFirst()
        MainThread.start { Ending.end(await run(Array(words))) }
        MainLoop.shared.run(waitingFor: start.awaited)
    }

    @MainThread
    private static func run(_ words: [[UInt8]]) async -> Int32 {
        // What the bench starts itself as; nothing for people.
        if words.first == [UInt8](Contention.contenderCommand.utf8) {
            return await Task.detached { await Contention.contenderMain() }.value
        }
        do {
            return try await program.run(words)
        } catch {
            Console.complain("redlock: \(error)")
            return ExitCode.system
        }
    }
}
