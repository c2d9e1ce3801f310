/// A program with subcommands. It finds the one that is meant, and does what is the same for all: help, version,
/// completion, and what is said about wrong arguments.
package struct Program: Sendable {
    /// Exit code for wrong arguments, that of sysexits.h.
    package static let usageCode: Int32 = 64

    package let name: String
    /// What it is, in a few words.
    package let summary: String
    package let version: String
    /// Its own subcommands; help, completion and version come by themselves.
    package let subcommands: [Subcommand]
    /// What there is to know besides them.
    package let notes: String

    package init(_ name: String, summary: String, version: String, notes: String = "", _ subcommands: [Subcommand]) {
        self.name = name
        self.summary = summary
        self.version = version
        self.notes = notes
        self.subcommands = subcommands
    }

    /// Runs what the words after the program's name ask for, and returns the exit code.
    ///
    /// - Throws: What a subcommand throws, but for ``UsageError``: that is told to the user.
    package func run(_ words: [[UInt8]]) async throws -> Int32 {
        guard let first = words.first.map({ String(decoding: $0, as: UTF8.self) }) else {
            Console.complain(overview)
            return Self.usageCode
        }
        let alias = ["--help": "help", "-h": "help", "--version": "version"][first] ?? first
        var found: Subcommand?
        do {
            let subcommand = try subcommand(alias)
            found = subcommand
            let arguments = try Arguments(
                words.dropFirst(), options: subcommand.options + subcommand.missing, order: subcommand.order)
            guard !arguments.has("help") else {
                Console.say(subcommand.help(of: name))
                return 0
            }
            try arguments.checkOutputs()
            return try await subcommand.run(arguments)
        } catch let error as UsageError {
            complain(error, about: found, words)
            return Self.usageCode
        }
    }

    var all: [Subcommand] {
        subcommands + [
            Subcommand(
                "completion", operands: "bash | zsh | fish", summary: "prints a completion script for a shell",
                choices: ["bash", "zsh", "fish"],
                notes: """
                    For this shell alone: source <(\(name) completion bash)
                    In fish: \(name) completion fish | source
                    For all, write it where the shell looks:
                      bash: ~/.local/share/bash-completion/completions/\(name)
                      zsh: _\(name) in a directory of $fpath
                      fish: ~/.config/fish/completions/\(name).fish
                    """,
                run: { arguments in
                    switch try arguments.words(atMost: 1).first {
                    case "bash": Console.say(bashCompletion)
                    case "zsh": Console.say(zshCompletion)
                    case "fish": Console.say(fishCompletion)
                    case let other:
                        throw UsageError(
                            "for which shell? bash, zsh or fish\(other.map { ", not '\($0.withoutCredentials)'" } ?? "")"
                        )
                    }
                    return 0
                }),
            Subcommand(
                "help", operands: "[SUBCOMMAND]", summary: "tells what a subcommand does and takes",
                choices: subcommands.map(\.name) + ["completion", "version"],
                run: { arguments in
                    guard let subject = try arguments.words(atMost: 1).first else {
                        Console.say(overview)
                        return 0
                    }
                    Console.say(try subcommand(subject).help(of: name))
                    return 0
                }),
            Subcommand(
                "version", summary: "prints the version",
                run: { arguments in
                    _ = try arguments.words(atMost: 0)
                    Console.say("\(name) \(version)")
                    return 0
                }),
        ]
    }

    private func subcommand(_ name: String) throws(UsageError) -> Subcommand {
        guard let subcommand = all.first(where: { $0.name == name }) else {
            throw UsageError("there is no subcommand '\(name.withoutCredentials)'; there are \(names)")
        }
        return subcommand
    }

    private var names: String { (subcommands.map(\.name) + ["completion", "help", "version"]).alternatives }

    var overview: String {
        """
        \(name) - \(summary)

        usage: \(name) SUBCOMMAND [options] [...]

        \(Page.table(all.map { ($0.name, $0.summary) }))

        `\(name) help SUBCOMMAND` tells the rest.
        """ + (notes.isEmpty ? "" : "\n" + notes)
    }
}

// MARK: - Mistakes

extension Program {
    /// Says what is wrong and what to do next; as JSON if that was asked for, by a flag `--json`.
    private func complain(_ error: UsageError, about subcommand: Subcommand?, _ words: [[UInt8]]) {
        let place = ([name] + (subcommand.map { [$0.name] } ?? [])).joined(separator: " ")
        // Who asked for the help of something else wants to see what there is.
        let subject = subcommand.map { $0.name == "help" ? "" : " " + $0.name } ?? ""
        let help = "`\(name) help\(subject)` tells more"
        guard let subcommand, Self.wantsJSON(subcommand, words) else {
            let label = Console.styled("\(place):", .bad, on: .errors)
            return Console.complain("\(label) \(error)\n\(help)")
        }
        var object = JSONObject(event: "failed")
        object.add("code", "invalidArgument")
        object.add("message", "\(error)")
        object.add("hint", help)
        Console.complain(object.text)
    }

    /// The words may be wrong in any way, so each one before a `--` is looked at for itself.
    private static func wantsJSON(_ subcommand: Subcommand, _ words: [[UInt8]]) -> Bool {
        words.map { String(decoding: $0, as: UTF8.self) }.prefix { $0 != "--" }.contains { word in
            guard let option = try? Arguments.option(word, among: subcommand.options) else { return false }
            return option.name == "json" && option.value == nil
        }
    }
}
