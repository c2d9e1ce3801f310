import CommandSupport
import Glibc
import Redlock

/// `redlock run`: a command that runs while the lock is held.
enum RunCommand {
    static let subcommand = Subcommand(
        "run", operands: "RESOURCE -- COMMAND [ARGUMENT...]",
        summary: "runs a command while it holds the lock on RESOURCE", options: RunOptions.options,
        order: .optionsFirst,
        notes: RunOptions.notes,
        run: { await run(try RunOptions($0)) })

    private static func run(_ options: RunOptions) async -> Int32 {
        let log = EventLog(format: options.format)
        // Before the coordinator starts its queue: the environment is nobody's to change once there are threads.
        unsafe setenv("REDLOCK_RESOURCE", [CChar](cBytes: options.resource.bytes), 1)
        // What is inherited belongs to another lock.
        unsafe unsetenv(Job.fencingVariable)

        let redlock: Redlock
        do throws(RedlockError) {
            var configuration = options.configuration
            configuration.observer = { log.log($0) }
            redlock = try Redlock(nodes: options.nodes, configuration: configuration)
        } catch {
            log.failure(error.message, code: error.code.rawValue, hint: hint(for: error.code))
            return error.code == .invalidArgument ? ExitCode.usage : ExitCode.system
        }

        let job = Job(options.command, grace: options.grace, log: log)
        let work = SignalWatcher.start {
            let work = Task {
                try await redlock.withLock(options.resource, ttl: options.ttl, waitingUpTo: options.wait) { lease in
                    try await job.run(fencingToken: lease.fencingToken)
                }
            }
            return (
                work,
                { signal in
                    switch signal {
                    case SIGCHLD: job.childChanged()
                    case SIGTSTP: job.stop()
                    default: if !job.forward(signal) { work.cancel() }
                    }
                }
            )
        }
        let outcome = await work.result
        await redlock.shutdown()
        return exitCode(outcome, job, log, conflict: options.conflictExitCode)
    }

    private static func exitCode(
        _ outcome: Result<Int32, any Error>, _ job: Job, _ log: EventLog, conflict: Int32
    ) -> Int32 {
        switch outcome {
        case .success(let code):
            return code
        case .failure(let error as Job.StartError):
            log.failure(error.description, code: "commandNotStarted")
            return error.exitCode
        case .failure(let error as RedlockError):
            if error.code == .cancelled, let signal = job.signalBeforeStart { return ExitCode.signal(signal) }
            log.failure(error.description, code: error.code.rawValue, hint: hint(for: error.code))
            switch error.code {
            case .heldByAnother: return conflict
            case .unavailable, .expired: return ExitCode.unavailable
            case .lost: return ExitCode.lost
            case .invalidArgument: return ExitCode.usage
            default: return ExitCode.system
            }
        case .failure(let error):
            if let signal = job.signalBeforeStart { return ExitCode.signal(signal) }
            log.failure("\(error)", code: "failed")
            return ExitCode.system
        }
    }

    private static func hint(for code: RedlockError.Code) -> String {
        switch code {
        case .heldByAnother: "--wait TIME waits longer for it; `-v` shows each try"
        case .unavailable: "`redlock doctor` says what is wrong with the nodes, and what to change"
        case .expired: "the nodes answer too slowly for this lock: a longer --ttl, or nearer nodes"
        case .lost: "the command was ended; what it did beyond the end of validity may have run beside another holder"
        case .invalidArgument: "`redlock help run` tells more"
        default: ""
        }
    }
}

extension [CChar] {
    /// A C string. Arguments of a command line have no zero inside.
    fileprivate init(cBytes bytes: [UInt8]) {
        self = bytes.map { CChar(bitPattern: $0) } + [0]
    }
}
