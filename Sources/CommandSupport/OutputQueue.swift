internal import Glibc
internal import PosixLock

/// Text on its way to a descriptor that may block for ever: a pipe that nobody reads, a terminal after Ctrl-S.
///
/// A thread of the queue's own writes it, so that the thread that adds a line never waits. Lines that do not fit are
/// dropped, and the number of dropped lines is printed when there is room again.
final class OutputQueue: Sendable {
    /// How much may wait to be written, in bytes.
    static let limitBytes = 262_144

    private struct State {
        var waiting: [UInt8] = []
        /// Lines dropped since the last one was accepted.
        var dropped = 0
        /// How much the writer has taken and not written, in bytes.
        var beingWritten = 0
    }

    private let descriptor: Int32
    private let state = Monitor(State())
    private let droppedLine: @Sendable (Int) -> String

    /// - Parameter droppedLine: The line that says how many lines were dropped.
    /// - Throws: ``ThreadError`` if the system refuses a thread.
    init(to descriptor: Int32, droppedLine: @escaping @Sendable (Int) -> String) throws(ThreadError) {
        self.descriptor = descriptor
        self.droppedLine = droppedLine
        try startThread { [self] in writeForever() }
    }

    /// Adds text that ends with a line break.
    ///
    /// - Parameter isLast: Whether nothing follows: then it is accepted, however full the queue is.
    func add(_ text: String, isLast: Bool = false) {
        state.update { state in
            let bytes = text.utf8
            guard isLast || state.waiting.count + state.beingWritten + bytes.count <= Self.limitBytes else {
                state.dropped += 1
                return
            }
            noteDropped(&state)
            state.waiting += bytes
        }
    }

    /// Waits until everything is written.
    ///
    /// - Parameter limit: How long to wait at most, in nanoseconds.
    func flush(atMost limit: Int64) {
        state.update { noteDropped(&$0) }
        _ = state.wait(atMost: limit) { $0.waiting.isEmpty && $0.beingWritten == 0 ? () : nil }
    }

    private func noteDropped(_ state: inout State) {
        guard state.dropped > 0 else { return }
        state.waiting += (droppedLine(state.dropped) + "\n").utf8
        state.dropped = 0
    }

    private func writeForever() {
        var hasReader = true
        while true {
            let bytes = state.wait { state in
                guard !state.waiting.isEmpty else { return nil as [UInt8]? }
                defer { state.waiting = [] }
                state.beingWritten = state.waiting.count
                return state.waiting
            }
            if hasReader { hasReader = writeBlocking(bytes ?? [], to: descriptor) != .unread }
            state.update { $0.beingWritten = 0 }
        }
    }
}

enum WriteOutcome: Hashable {
    case written
    /// Nobody can read any more.
    case unread
    /// The rest was left out, for this `errno`: a full disk.
    case failed(Int32)
}

/// Writes all of it, however long that takes.
func writeBlocking(_ bytes: [UInt8], to descriptor: Int32) -> WriteOutcome {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            rest = rest.dropFirst(count)
            continue
        }
        switch errno {
        case EINTR: continue
        case EAGAIN:
            // Whoever shares the descriptor made it non-blocking.
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = unsafe poll(&entry, 1, -1)
        case EPIPE: return .unread
        case let number: return .failed(number)
        }
    }
    return .written
}
