import CommandSupport
import Glibc
import PosixLock
import Redlock

/// `redlock run`: a command that runs while the lock is held.
enum RunCommand {
    static let subcommand = Subcommand(
        "run", operands: "RESOURCE -- COMMAND [ARGUMENT...]",
        summary: "runs a command while it holds the lock on RESOURCE", options: RunOptions.options,
        order: .optionsFirst,
        notes: RunOptions.notes,
        run: { await run(try RunOptions($0)) })

    /// Where the command finds the name of the resource.
    private static let resourceVariable = "REDLOCK_RESOURCE"

    @MainThread
    private static func run(_ options: RunOptions) async -> Int32 {
        let log = EventLog(format: options.format)
        let redlock: Redlock
        do {
            // Nothing that holds a lock may wait for whoever reads standard error.
            try Console.queue(.errors, droppedLine: { log.droppedLine($0) })
            var configuration = options.configuration
            configuration.observer = { log.log($0) }
            redlock = try Redlock(nodes: options.nodes, configuration: configuration)
        } catch let error as RedlockError {
            log.failure(EventLog.words(error.message), code: error.code.rawValue, hint: hint(for: error.code))
            return error.code == .invalidArgument ? ExitCode.usage : ExitCode.system
        } catch {
            log.failure("\(error)", code: RedlockError.Code.system.rawValue)
            return ExitCode.system
        }
        log.started(redlock)

        let parent = HeldLocks.inherited.holder(of: options.key, on: redlock.databases)
        let job = Job(options.job, log: log)
        log.beginWait(for: options.resource, heldByParent: parent)
        // Until the command starts: a signal ends the wait, also between two leases.
        let running = MainThread.start {
            await run(job, options, redlock, log)
        }
        MainLoop.shared.handleSignals { signal in
            if !job.take(signal) { running.cancel() }
        }
        let outcome: Outcome
        do { outcome = try await running.value } catch { outcome = .notStarted(error) }
        await redlock.shutdown()
        return exitCode(outcome, job, log, options, heldByParent: parent)
    }

    private enum Outcome {
        /// The command ran to its end under the lock.
        case done(Job.Outcome)
        case lost(RedlockError, Job.Outcome)
        case notStarted(any Error)
    }

    /// Acquires the lock and runs the command. If the lock is over right before the start, it is acquired anew, until the
    /// same deadline.
    @MainThread
    private static func run(
        _ job: Job, _ options: RunOptions, _ redlock: Redlock, _ log: EventLog
    ) async -> Outcome {
        defer { log.endWait() }
        do {
            var wait = try redlock.wait(upTo: options.wait, for: options.resource)
            while true {
                let lease = try await redlock.acquire(
                    options.resource, ttl: options.ttl, &wait, extendingItself: true)
                log.endWait()
                if let outcome = await run(job, under: lease, options, redlock) { return outcome }
                try await redlock.giveUp(lease, &wait)
            }
        } catch {
            return .notStarted(error)
        }
    }

    /// Runs the command under the lease; nil if the lease was over before the start.
    @MainThread
    private static func run(
        _ job: Job, under lease: Lease, _ options: RunOptions, _ redlock: Redlock
    ) async -> Outcome? {
        let watch = MainThread.start {
            if let loss = await lease.waitForLoss() { job.endBecauseLost(EventLog.words(loss.description)) }
        }
        defer { watch.cancel() }
        do {
            var environment = [[UInt8]("\(resourceVariable)=".utf8) + options.resource.bytes]
            environment.append(HeldLocks.inherited.adding(options.key, on: redlock.databases).variable)
            if let token = lease.fencingToken { environment.append([UInt8]("\(Job.fencingVariable)=\(token)".utf8)) }
            let outcome = try await job.run(environment: environment, ifHeld: { lease.isValid })
            let loss = await lease.lossOrLapse()
            await lease.release()
            return loss.map { .lost($0, outcome) } ?? .done(outcome)
        } catch is Job.LockIsOver {
            return nil
        } catch {
            await lease.release()
            return .notStarted(error)
        }
    }
}

// MARK: - Exit codes

extension RunCommand {
    @MainThread
    private static func exitCode(
        _ outcome: Outcome, _ job: Job, _ log: EventLog, _ options: RunOptions, heldByParent parent: HeldLocks.Holder?
    ) -> Int32 {
        switch outcome {
        case .done(let outcome):
            if let signal = outcome.terminalSignal { end(of: signal) }
            return outcome.exitCode
        case .lost(let error, let outcome):
            log.failure(EventLog.words(error.description), code: error.code.rawValue, hint: hint(for: outcome))
            return ExitCode.lost
        case .notStarted(let error as Job.StartError):
            log.failure(error.description, code: "commandNotStarted")
            return error.exitCode
        case .notStarted(let error):
            if let signal = job.signalBeforeStart { Ending.end(by: signal) }
            guard let error = error as? RedlockError else {
                log.failure("\(error)", code: "failed")
                return ExitCode.system
            }
            let hint = error.code == .heldByAnother ? parent.map(\.hint) : nil
            log.failure(
                EventLog.words(error.description), code: error.code.rawValue, hint: hint ?? self.hint(for: error.code))
            switch error.code {
            case .heldByAnother: return options.conflictExitCode
            case .unavailable, .expired: return ExitCode.unavailable
            case .invalidArgument: return ExitCode.usage
            default: return ExitCode.system
            }
        }
    }

    /// A key of the terminal ended the command; it is to end all that the terminal started, as it would without this
    /// program: a script in a loop, the rest of a pipeline.
    private static func end(of signal: Job.TerminalSignal) -> Never {
        // This program has it blocked so far.
        if signal.missedThisGroup { kill(0, signal.number) }
        Ending.end(of: signal.number)
    }

    private static func hint(for outcome: Job.Outcome) -> String {
        let after = "what it did beyond the end of validity may have run beside another holder"
        guard let ending = outcome.ending else { return "the command had ended by itself by then; \(after)" }
        switch ending.notPermitted {
        case .nobody:
            return "the command was ended; \(after)"
        case .command:
            let tenths = Int(((ContinuousClock.now - ending.start) / .milliseconds(100)).rounded())
            return
                "the command could not be ended; it ended by itself \(tenths / 10).\(tenths % 10) s after that, with exit code "
                + "\(outcome.exitCode); \(after)"
        case .restOfGroup:
            return "the command was ended, but not all of its group; \(after)"
        }
    }

    private static func hint(for code: RedlockError.Code) -> String {
        switch code {
        case .heldByAnother: "--wait TIME waits longer for it; `-v` shows each try"
        case .unavailable: "`redlock doctor` says what is wrong with the nodes, and what to change"
        case .expired: "the nodes answer too slowly for this lock: a longer --ttl, or nearer nodes"
        case .invalidArgument: "`redlock help run` tells more"
        default: ""
        }
    }
}
