import CommandSupport
import Glibc

/// How the program ends: when all that it has to print is printed, as far as somebody reads that.
enum Ending {
    static func end(_ code: Int32) -> Never {
        if code == 0, let failure = Console.writeFailure {
            Console.complain("redlock: its output cannot be written: \(unsafe String(cString: strerror(failure)))")
            end(ExitCode.outputFailed)
        }
        Console.flush()
        exit(code)
    }

    /// A signal ends it: as it ends any program if it came from the terminal, so that a script in whose foreground this
    /// runs ends with it, as shells have it; else with the signal's exit code.
    static func end(by signal: ReceivedSignal) -> Never {
        if signal.isFromTerminal { end(of: signal.number) }
        end(ExitCode.signal(signal.number))
    }

    /// Dies of a signal.
    static func end(of number: Int32) -> Never {
        Console.flush()
        // SIGQUIT leaves a core of what it is for: the command.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(UInt32(RLIMIT_CORE.rawValue)), &none)
        signal(number, SIG_DFL)
        raise(number)
        var one = sigset_t()
        unsafe sigemptyset(&one)
        unsafe sigaddset(&one, number)
        unsafe pthread_sigmask(SIG_UNBLOCK, &one, nil)
        // Process 1 of a container does not die of signals.
        exit(ExitCode.signal(number))
    }
}
