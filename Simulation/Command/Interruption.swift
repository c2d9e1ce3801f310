import Glibc
import Synchronization

/// Whether somebody wants the program to end: Ctrl-C, or a polite kill. Twice is at once.
enum Interruption {
    private static let count = Atomic<Int>(0)

    static var isWanted: Bool { count.load(ordering: .relaxed) > 0 }

    static func watch() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            _ = signal(number) { number in
                // What was started ends with this process: an undertaker sees to that.
                if Interruption.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
            }
        }
        // A reader of ours that is gone is an error of that write, and no more.
        _ = signal(SIGPIPE, SIG_IGN)
    }
}
