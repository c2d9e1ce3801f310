extension Program {
    /// A completion script for zsh, with what each option is for. It works from a directory of `$fpath` and sourced.
    var zshCompletion: String {
        """
        #compdef \(name)
        # Completion of \(name) for zsh, printed by `\(name) completion zsh`.
        _\(identifier)() {
            local -a subcommands=(
        \(all.map { "        \(quoted($0.name + ":" + $0.summary))" }.joined(separator: "\n"))
            )
            if ((CURRENT == 2)); then
                _describe -t commands subcommand subcommands
                return
            fi
            shift words
            ((CURRENT--))
            case $words[1] in
        \(all.map(zshArguments).joined(separator: "\n"))
            esac
        }
        if [[ $funcstack[1] == _\(identifier) ]]; then
            _\(identifier) "$@"
        else
            compdef _\(identifier) \(name)
        fi
        """
    }

    private func zshArguments(_ subcommand: Subcommand) -> String {
        var specifications = subcommand.options.flatMap { option in
            option.spellings.map { spelling in
                // An option may be given again, and its value may follow an equals sign.
                guard let value = option.value else { return quoted("*\(spelling)[\(escaped(option.help))]") }
                // `--wait=5` and `-w5` as well as with a space.
                let attached = spelling.hasPrefix("--") ? "=" : "+"
                return quoted(
                    "*\(spelling)\(attached)[\(escaped(option.help))]:\(value.placeholder):\(action(for: value))")
            }
        }
        if !subcommand.choices.isEmpty {
            specifications.append(quoted("*:word:(\(subcommand.choices.joined(separator: " ")))"))
        } else if subcommand.order == .optionsFirst {
            specifications += [quoted("1:operand:"), quoted("2:separator:(--)"), quoted("*:::command:_normal")]
        } else if subcommand.operands.contains("FILE") {
            specifications.append(quoted("*:file:_files"))
        }
        let lines = specifications.joined(separator: " \\\n            ")
        return """
                    \(subcommand.name))
                        _arguments -s \\
                        \(lines) ;;
            """
    }

    private func action(for value: Option.Value) -> String {
        switch value {
        case .text, .bytes: " "
        case .choice(_, let choices): "(\(choices.joined(separator: " ")))"
        case .input, .output: "_files"
        case .outputFolder: "_files -/"
        }
    }

    private func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// Brackets and colons mean something to `_arguments`.
    private func escaped(_ text: String) -> String {
        text.reduce(into: "") { $0 += "[]:".contains($1) ? "\\\($1)" : String($1) }
    }
}
