import ChildProcesses
import Dispatch
import Glibc
import PosixLock

/// The command and its process group: started once, signalled, and waited for.
final class Job: Sendable {
    struct StartError: Error {
        let cause: ChildProcess.SpawnError

        var description: String { cause.description }
        var exitCode: Int32 { cause.number == ENOENT ? ExitCode.notFound : ExitCode.cannotExecute }
    }

    private struct State {
        var child: ChildProcess?
        var hasEnded = false
        var isTerminated = false
        var signalBeforeStart: Int32?
        var waiting: CheckedContinuation<ChildProcess.Status, Never>?
    }

    /// Where the command finds its fencing token.
    static let fencingVariable = "REDLOCK_FENCING_TOKEN"

    private let command: [[UInt8]]
    private let grace: Duration
    private let log: EventLog
    private let terminal = ControllingTerminal()
    private let state = Locked(State())

    init(_ command: [[UInt8]], grace: Duration, log: EventLog) {
        self.command = command
        self.grace = grace
        self.log = log
    }

    /// The signal that came while the lock was still being waited for.
    var signalBeforeStart: Int32? { state.withLock { $0.signalBeforeStart } }

    /// Starts the command and waits until it has ended. Cancelled, it ends the command: the lock is lost.
    ///
    /// - Returns: What the shell would call the command's exit code.
    func run(fencingToken: Int64?) async throws -> Int32 {
        let status = try await withTaskCancellationHandler {
            try await start(fencingToken)
        } onCancel: {
            terminate()
        }
        if let child = state.withLock({ $0.child }) { terminal.takeBack(from: child.id) }
        // What the command left running does so without the lock.
        if Task.isCancelled { state.withLock { $0.child }?.signalGroup(SIGKILL) }
        let code =
            switch status {
            case .exited(let code): code
            case .signalled(let number): ExitCode.signal(number)
            case .stopped: preconditionFailure("a stopped command has not ended")
            }
        log.commandEnded(exitCode: code)
        return code
    }

    private func start(_ fencingToken: Int64?) async throws -> ChildProcess.Status {
        try Task.checkCancellation()
        // Spawned under the lock, so that a signal or its end finds it known.
        let child = try state.withLock { state in
            // A signal came with the lock, as it were: it was meant for this program then.
            if state.signalBeforeStart != nil { throw CancellationError() }
            do throws(ChildProcess.SpawnError) {
                let child = try ChildProcess(
                    command, input: STDIN_FILENO, output: STDOUT_FILENO, errors: STDERR_FILENO, family: .ownGroup,
                    adding: fencingToken.map { ["\(Self.fencingVariable)=\($0)"] } ?? [])
                state.child = child
                return child
            } catch {
                throw StartError(cause: error)
            }
        }
        if terminal.wasShared { terminal.give(to: child.id) }
        log.commandStarted(child.id)
        let status = await withCheckedContinuation { continuation in
            state.withLock { $0.waiting = continuation }
            // It may have ended, and SIGCHLD been taken, before anybody waited.
            childChanged()
            // Cancelled before there was a child to end.
            if Task.isCancelled { terminate() }
        }
        return status
    }

    /// Passes a signal on. False when there is no command yet.
    func forward(_ signal: Int32) -> Bool {
        let child = state.withLock { state in
            if state.child == nil, signal != SIGWINCH { state.signalBeforeStart = signal }
            return state.hasEnded ? nil : state.child
        }
        child?.signalGroup(signal)
        // A stopped command takes it when it goes on.
        if [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(signal) { child?.signalGroup(SIGCONT) }
        return child != nil || signal == SIGWINCH
    }

    /// Looks after the command: it may have ended, or been stopped at the terminal.
    func childChanged() {
        let (status, waiting) = state.withLock { state in
            guard let child = state.child, !state.hasEnded, state.waiting != nil, let status = child.poll() else {
                return (nil, nil) as (ChildProcess.Status?, CheckedContinuation<ChildProcess.Status, Never>?)
            }
            if case .stopped = status { return (status, nil) }
            state.hasEnded = true
            return (status, state.waiting.take())
        }
        if let status { waiting?.resume(returning: status) }
        if case .stopped(let signal) = status { commandStopped(by: signal) }
    }

    /// The command was stopped. If it wants the terminal and this program has it, it gets it; if job control stopped
    /// it, this program stops with it, and all of a pipeline, as the shell expects. Then the lock is not extended: a
    /// pause that is longer than the ttl loses it, and ends the command when it goes on.
    private func commandStopped(by signal: Int32) {
        guard let child = state.withLock({ $0.child }) else { return }
        // Stopped by hand, or where nobody could let this program go on: it is still the holder's work.
        guard terminal.isThere, [SIGTSTP, SIGTTIN, SIGTTOU].contains(signal) else { return }
        if signal != SIGTSTP, terminal.isOurs { return terminal.give(to: child.id) }
        terminal.takeBack(from: child.id)
        kill(0, SIGSTOP)
        goOn(child)
    }

    /// Ctrl-Z reached this program, not the command: it is in another group.
    func stop() {
        let child = state.withLock { $0.hasEnded ? nil : $0.child }
        child?.signalGroup(SIGTSTP)
        raise(SIGSTOP)
        if let child { goOn(child) }
    }

    private func goOn(_ child: ChildProcess) {
        if terminal.wasShared { terminal.give(to: child.id) }
        child.signalGroup(SIGCONT)
    }

    /// SIGTERM to the whole group, and SIGKILL when the grace is over.
    private func terminate() {
        let running: ChildProcess? = state.withLock { state in
            guard let child = state.child, !state.hasEnded, !state.isTerminated else { return nil }
            state.isTerminated = true
            return child
        }
        guard let child = running else { return }
        child.signalGroup(SIGTERM)
        // A stopped process takes no SIGTERM.
        child.signalGroup(SIGCONT)
        let nanoseconds = Int(grace / .nanoseconds(1))
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) {
            if !self.state.withLock({ $0.hasEnded }) { child.signalGroup(SIGKILL) }
        }
    }
}
