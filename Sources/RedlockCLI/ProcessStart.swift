import CProcess
import ChildProcesses
import Glibc

/// What the process makes of what it was started with, before anything else happens: it may have been started with any
/// signal ignored or blocked, and without standard input, output or error.
struct ProcessStart: Sendable {
    /// Passed on to the command.
    static let forwarded = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH]

    /// What was inherited; the command is started with it.
    let inherited: SignalState
    /// What the main thread waits for. A signal that was ignored or blocked stays so: nobody is to notice it here.
    let awaited: sigset_t
    /// Those of them that do to this program what they do to any while it does nothing but print.
    let ending: sigset_t

    /// To be called before there is another thread: they inherit what is blocked.
    init() {
        Self.fillStandardStreams()
        let inherited = SignalState.current
        self.inherited = inherited
        var awaited = Self.set(of: (Self.forwarded + [SIGTSTP]).filter { inherited.takes($0) })
        ending = awaited
        // The end of the command must be noticed, whatever was inherited.
        unsafe sigaddset(&awaited, SIGCHLD)
        self.awaited = awaited
        signal(SIGCHLD, SIG_DFL)
        // Whoever reads what this prints may leave.
        signal(SIGPIPE, SIG_IGN)
        unsafe pthread_sigmask(SIG_BLOCK, &awaited, nil)
        // In the background this program would be stopped by them: when it gives the terminal away, and with the rest of
        // its group when another of that reads. It must not be, as long as the command goes on.
        var background = Self.set(of: [SIGTTOU, SIGTTIN])
        unsafe pthread_sigmask(SIG_BLOCK, &background, nil)
    }

    /// Occupies what is missing of the descriptors 0 to 2, so that no socket becomes the command's standard output. The
    /// command does not get the substitutes: what it inherits is what it would have without this program.
    private static func fillStandardStreams() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            // The lowest free descriptor is this one, for those below are there by now. Without /dev, anything will do.
            if unsafe open("/dev/null", O_RDWR | O_CLOEXEC) < 0 {
                _ = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            }
        }
    }

    /// Stops this process as Ctrl-Z stops any, and returns when it goes on.
    ///
    /// - Parameter withGroup: Whether all of the process group are to be stopped: the terminal has not told them.
    /// - Returns: False if it was not stopped: the kernel stops nobody whom no shell could let go on.
    static func stop(withGroup: Bool) -> Bool {
        var stop = set(of: [SIGTSTP])
        var goOn = set(of: [SIGCONT])
        var before = sigset_t()
        // Blocked, it tells afterwards that it came.
        unsafe pthread_sigmask(SIG_BLOCK, &goOn, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        if withGroup { kill(0, SIGTSTP) } else { raise(SIGTSTP) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &stop, nil)
        var now = timespec()
        return unsafe sigtimedwait(&goOn, nil, &now) == SIGCONT
    }

    private static func set(of numbers: [Int32]) -> sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in numbers { unsafe sigaddset(&signals, number) }
        return signals
    }
}
