package import CProcess
internal import Glibc

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

    /// What the child gets as one of its standard streams.
    package enum Stream: Sendable {
        case null
        /// A copy of this descriptor.
        case descriptor(Int32)
        /// What this process has under the same number, also if that is nothing.
        case inherited

        fileprivate var number: Int32 {
            switch self {
            case .null: Int32(cprocess_nothing)
            case .descriptor(let number): number
            case .inherited: Int32(cprocess_unchanged)
            }
        }
    }

    /// How the child starts, besides its words.
    package struct Conditions: Sendable {
        package var input = Stream.null
        package var output = Stream.null
        package var errors = Stream.null
        package var family = Family.ownSession
        /// As `NAME=value`, in the place of variables of this process of the same name.
        package var environment: [[UInt8]] = []
        /// Variables of this process that the child does not get.
        package var withoutVariables: [String] = []
        /// Nil: no signal is blocked, and each is ignored that this process ignores.
        package var signals: SignalState?
        /// The signal that the child gets when the *thread* that starts it has ended, however it ended; nil for none.
        /// It does not reach the child's own children, nor a child that has changed its user.
        package var deathSignal: Int32?

        package init() {}
    }

    /// What has become of a child.
    package enum Status: Hashable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        /// By this signal; it may go on.
        case stopped(Int32)
        /// It has ended, and something else took its status.
        case unknown
    }

    package init(_ arguments: [[UInt8]], _ conditions: Conditions) throws(SpawnError) {
        let words = unsafe CStrings(arguments)
        let variables = unsafe CStrings(Self.environment(conditions))
        defer {
            unsafe words.free()
            unsafe variables.free()
        }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        let streams = (conditions.input.number, conditions.output.number, conditions.errors.number)
        var how = unsafe cprocess_start(
            arguments: words.pointers, environment: variables.pointers, descriptors: streams,
            own_session: conditions.family == .ownSession ? 1 : 0, mask: conditions.signals?.blocked ?? none,
            ignored: conditions.signals?.ignored ?? none, defaults: conditions.signals?.defaults ?? none,
            death_signal: conditions.deathSignal ?? 0)
        var id: pid_t = 0
        let status = unsafe cprocess_start(&how, &id)
        guard status == 0 else { throw SpawnError(program: arguments[0], number: status) }
        self.id = id
    }

    /// In a session of its own.
    ///
    /// - Parameters:
    ///   - input: The descriptor that becomes its standard input; nil for `/dev/null`. Likewise the others.
    package convenience init(
        _ arguments: [String], input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil
    ) throws(SpawnError) {
        var conditions = Conditions()
        conditions.input = input.map { .descriptor($0) } ?? .null
        conditions.output = output.map { .descriptor($0) } ?? .null
        conditions.errors = errors.map { .descriptor($0) } ?? .null
        try self.init(arguments.map { [UInt8]($0.utf8) }, conditions)
    }

    private static func environment(_ conditions: Conditions) -> [[UInt8]] {
        func name(_ variable: [UInt8]) -> ArraySlice<UInt8> { variable.prefix { $0 != UInt8(ascii: "=") } }
        let replaced =
            conditions.environment.map { name($0) } + conditions.withoutVariables.map { [UInt8]($0.utf8)[...] }
        var variables: [[UInt8]] = []
        var next = unsafe environ
        while let variable = unsafe next.pointee {
            let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: variable, count: strlen(variable)))
            if !replaced.contains(name(bytes)) { variables.append(bytes) }
            unsafe next += 1
        }
        return variables + conditions.environment
    }
}

// MARK: - Signals

extension ChildProcess {
    package enum SignalFailure: Error, Hashable {
        /// It has ended.
        case gone
        /// The system does not allow it: it runs as another user.
        case notPermitted
    }

    package func signal(_ number: Int32) {
        _ = kill(id, number)
    }

    /// To it and all of its group that are still there, and that this user may signal.
    ///
    /// - Throws: `notPermitted` if nobody of the group may be signalled; `gone` if nobody is left.
    package func signalGroup(_ number: Int32) throws(SignalFailure) {
        guard kill(-id, number) != 0 else { return }
        throw errno == EPERM ? .notPermitted : .gone
    }

    /// Whether a process of its group is left: it, another, or one that has ended and was not waited for.
    package var hasGroup: Bool { kill(-id, 0) == 0 || errno == EPERM }
}

// MARK: - Waiting

extension ChildProcess {
    /// Blocks until it has ended. To be called once.
    @discardableResult
    package func wait() -> Status {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0 {
            if errno != EINTR { return .unknown }
        }
        return Self.status(status)
    }

    /// What has become of it since the last time, without waiting: it ended, or was stopped; nil for nothing.
    package func poll() -> Status? {
        var status: Int32 = 0
        switch unsafe waitpid(id, &status, WNOHANG | WUNTRACED) {
        case id: return Self.status(status)
        case -1 where errno == ECHILD: return .unknown
        default: return nil
        }
    }

    /// Takes the status of all children that have ended, but for this one: orphans that this process inherits as process 1
    /// or as a subreaper, and children of a program that became this one by `exec`.
    package static func reapOthers(than child: ChildProcess?) {
        // A status is taken once: this child's is left for ``poll()``, and what is behind it for the next time.
        while let id = endedChild(), id != child?.id {
            var status: Int32 = 0
            guard unsafe waitpid(id, &status, WNOHANG) == id else { return }
        }
    }

    /// Nil where none has ended.
    private static func endedChild() -> pid_t? {
        var info = unsafe siginfo_t()
        guard unsafe waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { return nil }
        let id = unsafe cprocess_child(&info)
        return id == 0 ? nil : id
    }

    /// What `waitpid` reported, taken apart as its macros do, which Swift cannot call.
    private static func status(_ raw: Int32) -> Status {
        if raw & 0xff == 0x7f { return .stopped((raw >> 8) & 0xff) }
        return raw & 0x7f == 0 ? .exited((raw >> 8) & 0xff) : .signalled(raw & 0x7f)
    }
}

/// An array of C strings that ends with null, as `execve` takes it.
@unsafe
private struct CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    /// - Parameter words: Any bytes but zero; what follows one is cut off.
    init(_ words: [[UInt8]]) {
        unsafe count = words.count
        unsafe pointers = .allocate(capacity: count + 1)
        for (index, word) in words.enumerated() {
            unsafe (pointers + index).initialize(to: strdup(word.map { CChar(bitPattern: $0) } + [0]))
        }
        unsafe (pointers + count).initialize(to: nil)
    }

    func free() {
        for index in unsafe 0..<count { unsafe Glibc.free(pointers[index]) }
        unsafe pointers.deallocate()
    }
}
