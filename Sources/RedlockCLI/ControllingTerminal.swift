import Glibc

/// The terminal that this program was started from, if it is in the foreground there: the command, being a group of its
/// own, must have it to read from it and to get its Ctrl-C.
struct ControllingTerminal: Sendable {
    let isShared: Bool

    init() {
        isShared = isatty(STDIN_FILENO) == 1 && tcgetpgrp(STDIN_FILENO) == getpgrp()
    }

    func give(to group: pid_t) {
        guard isShared else { return }
        tcsetpgrp(STDIN_FILENO, group)
        // It may have asked for the terminal before it had it, and been stopped for that.
        kill(-group, SIGCONT)
    }

    func takeBack() {
        if isShared { tcsetpgrp(STDIN_FILENO, getpgrp()) }
    }
}
