/// What is wrong with the arguments, and what would be right.
package struct UsageError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// The words of a command line, taken apart as `getopt_long` does: options by name, and operands.
///
/// Operands and the values of options are kept as bytes: the name of a resource, a file or a prefix of keys need not be
/// text.
package struct Arguments: Sendable {
    package private(set) var operands: [[UInt8]] = []
    private let declared: [Option]
    private var found: [(name: String, value: [UInt8])] = []

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
            if word == Self.separator {
                // What runs another program has to know where the words of that begin.
                operands += order == .optionsFirst ? [word] + words : Array(words)
                break
            }
            guard word.first == Self.dash, word.count > 1 else {
                operands.append(word)
                guard order == .mixed else {
                    operands += words
                    break
                }
                continue
            }
            if word[1] == Self.dash {
                try takeLong(word, &words)
            } else {
                try takeLetters(word, &words)
            }
        }
    }

    private static let dash = UInt8(ascii: "-")
    private static let equals = UInt8(ascii: "=")
    private static let separator = [dash, dash]

    /// `--name`, `--name=VALUE`, or `--name` before its value.
    private mutating func takeLong(_ word: [UInt8], _ words: inout ArraySlice<[UInt8]>) throws(UsageError) {
        let parts = word.split(separator: Self.equals, maxSplits: 1, omittingEmptySubsequences: false)
        let spelling = String(decoding: parts[0], as: UTF8.self)
        let option = try Self.option(spelling, among: declared)
        try take(option, spelling, attached: parts.count == 2 ? parts[1] : nil, &words)
    }

    /// `-n`, `-nv`, `-w5`, `-nw5`, or `-w` before its value.
    private mutating func takeLetters(_ word: [UInt8], _ words: inout ArraySlice<[UInt8]>) throws(UsageError) {
        let text = String(decoding: word, as: UTF8.self)
        let name = text.dropFirst().prefix { $0 != "=" }
        // Letters would be found in it, and a value.
        if name.count > 1, declared.contains(where: { $0.name == name }) {
            throw UsageError("there is no option -\(name.withoutCredentials); write --\(name.withoutCredentials)")
        }
        var rest = word.dropFirst()
        while let letter = rest.first {
            // Letters are ASCII; a byte of another character is none, and is shown with what belongs to it.
            let character =
                letter < 0x80 ? Character(UnicodeScalar(letter)) : String(decoding: rest, as: UTF8.self).first!
            let spelling = "-\(character)"
            let option: Option
            do throws(UsageError) {
                option = try Self.option(spelling, among: declared)
            } catch {
                throw word.count > spelling.utf8.count ? UsageError("\(error) (in \(text.withoutCredentials))") : error
            }
            rest = rest.dropFirst()
            // `-w=5` is `-w5`. A flag takes what follows an = as little as its long name does.
            let assigns = rest.first == Self.equals
            if option.value != nil || assigns {
                let value = assigns ? rest.dropFirst() : rest
                return try take(option, spelling, attached: rest.isEmpty ? nil : value, &words)
            }
            found.append((option.name, []))
        }
    }

    private mutating func take(
        _ option: Option, _ spelling: String, attached: ArraySlice<UInt8>?, _ words: inout ArraySlice<[UInt8]>
    ) throws(UsageError) {
        guard let kind = option.value else {
            guard attached == nil else { throw UsageError("--\(option.name) takes no value") }
            return found.append((option.name, []))
        }
        let value: [UInt8]
        if let attached {
            value = Array(attached)
        } else if let next = words.first, next != Self.separator {
            words.removeFirst()
            value = next
        } else {
            throw UsageError("\(spelling) needs a value: \(spelling) \(kind.placeholder)")
        }
        found.append((option.name, value))
        if case .bytes = kind { return }
        guard let text = String(validating: value, as: UTF8.self) else {
            // Not repeated: it may contain a password.
            throw UsageError("--\(option.name) is not UTF-8 text")
        }
        if case .choice(_, let choices) = kind, !choices.contains(text) {
            throw UsageError("--\(option.name) is '\(text.withoutCredentials)'; it must be \(choices.alternatives)")
        }
    }

    /// By its name, its letter, or an unambiguous beginning of its name, as `getopt_long` has it.
    static func option(_ word: String, among options: [Option]) throws(UsageError) -> Option {
        if let exact = options.first(where: { $0.spellings.contains(word) }) {
            if let replacement = exact.replacement {
                throw UsageError("there is no option \(word.withoutCredentials); \(replacement)")
            }
            return exact
        }
        let candidates =
            word.hasPrefix("--") && word != "--"
            ? options.filter { $0.replacement == nil && "--\($0.name)".hasPrefix(word) } : []
        guard candidates.count <= 1 else {
            throw UsageError("\(word) may be \(candidates.map { "--\($0.name)" }.alternatives)")
        }
        guard let candidate = candidates.first else {
            throw UsageError("there is no option \(word.withoutCredentials)")
        }
        return candidate
    }
}

// MARK: - Values

extension Arguments {
    package func has(_ name: String) -> Bool { !all(name).isEmpty }

    /// The value as text; the last one counts.
    package func value(_ name: String) -> String? { values(name).last }

    package func values(_ name: String) -> [String] { all(name).map { String(decoding: $0, as: UTF8.self) } }

    /// The value as it was written; the last one counts.
    package func bytes(_ name: String) -> [UInt8]? { all(name).last }

    /// All values of an option, in their order.
    package func allBytes(_ name: String) -> [[UInt8]] { all(name) }

    private func all(_ name: String) -> [[UInt8]] {
        precondition(declared.contains { $0.name == name }, "the option --\(name) is not declared")
        return found.filter { $0.name == name }.map(\.value)
    }

    package func number(_ name: String, _ range: ClosedRange<Int>, otherwise: Int) throws(UsageError) -> Int {
        guard let text = value(name) else { return otherwise }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "--\(name) is '\(text.withoutCredentials)'; it must be a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    /// A number and a unit: `500ms`, `10s`, `1.5m`, `2h`. At most some thirty years.
    ///
    /// - Parameter unit: The unit of a number that has none; nil if a unit is required.
    package func time(
        _ name: String, _ range: ClosedRange<Duration>? = nil, withoutUnit unit: Duration.Unit? = nil
    ) throws(UsageError) -> Duration? {
        guard let text = value(name) else { return nil }
        guard let time = Duration(argument: text) ?? unit.flatMap({ Duration(argument: text + $0.rawValue) }) else {
            let units = "a number and a unit, as in 500ms, 10s, 1.5m, 2h"
            throw UsageError(
                "--\(name) '\(text.withoutCredentials)' is no time; write \(unit == nil ? "" : "seconds, or ")\(units)")
        }
        if let range, !range.contains(time) {
            throw UsageError(
                "--\(name) is \(text.withoutCredentials); it must be from \(range.lowerBound.argument) to \(range.upperBound.argument)"
            )
        }
        return time
    }

    /// The operands as text, at most so many.
    package func words(atMost limit: Int) throws(UsageError) -> [String] {
        let words = operands.map { String(decoding: $0, as: UTF8.self) }
        guard words.count <= limit else { throw UsageError("'\(words[limit].withoutCredentials)' is too much") }
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
    /// A unit, as an argument has it. In the order of their lengths, and `ms` before the `s` that it ends with.
    package enum Unit: String, CaseIterable, Sendable {
        case milliseconds = "ms"
        case seconds = "s"
        case minutes = "m"
        case hours = "h"
        case days = "d"

        var length: Duration {
            switch self {
            case .milliseconds: .milliseconds(1)
            case .seconds: .seconds(1)
            case .minutes: .seconds(60)
            case .hours: .seconds(3_600)
            case .days: .seconds(86_400)
            }
        }
    }

    init?(argument text: String) {
        guard let unit = Unit.allCases.first(where: { text.hasSuffix($0.rawValue) }) else { return nil }
        let number = text.dropLast(unit.rawValue.count)
        guard let value = Double(number), number.allSatisfy({ $0.isNumber || $0 == "." }) else { return nil }
        let seconds = value * (unit.length / .seconds(1))
        // Beyond this the number of nanoseconds would not fit.
        guard seconds <= 1e9 else { return nil }
        self = .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// As a person would write it: in the largest unit up to hours that it is a whole number of, in milliseconds at
    /// least.
    package var argument: String {
        let unit =
            Unit.allCases.last { $0 != .days && (self / $0.length).rounded() == self / $0.length } ?? .milliseconds
        return self == .zero ? "0s" : "\(Int((self / unit.length).rounded()))\(unit.rawValue)"
    }
}

extension [String] {
    /// `a`, `a or b`, `a, b or c`.
    var alternatives: String {
        count < 2 ? joined() : dropLast().joined(separator: ", ") + " or " + last!
    }
}
