import Glibc
import PosixLock
import RedlockBench

/// `redlock bench`: the library beside the bare wire.
enum BenchCommand {
    static func main(_ arguments: Arguments) async -> Int32 {
        let command: BenchArguments
        do throws(UsageError) {
            command = try BenchArguments(arguments)
        } catch {
            Terminal.complain("redlock bench: \(error.message)\n`redlock help bench` tells more")
            return ExitCode.usage
        }
        if command.wantsHelp {
            Terminal.say(Usage.bench)
            return 0
        }
        return await run(command)
    }

    private static func run(_ command: BenchArguments) async -> Int32 {
        let work = Task {
            try await Bench(command.options, progress: { ProgressLine.show($0) }).run()
        }
        let interruption = Locked<Int32?>(nil)
        SignalWatcher.handle { signal -> Void in
            guard signal != SIGCHLD, signal != SIGWINCH else { return }
            let isFirst = interruption.withLock { interruption in
                defer { interruption = signal }
                return interruption == nil
            }
            // The servers end with this process, however it ends.
            guard isFirst, signal != SIGTSTP else { exit(ExitCode.signal(signal)) }
            work.cancel()
        }
        let outcome = await work.result
        ProgressLine.clear()
        if let signal = interruption.withLock({ $0 }) {
            Terminal.complain("redlock bench: interrupted; there are no figures")
            return ExitCode.signal(signal)
        }
        switch outcome {
        case .success(let report):
            Terminal.say(command.asJSON ? report.json : report.table)
            return 0
        case .failure(let error):
            Terminal.complain("redlock bench: \(error)")
            return ExitCode.unavailable
        }
    }
}

/// One line of a terminal that changes; nothing where standard error is none.
enum ProgressLine {
    private static let isTerminal = isatty(STDERR_FILENO) == 1

    static func show(_ text: String) {
        if isTerminal { write("\r\u{1b}[K\(text)") }
    }

    static func clear() {
        if isTerminal { write("\r\u{1b}[K") }
    }

    private static func write(_ text: String) {
        _ = unsafe [UInt8](text.utf8).withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
