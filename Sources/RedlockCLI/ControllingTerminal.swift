import Glibc

/// The terminal that this program was started from. The command, being a group of its own, must have it to read from it
/// and to get its Ctrl-C.
struct ControllingTerminal: Sendable {
    /// Nil where there is none: a service, a cron job.
    private let descriptor: Int32?
    /// Whether the command is to have it from the start: in a pipeline another program may be reading from it.
    let wasShared: Bool

    init() {
        let opened = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        descriptor = opened >= 0 ? opened : nil
        wasShared = isatty(STDIN_FILENO) == 1
    }

    var isThere: Bool { descriptor != nil }

    /// Whether this program is in the foreground now; the shell may have put it into the background meanwhile.
    var isOurs: Bool { belongs(to: getpgrp()) }

    /// Whether this group is in the foreground now.
    func belongs(to group: pid_t) -> Bool {
        descriptor.map { tcgetpgrp($0) == group } ?? false
    }

    /// Gives it away, if it is this program's to give.
    func give(to group: pid_t) {
        guard isOurs, let descriptor else { return }
        tcsetpgrp(descriptor, group)
        // It may have asked for the terminal before it had it, and been stopped for that.
        kill(-group, SIGCONT)
    }

    /// Takes it back, if it was given.
    func takeBack(from group: pid_t) {
        guard let descriptor, belongs(to: group) else { return }
        tcsetpgrp(descriptor, getpgrp())
    }
}
