extension Program {
    /// A completion script for fish, with what each option is for. It works from a folder of completions and sourced.
    var fishCompletion: String {
        """
        # Completion of \(name) for fish, printed by `\(name) completion fish`.
        function __\(identifier)_in
            set -l words (commandline -opc)
            test "$words[2]" = $argv[1]; and not contains -- -- $words
        end
        function __\(identifier)_runs
            set -l words (commandline -opc)
            contains -- "$words[2]" $argv; and contains -- -- $words
        end
        function __\(identifier)_command
            set -l words (commandline -opc)
            set -l begin (math (contains -i -- -- $words) + 1)
            complete -C (string join ' ' -- (string escape -- $words[$begin..-1]) (commandline -ct))
        end
        complete -c \(name) -f
        \(all.map { "complete -c \(name) -n 'test (count (commandline -opc)) -eq 1' -a \($0.name) -d \(fishQuoted($0.summary))" }.joined(separator: "\n"))
        complete -c \(name) -n '__\(identifier)_runs \(all.filter { $0.order == .optionsFirst }.map(\.name).joined(separator: " "))' -a '(__\(identifier)_command)'
        \(all.flatMap(fishLines).joined(separator: "\n"))
        """
    }

    private func fishLines(_ subcommand: Subcommand) -> [String] {
        let start = "complete -c \(name) -n '__\(identifier)_in \(subcommand.name)'"
        var lines = subcommand.options.map { option in
            let letter = option.short.map { " -s \($0)" } ?? ""
            return "\(start)\(letter) -l \(option.name)\(fishValue(option.value)) -d \(fishQuoted(option.help))"
        }
        if !subcommand.choices.isEmpty {
            lines.append("\(start) -a \(fishQuoted(subcommand.choices.joined(separator: " ")))")
        }
        if subcommand.operands.contains("FILE") { lines.append("\(start) -F") }
        return lines
    }

    private func fishValue(_ value: Option.Value?) -> String {
        switch value {
        case nil: ""
        case .text, .bytes: " -x"
        case .choice(_, let choices): " -x -a \(fishQuoted(choices.joined(separator: " ")))"
        case .input, .output: " -r -F"
        case .outputFolder: " -x -a '(__fish_complete_directories)'"
        }
    }

    private func fishQuoted(_ text: String) -> String {
        "'" + text.reduce(into: "") { $0 += "\\'".contains($1) ? "\\\($1)" : String($1) } + "'"
    }
}
