import CommandSupport
import Glibc

/// The command `redlock`.
@main
struct RedlockCommand {
    static let program = Program(
        "redlock", summary: "a lock over independent Redis nodes", version: version,
        notes: "Exit codes, environment and the lines of --json: docs/command.md.",
        [RunCommand.subcommand])

    static func main() {
        // Before any other thread exists: they inherit it, and one thread takes all signals.
        SignalWatcher.blockSignals()
        let words = [[UInt8]](of: CommandLine.self).dropFirst()
        // Detached: what belongs to the main thread would wait for it for ever.
        Task.detached { exit(await run(Array(words))) }
        SignalWatcher.watch()
    }

    private static func run(_ words: [[UInt8]]) async -> Int32 {
        do {
            return try await program.run(words)
        } catch {
            Console.complain("redlock: \(error)")
            return ExitCode.system
        }
    }
}

/// Exit codes, those of sysexits.h where it has one.
enum ExitCode {
    static let usage = Program.usageCode
    static let unavailable: Int32 = 69
    static let system: Int32 = 71
    static let heldByAnother: Int32 = 75
    static let lost: Int32 = 76
    static let cannotExecute: Int32 = 126
    static let notFound: Int32 = 127

    static func signal(_ number: Int32) -> Int32 { 128 + number }
}
