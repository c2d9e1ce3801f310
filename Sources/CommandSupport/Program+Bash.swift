extension Program {
    /// A completion script for bash: options, what they may be, files, and the command behind a `--`.
    var bashCompletion: String {
        """
        # Completion of \(name) for bash, printed by `\(name) completion bash`.
        _\(identifier)() {
            local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} index
            COMPREPLY=()
            # Bash takes --name=value for three words.
            [[ $current == "=" ]] && current=
            [[ $previous == "=" ]] && previous=${COMP_WORDS[COMP_CWORD-2]}
            if ((COMP_CWORD == 1)); then
                mapfile -t COMPREPLY < <(compgen -W '\((all.map(\.name) + ["--help", "--version"]).joined(separator: " "))' -- "$current")
                return
            fi
            for ((index = 2; index < COMP_CWORD; index++)); do
                [[ ${COMP_WORDS[index]} == "--" ]] || continue
                if declare -F _command_offset >/dev/null; then
                    _command_offset $((index + 1))
                elif ((COMP_CWORD == index + 1)); then
                    mapfile -t COMPREPLY < <(compgen -c -- "$current")
                else
                    compopt -o filenames 2>/dev/null
                    mapfile -t COMPREPLY < <(compgen -f -- "$current")
                fi
                return
            done
            case "${COMP_WORDS[1]} $previous" in
        \(all.flatMap(bashValues).joined(separator: "\n"))
            esac
            case "${COMP_WORDS[1]}" in
        \(all.map(bashWords).joined(separator: "\n"))
            esac
        }
        complete -F _\(identifier) \(name)
        """
    }

    /// The name of the function in the scripts.
    var identifier: String { String(name.map { $0 == "-" ? "_" : $0 }) }

    private func bashValues(_ subcommand: Subcommand) -> [String] {
        subcommand.options.compactMap { option in
            guard let value = option.value else { return nil }
            let pattern = option.spellings.map { "'\(subcommand.name) \($0)'" }.joined(separator: "|")
            let action =
                switch value {
                case .text, .bytes: "return"
                case .choice(_, let choices):
                    "mapfile -t COMPREPLY < <(compgen -W '\(choices.joined(separator: " "))' -- \"$current\"); return"
                case .input, .output: "\(bashFiles("-f")); return"
                case .outputFolder: "\(bashFiles("-d")); return"
                }
            return "        \(pattern)) \(action) ;;"
        }
    }

    private func bashWords(_ subcommand: Subcommand) -> String {
        let words = subcommand.options.map { "--\($0.name)" } + subcommand.choices
        // An operand that is no word of these is a file, or anything at all.
        let files =
            subcommand.operands.contains("FILE") ? "\n            [[ $current == -* ]] || { \(bashFiles("-f")); }" : ""
        return """
                    \(subcommand.name))
                        mapfile -t COMPREPLY < <(compgen -W '\(words.joined(separator: " "))' -- "$current")\(files) ;;
            """
    }

    private func bashFiles(_ kind: String) -> String {
        "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen \(kind) -- \"$current\")"
    }
}
