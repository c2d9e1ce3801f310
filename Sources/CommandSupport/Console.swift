internal import Glibc

/// What a program says, and where.
package enum Console {
    package enum Stream: Sendable {
        case output
        case errors

        var descriptor: Int32 { self == .output ? STDOUT_FILENO : STDERR_FILENO }
    }

    package enum Style: String, Sendable {
        case good = "32"
        case warning = "33"
        case bad = "1;31"
        case strong = "1"
    }

    package static func say(_ text: String) { write(text + "\n", to: .output) }
    package static func complain(_ text: String) { write(text + "\n", to: .errors) }

    /// Coloured where somebody looks on, and does not mind: on a terminal, without NO_COLOR (https://no-color.org).
    package static func styled(_ text: String, _ style: Style, on stream: Stream = .output) -> String {
        let showsColours = stream == .output ? outputShowsColours : errorsShowColours
        return showsColours ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// A line that the next one replaces; nothing when no terminal looks on.
    package static func progress(_ text: String) {
        if errorsAreWatched { write("\r\u{1b}[K" + text, to: .errors) }
    }

    package static func endProgress() { progress("") }

    /// Whether standard output is a terminal that can be drawn on.
    package static let outputIsScreen = isatty(STDOUT_FILENO) == 1 && variable("TERM") != "dumb"

    /// Shows this in the place of what is on the terminal, line by line, so that it does not flicker.
    package static func redraw(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\u{1b}[K\n")
        write("\u{1b}[H" + lines + "\u{1b}[K\n\u{1b}[J", to: .output)
    }

    private static let errorsAreWatched = isatty(STDERR_FILENO) == 1
    private static let outputShowsColours = showsColours(.output)
    private static let errorsShowColours = showsColours(.errors)

    private static func variable(_ name: String) -> String {
        unsafe getenv(name).map { unsafe String(cString: $0) } ?? ""
    }

    private static func showsColours(_ stream: Stream) -> Bool {
        isatty(stream.descriptor) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
    }

    private static func write(_ text: String, to stream: Stream) {
        var bytes = [UInt8](text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(stream.descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
