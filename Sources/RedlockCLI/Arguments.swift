import Glibc

/// Command-line arguments, as the bytes that they are: a resource or a file name need not be text.
struct Arguments: Sendable {
    private(set) var words: [[UInt8]]

    init(of commandLine: CommandLine.Type) {
        words = (0..<Int(commandLine.argc)).map { index in
            let word = unsafe commandLine.unsafeArgv[index]!
            return unsafe [UInt8](UnsafeRawBufferPointer(start: word, count: strlen(word)))
        }
    }

    var isEmpty: Bool { words.isEmpty }

    func dropping(_ count: Int) -> Arguments {
        var rest = self
        rest.words.removeFirst(min(count, words.count))
        return rest
    }

    func text(at index: Int) -> String? {
        index < words.count ? String(decoding: words[index], as: UTF8.self) : nil
    }
}

/// What is wrong with the arguments.
struct UsageError: Error {
    let message: String
}

extension Arguments {
    struct Option: Hashable {
        let name: String
        var short: Character?
        var takesValue = true
    }

    /// Takes the options off the front, up to the first word that is none, as `getopt_long` does for a program that
    /// runs another: `--name value`, `--name=value`, `-n`, and an unambiguous beginning of a name.
    mutating func takeOptions(_ options: [Option]) throws(UsageError) -> [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        while let word = text(at: 0), word.hasPrefix("-"), word != "-", word != "--" {
            words.removeFirst()
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let option = try Self.option(String(parts[0]), among: options)
            guard option.takesValue else {
                guard parts.count == 1 else { throw UsageError(message: "--\(option.name) takes no value") }
                found.append((option.name, ""))
                continue
            }
            if parts.count == 2 {
                found.append((option.name, String(parts[1])))
            } else if let value = text(at: 0), value != "--" {
                words.removeFirst()
                found.append((option.name, value))
            } else {
                throw UsageError(message: "--\(option.name) needs a value")
            }
        }
        return found
    }

    private static func option(_ word: String, among options: [Option]) throws(UsageError) -> Option {
        if !word.hasPrefix("--") {
            guard let option = options.first(where: { $0.short.map { "-\($0)" } == word }) else {
                throw UsageError(message: "unknown option \(word)")
            }
            return option
        }
        let name = word.dropFirst(2)
        if let exact = options.first(where: { $0.name == name }) { return exact }
        let candidates = options.filter { $0.name.hasPrefix(name) }
        guard candidates.count == 1 else {
            let names = candidates.map { "--\($0.name)" }.joined(separator: ", ")
            throw UsageError(message: candidates.isEmpty ? "unknown option \(word)" : "\(word) may be \(names)")
        }
        return candidates[0]
    }
}

extension Duration {
    /// From a number and a unit: `500ms`, `10s`, `1.5m`, `2h`.
    init(argument text: String, of option: String) throws(UsageError) {
        let units: [(suffix: String, seconds: Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3_600)]
        for (suffix, seconds) in units where text.hasSuffix(suffix) {
            let number = text.dropLast(suffix.count)
            guard let value = Double(number), number.allSatisfy({ $0.isNumber || $0 == "." }) else { break }
            // Beyond this the wait is for ever, and the number of nanoseconds would not fit.
            guard value * seconds <= 1e9 else { break }
            self = .nanoseconds(Int64((value * seconds * 1e9).rounded()))
            return
        }
        throw UsageError(
            message: "--\(option) '\(text)' is no time; write a number and a unit, as in 500ms, 10s, 1.5m, 2h")
    }
}
