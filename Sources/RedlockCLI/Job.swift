import ChildProcesses
import Glibc

/// The command and its process group: started once, signalled, and waited for.
@MainThread
final class Job {
    struct StartError: Error {
        let cause: ChildProcess.SpawnError

        var description: String { cause.description }
        var exitCode: Int32 {
            if cause.isScarcity { return ExitCode.system }
            return cause.number == ENOENT ? ExitCode.notFound : ExitCode.cannotExecute
        }
    }

    /// The lock was over right before the command was to start.
    struct LockIsOver: Error {}

    /// What `redlock run` was told of the command.
    struct Settings: Sendable {
        let command: [[UInt8]]
        /// From SIGTERM to SIGKILL, when the lock is lost.
        let grace: Duration
        /// Whether the kernel kills the command when this program is killed.
        let diesWithParent: Bool
    }

    /// How the command ended.
    struct Outcome: Sendable {
        /// What a shell would call the command's exit code.
        let exitCode: Int32
        /// A key of the terminal killed it: this program is to die of the same signal.
        let terminalSignal: TerminalSignal?
        /// What was done because the lock was lost while the command ran; nil if it ran to its end.
        let ending: Ending?
    }

    struct TerminalSignal: Sendable {
        let number: Int32
        /// Whether it came to the command's group alone, which had the terminal in the place of this program's group.
        let missedThisGroup: Bool
    }

    /// The attempt to end the command, because the lock is lost.
    struct Ending: Sendable {
        let start: ContinuousClock.Instant
        /// When the grace is over.
        let deadline: ContinuousClock.Instant
        /// Who could not be ended, as this user may not signal them.
        var notPermitted = Spared.nobody
    }

    /// Processes that could not be ended.
    enum Spared: Sendable {
        case nobody
        /// All of the command's group. The command ended by itself.
        case command
        /// What was left of the group when the command had ended.
        case restOfGroup
    }

    private enum State {
        /// Can become running.
        case waiting
        /// Can become ended.
        case running(ChildProcess)
        case ended(ChildProcess, ChildProcess.Status)
    }

    /// Where the command finds its fencing token.
    static let fencingVariable = "REDLOCK_FENCING_TOKEN"
    /// How often the command's group is looked at once the command itself has ended: nobody reports the end of its other
    /// members.
    private static let groupInterval = Duration.milliseconds(10)

    private let settings: Settings
    private let log: EventLog
    private let terminal = ControllingTerminal()
    private var state = State.waiting
    private var ending: Ending?
    /// Resumed when the command has ended.
    private var waiting: CheckedContinuation<Void, Never>?
    /// This program was told to stop, and waits for the command to do so.
    private var isStopWanted = false
    /// The last signal from the terminal that was passed on.
    private var terminalSignal: Int32?
    /// The signal that came while the lock was still being waited for.
    private(set) var signalBeforeStart: ReceivedSignal?

    init(_ settings: Settings, log: EventLog) {
        self.settings = settings
        self.log = log
    }

    private var runningChild: ChildProcess? {
        guard case .running(let child) = state else { return nil }
        return child
    }
}

// MARK: - Running

extension Job {
    /// Starts the command and waits until it has ended; and, if the lock is lost meanwhile, until all of its group has ended
    /// or the grace is over.
    ///
    /// - Parameters:
    ///   - environment: What the command finds there, besides what this program was started with.
    ///   - isHeld: Whether the lock is held. It is asked right before the start.
    /// - Throws: ``StartError``; ``LockIsOver``; `CancellationError` if a signal came before the start.
    func run(environment: [[UInt8]], ifHeld isHeld: () -> Bool) async throws -> Outcome {
        // It came with the lock, so to speak: it was meant for this program then.
        if signalBeforeStart != nil { throw CancellationError() }
        guard isHeld() else { throw LockIsOver() }
        let child = try start(environment)
        log.commandStarted(child.id)
        await withCheckedContinuation { continuation in
            waiting = continuation
            // It may have ended, and SIGCHLD been taken, before anybody waited.
            childChanged()
        }
        guard case .ended(_, let status) = state else { preconditionFailure("the command has not ended") }
        return await finish(child, status)
    }

    private func start(_ environment: [[UInt8]]) throws -> ChildProcess {
        var conditions = ChildProcess.Conditions()
        (conditions.input, conditions.output, conditions.errors) = (.inherited, .inherited, .inherited)
        conditions.family = .ownGroup
        conditions.environment = environment
        // What was inherited belongs to another lock.
        conditions.withoutVariables = [Self.fencingVariable]
        conditions.signals = RedlockCommand.start.inherited
        conditions.deathSignal = settings.diesWithParent ? SIGKILL : nil
        do throws(ChildProcess.SpawnError) {
            let child = try ChildProcess(settings.command, conditions)
            state = .running(child)
            return child
        } catch {
            throw StartError(cause: error)
        }
    }

    private func finish(_ child: ChildProcess, _ status: ChildProcess.Status) async -> Outcome {
        let terminalSignal = terminalSignal(that: status, child)
        terminal.takeBack(from: child.id)
        let code =
            switch status {
            case .exited(let code): code
            case .signalled(let number): ExitCode.signal(number)
            case .unknown: ExitCode.system
            case .stopped: preconditionFailure("a stopped command has not ended")
            }
        if status == .unknown {
            log.warning("the command has ended, and its exit code is not known", "exitCodeUnknown")
        }
        log.commandEnded(exitCode: code)
        if let ending { await endGroup(of: child, until: ending.deadline) }
        return Outcome(exitCode: code, terminalSignal: terminalSignal, ending: ending)
    }

    private func terminalSignal(that ended: ChildProcess.Status, _ child: ChildProcess) -> TerminalSignal? {
        guard case .signalled(let number) = ended, number == SIGINT || number == SIGQUIT else { return nil }
        if terminal.belongs(to: child.id) { return TerminalSignal(number: number, missedThisGroup: true) }
        return terminalSignal == number ? TerminalSignal(number: number, missedThisGroup: false) : nil
    }
}

// MARK: - The end of the lock

extension Job {
    /// The lock is lost: SIGTERM to the command's whole group, and SIGKILL when the grace is over.
    ///
    /// - Parameter loss: Why, for what is printed at once if the command cannot be ended.
    func endBecauseLost(_ loss: String) {
        guard let child = runningChild, ending == nil else { return }
        let now = ContinuousClock.now
        ending = Ending(start: now, deadline: now + settings.grace)
        signalForEnding(SIGTERM, child, loss)
        // A stopped process takes no SIGTERM.
        signalForEnding(SIGCONT, child, loss)
        MainThread.start {
            await MainThread.sleep(until: now + self.settings.grace)
            if self.runningChild != nil { self.signalForEnding(SIGKILL, child, loss) }
        }
    }

    private func signalForEnding(_ number: Int32, _ child: ChildProcess, _ loss: String) {
        do throws(ChildProcess.SignalFailure) {
            try child.signalGroup(number)
        } catch .notPermitted {
            guard ending?.notPermitted == .nobody else { return }
            ending?.notPermitted = .command
            log.warning(
                "\(loss); the command (process \(child.id)) runs on WITHOUT the lock: it runs as another user, and this one "
                    + "may not signal it",
                "commandCannotBeEnded")
        } catch {}
    }

    /// Waits for what is left of the group, and kills it when the grace is over.
    private func endGroup(of child: ChildProcess, until deadline: ContinuousClock.Instant) async {
        do throws(ChildProcess.SignalFailure) {
            while ContinuousClock.now < deadline {
                // Somebody is there also if none of them may be signalled.
                if !child.hasGroup { return }
                await MainThread.sleep(until: ContinuousClock.now + Self.groupInterval)
            }
            try child.signalGroup(SIGKILL)
        } catch .notPermitted {
            ending?.notPermitted = .restOfGroup
            log.warning(
                "processes of the command's group \(child.id) run on WITHOUT the lock: they run as another user, and this one "
                    + "may not signal them",
                "commandCannotBeEnded")
        } catch {}
    }
}

// MARK: - Signals

extension Job {
    /// Takes a signal that this program got.
    ///
    /// - Returns: False if it is to end the wait for the lock.
    func take(_ signal: ReceivedSignal) -> Bool {
        switch signal.number {
        case SIGCHLD: childChanged()
        case SIGTSTP: takeStop()
        default: return forward(signal)
        }
        return true
    }

    private func forward(_ signal: ReceivedSignal) -> Bool {
        switch state {
        case .waiting:
            guard signal.number != SIGWINCH else { return true }
            signalBeforeStart = signal
            return false
        case .ended(let child, _):
            // What is left of its group has the rest of the grace.
            if ending != nil { try? child.signalGroup(signal.number) }
            return true
        case .running(let child):
            if signal.isFromTerminal, signal.number != SIGWINCH { terminalSignal = signal.number }
            do throws(ChildProcess.SignalFailure) {
                try child.signalGroup(signal.number)
                // A stopped command takes it when it goes on.
                if [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(signal.number) { try child.signalGroup(SIGCONT) }
            } catch .notPermitted where signal.number != SIGWINCH {
                log.warning(
                    "signal \(signal.number) was not passed on: the command (process \(child.id)) runs as another user, and "
                        + "this one may not signal it",
                    "signalNotForwarded")
            } catch {}
            return true
        }
    }

    /// Looks after the command: it may have ended, or been stopped at the terminal.
    private func childChanged() {
        guard let child = runningChild else {
            // Whatever this process has for children, they are not the command.
            return ChildProcess.reapOthers(than: nil)
        }
        ChildProcess.reapOthers(than: child)
        guard waiting != nil, let status = child.poll() else { return }
        if case .stopped(let signal) = status { return commandStopped(child, by: signal) }
        state = .ended(child, status)
        waiting.take()?.resume()
    }

    /// The command was stopped. If it wants the terminal and this program's group has it, the command gets it. If job
    /// control stopped the command, this program stops with it, as the shell expects.
    private func commandStopped(_ child: ChildProcess, by signal: Int32) {
        let wantsTerminal = signal == SIGTTIN || signal == SIGTTOU
        if wantsTerminal, terminal.isOurs { return terminal.give(to: child.id) }
        let hasTerminal = terminal.belongs(to: child.id)
        // Some programs answer SIGTSTP by stopping themselves with SIGSTOP. Elsewhere that is somebody's hand: the work is
        // still the holder's, and the lock stays.
        let isJobControl = wantsTerminal || signal == SIGTSTP || hasTerminal
        guard terminal.isThere || isStopWanted, isJobControl else { return }
        isStopWanted = false
        // Also what ignores SIGTSTP: nobody may go on working while the lock is not extended.
        do throws(ChildProcess.SignalFailure) {
            try child.signalGroup(SIGSTOP)
        } catch .notPermitted {
            return
        } catch {}
        terminal.takeBack(from: child.id)
        let hasStopped = ProcessStart.stop(withGroup: hasTerminal)
        if hasTerminal { terminal.give(to: child.id) }
        // Where nobody could let this program go on, the kernel has not stopped it; a command that waits for the terminal
        // would be stopped again at once.
        if hasStopped || !wantsTerminal { try? child.signalGroup(SIGCONT) }
    }

    /// Ctrl-Z, or what stands for it: the command decides what to make of it. If it stops, this program does, too.
    private func takeStop() {
        guard let child = runningChild else {
            _ = ProcessStart.stop(withGroup: false)
            return
        }
        isStopWanted = true
        try? child.signalGroup(SIGTSTP)
    }
}
