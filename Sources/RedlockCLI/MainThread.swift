import CProcess
import CommandSupport
import Glibc
import PosixLock

/// What is isolated to the main thread of the command.
///
/// The main thread takes the signals of the process, keeps time, and does the work of `redlock run`, so that this needs no
/// thread of a pool: where the system refuses threads, Dispatch would ask for one again and again, for ever. It also
/// starts the command, because the kernel tells a child of the end of the *thread* that started it.
@globalActor
actor MainThread {
    static let shared = MainThread()

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe MainLoop.shared.asUnownedSerialExecutor() }

    /// Starts a task on the main thread. All of it runs there, also functions that are isolated to nothing.
    @discardableResult
    static func start<Value: Sendable>(
        _ body: @escaping @MainThread @Sendable () async throws -> Value
    ) -> Task<Value, any Error> {
        Task(executorPreference: MainLoop.shared) { try await body() }
    }

    /// Returns at this time, or a little later; also when the task is cancelled.
    @MainThread
    static func sleep(until time: ContinuousClock.Instant) async {
        await withCheckedContinuation { MainLoop.shared.wake($0, at: time) }
    }
}

/// A signal that the process got.
struct ReceivedSignal: Sendable {
    let number: Int32
    /// Whether the kernel sent it: for a key of the terminal, as a rule. The other programs of this group got it, too.
    let isFromTerminal: Bool
}

/// The loop of the main thread: signals, time, and the jobs of ``MainThread``.
///
/// The signals are blocked in all threads, so no handler ever interrupts anything. Other threads wake the loop by a SIGCHLD
/// to this thread: after each signal it looks after everything.
final class MainLoop: SerialExecutor, TaskExecutor {
    typealias SignalHandler = @MainThread @Sendable (ReceivedSignal) -> Void

    static let shared = MainLoop()

    private struct State {
        var jobs: [UnownedJob] = []
        var sleepers: [(time: ContinuousClock.Instant, continuation: CheckedContinuation<Void, Never>)] = []
        var handler: SignalHandler?
    }

    /// The longest wait while somebody sleeps: the kernel measures it by a clock that stands still while the machine is
    /// suspended.
    private static let longestWait = Duration.seconds(1)

    private let state = Locked(State())
    private let thread = pthread_self()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        if !isCurrent { pthread_kill(thread, SIGCHLD) }
    }

    func checkIsolated() {
        precondition(isCurrent, "what belongs to the main thread is done by another")
    }

    private var isCurrent: Bool { pthread_equal(thread, pthread_self()) != 0 }

    fileprivate func wake(_ continuation: CheckedContinuation<Void, Never>, at time: ContinuousClock.Instant) {
        state.withLock { $0.sleepers.append((time, continuation)) }
    }

    /// Has the handler called for each signal from then on. Until then they end the program, as they end any.
    func handleSignals(_ handler: @escaping SignalHandler) {
        state.withLock { $0.handler = handler }
    }

    /// Serves for as long as the process lives; to be called on the main thread.
    ///
    /// It must be that one. An asynchronous `main` leaves it to Dispatch, which parks it with no signal blocked.
    ///
    /// - Parameter signals: What is waited for: blocked in all threads, and SIGCHLD among them.
    func run(waitingFor signals: sigset_t) -> Never {
        checkIsolated()
        while true {
            runJobs()
            let next = wakeSleepers()
            // What they do next is a job.
            if state.withLock({ !$0.jobs.isEmpty }) { continue }
            if let signal = nextSignal(of: signals, until: next) { take(signal) }
        }
    }

    private func runJobs() {
        let jobs = state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in jobs {
            unsafe job.runSynchronously(
                isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
    }

    /// - Returns: When the next one wants to be woken.
    private func wakeSleepers() -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        let (awake, next) = state.withLock { state in
            let awake = state.sleepers.filter { $0.time <= now }
            state.sleepers.removeAll { $0.time <= now }
            return (awake.map(\.continuation), state.sleepers.map(\.time).min())
        }
        for continuation in awake { continuation.resume() }
        return next
    }

    /// Nil when the time came first.
    private func nextSignal(of signals: sigset_t, until time: ContinuousClock.Instant?) -> ReceivedSignal? {
        var signals = signals
        var info = unsafe siginfo_t()
        var number: Int32 = -1
        if let time {
            let wait = min(max(time - ContinuousClock.now, .zero), Self.longestWait)
            var limit = timespec()
            limit.tv_sec = Int(wait.components.seconds)
            // Rounded up, or it would be asked once more for the rest.
            limit.tv_nsec = min(Int(wait.components.attoseconds / 1_000_000_000) + 1, 999_999_999)
            number = unsafe sigtimedwait(&signals, &info, &limit)
        } else {
            number = unsafe sigwaitinfo(&signals, &info)
        }
        guard number > 0 else { return nil }
        return unsafe ReceivedSignal(number: number, isFromTerminal: cprocess_is_from_kernel(&info) != 0)
    }

    private func take(_ signal: ReceivedSignal) {
        if let handler = state.withLock({ $0.handler }) {
            MainThread.start { handler(signal) }
        } else if signal.number == SIGTSTP {
            _ = ProcessStart.stop(withGroup: false)
        } else if signal.number != SIGCHLD, signal.number != SIGWINCH {
            Ending.end(by: signal)
        }
    }
}
