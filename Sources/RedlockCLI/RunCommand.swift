import Glibc
import Redlock

/// `redlock run`: a command that runs while the lock is held.
enum RunCommand {
    static func main(_ arguments: Arguments) async -> Int32 {
        let options: RunOptions
        do throws(UsageError) {
            options = try RunOptions(arguments)
        } catch {
            Terminal.complain("redlock run: \(error.message)\n`redlock help run` tells more")
            return ExitCode.usage
        }
        if options.wantsHelp {
            Terminal.say(Usage.run)
            return 0
        }
        return await run(options)
    }

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
            log.failure(error.message, code: error.code.rawValue)
            return error.code == .invalidArgument ? ExitCode.usage : ExitCode.system
        }

        let job = Job(options.command, grace: options.grace ?? options.ttl / 10, log: log)
        let work = Task {
            try await redlock.withLock(options.resource, ttl: options.ttl, waitingUpTo: options.wait) { lease in
                try await job.run(fencingToken: lease.fencingToken)
            }
        }
        SignalWatcher.handle { signal in
            switch signal {
            case SIGCHLD: job.childChanged()
            case SIGTSTP: job.stop()
            default: if !job.forward(signal) { work.cancel() }
            }
        }
        let outcome = await work.result
        await redlock.shutdown()
        return exitCode(outcome, job, log)
    }

    private static func exitCode(_ outcome: Result<Int32, any Error>, _ job: Job, _ log: EventLog) -> Int32 {
        switch outcome {
        case .success(let code):
            return code
        case .failure(let error as Job.StartError):
            log.failure(error.description, code: "commandNotStarted")
            return error.exitCode
        case .failure(let error as RedlockError):
            if error.code == .cancelled, let signal = job.signalBeforeStart { return ExitCode.signal(signal) }
            log.failure(error.description, code: error.code.rawValue)
            switch error.code {
            case .heldByAnother: return ExitCode.heldByAnother
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
}

extension [CChar] {
    /// A C string. Arguments of a command line have no zero inside.
    fileprivate init(cBytes bytes: [UInt8]) {
        self = bytes.map { CChar(bitPattern: $0) } + [0]
    }
}
