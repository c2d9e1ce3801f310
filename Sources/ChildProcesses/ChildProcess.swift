package import Glibc

/// A program that this process has started, by its process id.
///
/// Ending it and waiting for it is up to the owner; a process id is not used again before it has been waited for.
package final class ChildProcess: Sendable {
    package let id: pid_t

    package enum Family: Sendable {
        /// A session of its own: a terminal's Ctrl-C does not reach it.
        case ownSession
        /// A process group of its own in this session: it can be signalled as a whole.
        case ownGroup
    }

    /// How a child fares.
    package enum Status: Hashable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        /// By this signal; it may go on.
        case stopped(Int32)
    }

    package struct SpawnError: Error, CustomStringConvertible {
        package let program: String
        package let number: Int32

        package init(program: String, number: Int32) {
            self.program = program
            self.number = number
        }

        package var description: String {
            switch number {
            case ENOENT: "\(program) was not found"
            case EACCES: "\(program) may not be executed"
            default: "\(program) cannot be started: \(unsafe String(cString: strerror(number)))"
            }
        }
    }

    /// `POSIX_SPAWN_SETSID`, which glibc shows only to GNU programs.
    private static let setSession: Int32 = 0x80

    /// Starts a program, found as a shell would find it, with this process' environment and no signal blocked.
    ///
    /// - Parameters:
    ///   - arguments: The program first; any bytes but zero.
    ///   - input: The descriptor that becomes its standard input; nil for `/dev/null`.
    ///   - output: The descriptor that becomes its standard output; nil for `/dev/null`.
    ///   - errors: The descriptor that becomes its standard error; nil for `/dev/null`.
    ///   - environment: What it gets besides this process' environment, as `NAME=value`, of names that are not in it.
    package init(
        _ arguments: [[UInt8]], input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil, family: Family,
        adding environment: [String] = []
    ) throws(SpawnError) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in [(STDIN_FILENO, input), (STDOUT_FILENO, output), (STDERR_FILENO, errors)] {
            if let source {
                unsafe posix_spawn_file_actions_adddup2(&actions, source, target)
            } else {
                unsafe posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
            }
        }

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | (family == .ownSession ? Self.setSession : POSIX_SPAWN_SETPGROUP)
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        var id: pid_t = 0
        let words = unsafe arguments.map { unsafe strdup($0.map { CChar(bitPattern: $0) } + [0]) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        let added = unsafe environment.map { unsafe strdup($0) }
        defer { unsafe added.forEach { unsafe free($0) } }
        var variables = unsafe added
        var next = 0
        while let variable = unsafe environ[next] {
            unsafe variables.append(variable)
            next += 1
        }
        unsafe variables.append(nil)
        let status = unsafe posix_spawnp(&id, words[0]!, &actions, &attributes, words, variables)
        guard status == 0 else {
            throw SpawnError(program: String(decoding: arguments[0], as: UTF8.self), number: status)
        }
        self.id = id
    }

    package convenience init(
        _ arguments: [String], input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil
    ) throws(SpawnError) {
        try self.init(
            arguments.map { [UInt8]($0.utf8) }, input: input, output: output, errors: errors, family: .ownSession)
    }

    package func signal(_ number: Int32) {
        _ = kill(id, number)
    }

    /// To it and all of its group that are still there.
    package func signalGroup(_ number: Int32) {
        _ = kill(-id, number)
    }

    /// Blocks until it has ended. To be called once.
    @discardableResult
    package func wait() -> Status {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
        return Self.status(status)
    }

    /// What has become of it since the last time, without waiting: it ended, or was stopped; nil for nothing.
    package func poll() -> Status? {
        var status: Int32 = 0
        return unsafe waitpid(id, &status, WNOHANG | WUNTRACED) == id ? Self.status(status) : nil
    }

    /// What `waitpid` reported, taken apart as its macros do, which Swift cannot call.
    private static func status(_ raw: Int32) -> Status {
        if raw & 0xff == 0x7f { return .stopped((raw >> 8) & 0xff) }
        return raw & 0x7f == 0 ? .exited((raw >> 8) & 0xff) : .signalled(raw & 0x7f)
    }
}
