/// What is wrong with the arguments, and what would be right.
package struct UsageError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// The words of a command line, taken apart: options by name, and operands as the bytes that they are. The name of a
/// resource or of a file need not be text.
package struct Arguments: Sendable {
    package private(set) var operands: [[UInt8]] = []
    private let declared: [Option]
    private var found: [(name: String, value: String)] = []

    package enum Order: Sendable {
        /// Options may stand between and after operands, up to a `--`.
        case mixed
        /// The first operand ends the options, as it must for a program that runs another.
        case optionsFirst
    }

    package init(_ words: ArraySlice<[UInt8]>, options: [Option], order: Order = .mixed) throws(UsageError) {
        declared = options
        var words = words
        while let word = words.popFirst() {
            let text = String(decoding: word, as: UTF8.self)
            if text == "--" {
                // What runs another program has to know where the words of that begin.
                operands += order == .optionsFirst ? [word] + words : Array(words)
                break
            }
            guard text.hasPrefix("-"), text != "-" else {
                operands.append(word)
                guard order == .mixed else {
                    operands += words
                    break
                }
                continue
            }
            try take(text, &words)
        }
    }

    private mutating func take(_ word: String, _ words: inout ArraySlice<[UInt8]>) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        let option = try Self.option(parts[0], among: declared)
        guard let value = option.value else {
            guard parts.count == 1 else { throw UsageError("--\(option.name) takes no value") }
            return found.append((option.name, ""))
        }
        if parts.count == 2 {
            found.append((option.name, parts[1]))
        } else if let next = words.first.map({ String(decoding: $0, as: UTF8.self) }), next != "--" {
            words.removeFirst()
            found.append((option.name, next))
        } else {
            throw UsageError("\(parts[0]) needs a value: \(parts[0]) \(value.placeholder)")
        }
        if case .choice(_, let choices) = value, !choices.contains(found.last!.value) {
            throw UsageError("--\(option.name) is '\(found.last!.value)'; it must be \(choices.alternatives)")
        }
    }

    /// By its name, its letter, or an unambiguous beginning of its name, as `getopt_long` has it.
    static func option(_ word: String, among options: [Option]) throws(UsageError) -> Option {
        if let exact = options.first(where: { $0.spellings.contains(word) }) { return exact }
        let candidates = word.hasPrefix("--") && word != "--" ? options.filter { "--\($0.name)".hasPrefix(word) } : []
        guard candidates.count <= 1 else {
            throw UsageError("\(word) may be \(candidates.map { "--\($0.name)" }.alternatives)")
        }
        guard let candidate = candidates.first else { throw UsageError("there is no option \(word)") }
        return candidate
    }
}

// MARK: - Values

extension Arguments {
    package func has(_ name: String) -> Bool { !values(name).isEmpty }

    /// The last one counts.
    package func value(_ name: String) -> String? { values(name).last }

    package func values(_ name: String) -> [String] {
        precondition(declared.contains { $0.name == name }, "the option --\(name) is not declared")
        return found.filter { $0.name == name }.map(\.value)
    }

    package func number(_ name: String, _ range: ClosedRange<Int>, otherwise: Int) throws(UsageError) -> Int {
        guard let text = value(name) else { return otherwise }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "--\(name) is '\(text)'; it must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A number and a unit: `500ms`, `10s`, `1.5m`, `2h`. Beyond some thirty years it is no time.
    package func time(_ name: String, _ range: ClosedRange<Duration>? = nil) throws(UsageError) -> Duration? {
        guard let text = value(name) else { return nil }
        guard let time = Duration(argument: text) else {
            throw UsageError("--\(name) '\(text)' is no time; write a number and a unit, as in 500ms, 10s, 1.5m, 2h")
        }
        if let range, !range.contains(time) {
            throw UsageError(
                "--\(name) is \(text); it must be from \(range.lowerBound.argument) to \(range.upperBound.argument)")
        }
        return time
    }

    /// The operands as text, at most so many.
    package func words(atMost limit: Int) throws(UsageError) -> [String] {
        let words = operands.map { String(decoding: $0, as: UTF8.self) }
        guard words.count <= limit else { throw UsageError("'\(words[limit])' is too much") }
        return words
    }

    /// Looks at what is to be written when the work is done, before it begins.
    func checkOutputs() throws(UsageError) {
        for option in declared {
            for path in values(option.name) {
                let problem =
                    switch option.value {
                    case .output: OutputPath.problem(withFile: path)
                    case .outputFolder: OutputPath.problem(withFolder: path)
                    default: nil as String?
                    }
                if let problem { throw UsageError("--\(option.name) cannot be written: \(problem)") }
            }
        }
    }
}

extension Duration {
    private static let units: [(suffix: String, length: Duration)] = [
        ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3_600)),
    ]

    init?(argument text: String) {
        guard let unit = Self.units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let number = text.dropLast(unit.suffix.count)
        guard let value = Double(number), number.allSatisfy({ $0.isNumber || $0 == "." }) else { return nil }
        let seconds = value * (unit.length / .seconds(1))
        // Beyond this the number of nanoseconds would not fit.
        guard seconds <= 1e9 else { return nil }
        self = .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// As a person would write it: in the largest unit that it is a whole number of, in milliseconds at least.
    package var argument: String {
        let unit = Self.units.last { (self / $0.length).rounded() == self / $0.length } ?? Self.units[0]
        return self == .zero ? "0s" : "\(Int((self / unit.length).rounded()))\(unit.suffix)"
    }
}

extension [String] {
    /// `a`, `a or b`, `a, b or c`.
    var alternatives: String {
        count < 2 ? joined() : dropLast().joined(separator: ", ") + " or " + last!
    }
}
