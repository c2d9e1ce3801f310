package import Glibc
package import PosixLock
internal import PrintableText

/// What a program prints, and where.
///
/// Whatever the text contains, a terminal gets no control character but line breaks, tabs, and what this adds itself:
/// names of commands, resources and nodes, and the texts of servers come from outside.
package enum Console {
    package enum Stream: CaseIterable, Sendable {
        case output
        case errors

        var descriptor: Int32 { self == .output ? STDOUT_FILENO : STDERR_FILENO }
    }

    package enum Style: String, CaseIterable, Sendable {
        case good = "32"
        case warning = "33"
        case bad = "1;31"
        case strong = "1"
    }

    /// Prints a line, or several.
    package static func say(_ text: String) { write(text + "\n", to: .output) }

    /// Prints a line, or several, on standard error.
    ///
    /// - Parameter isLast: Whether nothing follows: then a full queue does not drop it.
    package static func complain(_ text: String, isLast: Bool = false) {
        write(text + "\n", to: .errors, isLast: isLast)
    }

    /// Coloured on a terminal, without NO_COLOR (https://no-color.org).
    package static func styled(_ text: String, _ style: Style, on stream: Stream = .output) -> String {
        let showsColours = stream == .output ? outputShowsColours : errorsShowColours
        return showsColours ? String(style.mark) + text + String(Style.end) : text
    }

    /// A line that the next one replaces; nothing when standard error is no terminal.
    package static func progress(_ text: String) {
        if errorsAreWatched { writeRaw("\r\u{1b}[K" + shown(text), to: .errors) }
    }

    package static func endProgress() { progress("") }

    /// Whether standard error is a terminal.
    package static let errorsAreWatched = isatty(STDERR_FILENO) == 1

    /// Whether standard output is a terminal that can be drawn on.
    package static let outputIsScreen = isatty(STDOUT_FILENO) == 1 && variable("TERM") != "dumb"

    /// Shows this in the place of what is on the terminal, line by line, so that it does not flicker.
    package static func redraw(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { shown(String($0)) }
        writeRaw("\u{1b}[H" + lines.joined(separator: "\u{1b}[K\n") + "\u{1b}[K\n\u{1b}[J", to: .output)
    }

    /// Signals that the program has blocked, and that end it while it waits for somebody to read what it prints.
    ///
    /// Without effect on what is queued.
    package static func letSignalsEndWrites(_ signals: sigset_t) {
        interrupting.withLock { $0 = signals }
    }

    private static let interrupting = Locked<sigset_t?>(nil)

    private static let outputShowsColours = showsColours(.output)
    private static let errorsShowColours = showsColours(.errors)

    private static func variable(_ name: String) -> String {
        unsafe getenv(name).map { unsafe String(cString: $0) } ?? ""
    }

    private static func showsColours(_ stream: Stream) -> Bool {
        isatty(stream.descriptor) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
    }
}

// MARK: - Queues

extension Console {
    /// How long ``flush()`` waits for output that nobody reads, in nanoseconds.
    private static let flushLimit: Int64 = 2_000_000_000

    private static let queues = Locked<[Stream: OutputQueue]>([:])

    /// From now on, printing on this stream never waits: a thread of its own writes the lines, and drops them beyond
    /// ``queueLimitBytes``.
    ///
    /// - Parameter droppedLine: The line that says how many lines were dropped.
    /// - Throws: ``ThreadError`` if the system refuses a thread.
    package static func queue(
        _ stream: Stream, droppedLine: @escaping @Sendable (Int) -> String
    ) throws(ThreadError) {
        let queue = try OutputQueue(to: stream.descriptor, droppedLine: droppedLine)
        queues.withLock { $0[stream] = queue }
    }

    /// How much may wait on a stream to be written, in bytes.
    package static let queueLimitBytes = OutputQueue.limitBytes

    /// Waits until queued output is written, 2 s at most; to be called before the program ends.
    package static func flush() {
        for queue in queues.withLock({ Array($0.values) }) { queue.flush(atMost: flushLimit) }
    }

    /// The `errno` of the first write that failed, of what was not queued; nil for none. That the reader left is none.
    package static var writeFailure: Int32? { failure.withLock { $0 } }

    private static let failure = Locked<Int32?>(nil)

    /// False once nobody can read what is printed on this stream: a pipe whose reader has left.
    package static func isRead(_ stream: Stream) -> Bool {
        var entry = pollfd(fd: stream.descriptor, events: 0, revents: 0)
        return unsafe poll(&entry, 1, 0) < 1 || entry.revents & Int16(POLLERR | POLLHUP) == 0
    }

    private static func write(_ text: String, to stream: Stream, isLast: Bool = false) {
        writeRaw(shown(text), to: stream, isLast: isLast)
    }

    private static func writeRaw(_ text: String, to stream: Stream, isLast: Bool = false) {
        if let queue = queues.withLock({ $0[stream] }) {
            queue.add(text, isLast: isLast)
            return
        }
        var before = sigset_t()
        if var signals = interrupting.withLock({ $0 }) { unsafe pthread_sigmask(SIG_UNBLOCK, &signals, &before) }
        let outcome = writeBlocking([UInt8](text.utf8), to: stream.descriptor)
        if interrupting.withLock({ $0 != nil }) { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        if case .failed(let number) = outcome { failure.withLock { $0 = $0 ?? number } }
    }
}

// MARK: - Marks

extension Console.Style {
    // Until a text is printed, noncharacters of Unicode stand for the sequences of a terminal, so that these are told from
    // what came from outside.

    fileprivate static let end = Unicode.Scalar(0xfdd0 as UInt32)!

    fileprivate var mark: Unicode.Scalar { Unicode.Scalar(0xfdd1 + UInt32(Self.allCases.firstIndex(of: self)!))! }

    fileprivate static func sequence(for scalar: Unicode.Scalar) -> String? {
        if scalar == end { return "\u{1b}[0m" }
        return allCases.first { $0.mark == scalar }.map { "\u{1b}[\($0.rawValue)m" }
    }
}

extension Console {
    /// As it is printed: marks become sequences, and all else that a terminal could obey is spelled out.
    private static func shown(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20..<0x7f).contains($0) || $0 == 0x0a || $0 == 0x09 }
        if isPlain { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            if let sequence = Style.sequence(for: scalar) {
                shown += sequence
            } else if scalar == "\n" || scalar == "\t" {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += String(scalar).printable
            }
        }
        return shown
    }
}
