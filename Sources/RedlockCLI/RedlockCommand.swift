import Glibc
import RedlockBench

/// The command `redlock`: its subcommands, and what a process ends with.
@main
struct RedlockCommand {
    static func main() {
        // Before any other thread exists: they inherit it, and one thread takes all signals.
        SignalWatcher.blockSignals()
        let arguments = Arguments(of: CommandLine.self)
        // Detached: what belongs to the main thread would wait for it for ever.
        Task.detached { exit(await run(arguments)) }
        SignalWatcher.watch()
    }

    private static func run(_ arguments: Arguments) async -> Int32 {
        switch arguments.text(at: 1) {
        case nil:
            Terminal.complain(Usage.overview)
            return ExitCode.usage
        case "run":
            return await RunCommand.main(arguments.dropping(2))
        case "bench":
            return await BenchCommand.main(arguments.dropping(2))
        case Contention.contenderCommand:
            return await Contention.contenderMain()
        case "help", "--help", "-h":
            switch arguments.text(at: 2) {
            case "run": Terminal.say(Usage.run)
            case "bench": Terminal.say(Usage.bench)
            default: Terminal.say(Usage.overview)
            }
            return 0
        case "version", "--version":
            Terminal.say("redlock \(Usage.version)")
            return 0
        case .some(let other):
            Terminal.complain("redlock: '\(other)' is no command of redlock; there are: run, bench, help, version")
            return ExitCode.usage
        }
    }
}

/// Exit codes, those of sysexits.h where it has one.
enum ExitCode {
    static let usage: Int32 = 64
    static let unavailable: Int32 = 69
    static let system: Int32 = 71
    static let heldByAnother: Int32 = 75
    static let lost: Int32 = 76
    static let cannotExecute: Int32 = 126
    static let notFound: Int32 = 127

    static func signal(_ number: Int32) -> Int32 { 128 + number }
}

/// Standard output and standard error.
enum Terminal {
    static func say(_ text: String) { write(text, to: STDOUT_FILENO) }
    static func complain(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = [UInt8]((text + "\n").utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
