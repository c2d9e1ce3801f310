import CommandSupport
import Glibc
import RedlockBench

/// The command `redlock`.
@main
struct RedlockCommand {
    static let program = Program(
        "redlock", summary: "a lock over independent Redis nodes", version: version,
        notes: "Exit codes, environment and the lines of --json: docs/command.md.",
        [RunCommand.subcommand, DoctorCommand.subcommand, BenchCommand.subcommand])

    static func main() {
        // Before any other thread exists: they inherit it, and one thread takes all signals.
        SignalWatcher.blockSignals()
        let words = [[UInt8]](of: CommandLine.self).dropFirst()
        // Detached: what belongs to the main thread would wait for it for ever.
        Task.detached { exit(await run(Array(words))) }
        SignalWatcher.watch()
    }

    private static func run(_ words: [[UInt8]]) async -> Int32 {
        // What the bench starts itself as; nothing for people.
        if words.first == [UInt8](Contention.contenderCommand.utf8) { return await Contention.contenderMain() }
        do {
            return try await program.run(words)
        } catch {
            Console.complain("redlock: \(error)")
            return ExitCode.system
        }
    }
}
