/// An option of a subcommand: `--name`, `--name VALUE`, `--name=VALUE`, `-n`, `-n VALUE`, `-nVALUE`.
package struct Option: Sendable {
    /// What comes after the name.
    package enum Value: Sendable {
        /// Any text, in UTF-8. The help shows it by this word.
        case text(String)
        /// Any bytes.
        case bytes(String)
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
            case .text(let word), .bytes(let word), .choice(let word, _), .input(let word), .output(let word),
                .outputFolder(let word):
                word
            }
        }
    }

    package let name: String
    package let short: Character?
    /// Nil for a flag.
    package let value: Value?
    package let help: String
    /// What to write instead of an option that does not exist; nil for one that does.
    let replacement: String?

    package init(_ name: String, short: Character? = nil, _ value: Value, _ help: String) {
        self.init(name, short, value, help, replacement: nil)
    }

    /// A flag.
    package init(_ name: String, short: Character? = nil, _ help: String) {
        self.init(name, short, nil, help, replacement: nil)
    }

    /// An option that a similar program has and this one does not. Help and completion leave it out.
    ///
    /// - Parameter replacement: The end of the error, from "write …" on.
    package static func missing(_ name: String, short: Character? = nil, _ replacement: String) -> Option {
        Option(name, short, nil, "", replacement: replacement)
    }

    private init(_ name: String, _ short: Character?, _ value: Value?, _ help: String, replacement: String?) {
        self.name = name
        self.short = short
        self.value = value
        self.help = help
        self.replacement = replacement
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
