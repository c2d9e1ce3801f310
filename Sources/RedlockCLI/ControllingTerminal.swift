import Glibc

/// The terminal that this program was started from.
///
/// The command, a process group of its own, gets it when it wants it: the kernel stops it then. Until then the terminal is
/// this program's: its keys reach this program and all that was started with it, a pager behind it or the script around it.
struct ControllingTerminal: Sendable {
    /// Nil where there is none: a service, a cron job.
    private let descriptor: Int32?

    init() {
        let opened = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        descriptor = opened >= 0 ? opened : nil
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
