import Glibc
import PosixLock

/// Takes the signals of the process, one after another, on the main thread.
///
/// They are blocked everywhere, so no handler ever interrupts anything.
enum SignalWatcher {
    /// What is passed on to the command.
    static let forwarded = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH]

    /// To be called before there is another thread.
    static func blockSignals() {
        // A process in the background that gives the terminal away would be stopped by SIGTTOU.
        var signals = set(of: forwarded + [SIGCHLD, SIGTSTP, SIGTTOU])
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Starts what signals are about, and has the handler called for each signal from then on. Until then they end the
    /// program.
    ///
    /// One step for the signals: none of them is taken between the two. The end of a child that was started and ended
    /// before there was a handler would never be heard of.
    static func start<Work>(_ start: () -> (work: Work, handler: @Sendable (Int32) -> Void)) -> Work {
        handler.withLock {
            let (work, handler) = start()
            $0 = handler
            return work
        }
    }

    /// Takes signals for as long as the process lives; for the main thread, which has nothing else to do.
    ///
    /// It must be the main thread. An asynchronous `main` leaves it to Dispatch, which parks it with no signal blocked.
    static func watch() -> Never {
        var signals = set(of: forwarded + [SIGCHLD, SIGTSTP])
        while true {
            var signal: Int32 = 0
            guard unsafe sigwait(&signals, &signal) == 0 else { continue }
            if let handler = handler.withLock({ $0 }) {
                handler(signal)
            } else if signal == SIGTSTP {
                raise(SIGSTOP)
            } else if signal != SIGCHLD, signal != SIGWINCH {
                exit(ExitCode.signal(signal))
            }
        }
    }

    private static let handler = Locked<(@Sendable (Int32) -> Void)?>(nil)

    private static func set(of numbers: [Int32]) -> sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in numbers { unsafe sigaddset(&signals, number) }
        return signals
    }
}
