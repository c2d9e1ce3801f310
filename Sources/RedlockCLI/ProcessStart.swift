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

    /// To be called before there is another thread: they inherit what is blocked.
    init() {
        Self.fillStandardStreams()
        let inherited = SignalState.current
        self.inherited = inherited
        var awaited = Self.set(of: (Self.forwarded + [SIGTSTP]).filter { inherited.takes($0) })
        // The end of the command must be noticed, whatever was inherited.
        unsafe sigaddset(&awaited, SIGCHLD)
        self.awaited = awaited
        signal(SIGCHLD, SIG_DFL)
        // Whoever reads what this prints may leave.
        signal(SIGPIPE, SIG_IGN)
        unsafe pthread_sigmask(SIG_BLOCK, &awaited, nil)
        // A process in the background that gives the terminal away would be stopped by it.
        var background = Self.set(of: [SIGTTOU])
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

    private static func set(of numbers: [Int32]) -> sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in numbers { unsafe sigaddset(&signals, number) }
        return signals
    }
}
