import Glibc

/// What the program says, and where.
enum Console {
    static let isTerminal = isatty(2) == 1

    static func say(_ text: String) {
        print(text)
        // Long work is read as it goes on, through a pipe too.
        fflush(nil)
    }

    static func complain(_ text: String) {
        write(text + "\n")
    }

    /// A line that the next one replaces; nothing when no terminal looks on.
    static func progress(_ text: String) {
        if isTerminal { write("\r\u{1b}[K" + text) }
    }

    static func endProgress() {
        if isTerminal { write("\r\u{1b}[K") }
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }
}

/// How the program ends.
enum ExitCode: Int32 {
    case asExpected = 0
    case safety = 1
    case inconclusive = 2
    case liveness = 3
    case nondeterminism = 4
    case usage = 64
    case `internal` = 70
}
