/// An option of a subcommand: `--name`, `--name VALUE`, `--name=VALUE`, `-n`.
package struct Option: Sendable {
    /// What comes after the name.
    package enum Value: Sendable {
        /// Any text. The help shows it by this word.
        case text(String)
        /// One of these.
        case choice(String, [String])
        /// A file or a folder that is read.
        case input(String)
        /// A file that is written. That it can be is checked before the work begins.
        case output(String)
        /// A folder that files are written into, checked likewise.
        case outputFolder(String)

        var placeholder: String {
            switch self {
            case .text(let word), .choice(let word, _), .input(let word), .output(let word), .outputFolder(let word):
                word
            }
        }
    }

    package let name: String
    package let short: Character?
    /// Nil for a flag.
    package let value: Value?
    package let help: String

    package init(_ name: String, short: Character? = nil, _ value: Value, _ help: String) {
        self.name = name
        self.short = short
        self.value = value
        self.help = help
    }

    /// A flag.
    package init(_ name: String, short: Character? = nil, _ help: String) {
        self.name = name
        self.short = short
        value = nil
        self.help = help
    }

    package static let help = Option("help", short: "h", "this text")

    /// As the help shows it.
    var label: String {
        (short.map { "-\($0), " } ?? "") + "--" + name + (value.map { " \($0.placeholder)" } ?? "")
    }

    /// The words that name it.
    var spellings: [String] {
        ["--\(name)"] + (short.map { ["-\($0)"] } ?? [])
    }
}
