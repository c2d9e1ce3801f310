/// A mistake in the words that the program was given. Exit code 64.
struct UsageError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Options by name, and what is left.
struct Arguments {
    private var options: [(name: String, value: String)] = []
    private(set) var rest: [String] = []

    /// `valued` options take a value, after a space or an equals sign; `flags` take none. Others are errors.
    init(_ words: ArraySlice<String>, valued: [String] = [], flags: [String] = [], rest allowed: Int = 0) throws {
        var words = words
        while let word = words.popFirst() {
            guard word.hasPrefix("-"), word != "-" else {
                rest.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1).map { String($0) }
            let name = parts[0]
            if flags.contains(name) {
                guard parts.count == 1 else { throw UsageError("\(name) takes no value") }
                options.append((name, ""))
            } else if valued.contains(name) {
                guard let value = parts.count == 2 ? parts[1] : words.popFirst() else {
                    throw UsageError("\(name) needs a value")
                }
                options.append((name, value))
            } else {
                throw UsageError("there is no option \(name)")
            }
        }
        guard rest.count <= allowed else { throw UsageError("\"\(rest[allowed])\" is too much") }
    }

    func has(_ name: String) -> Bool { options.contains { $0.name == name } }
    func value(_ name: String) -> String? { options.last { $0.name == name }?.value }
    func values(_ name: String) -> [String] { options.filter { $0.name == name }.map(\.value) }

    func number(_ name: String, _ range: ClosedRange<Int>, otherwise: Int) throws -> Int {
        guard let text = value(name) else { return otherwise }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError("\(name) is \(text); it must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// `60s`, `500ms` or `2m`, in nanoseconds.
    func length(_ name: String) throws -> Int64? {
        guard let text = value(name) else { return nil }
        for (unit, size) in [("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000)] as [(String, Int64)] {
            guard text.hasSuffix(unit), let number = Int64(text.dropLast(unit.count)), (1...1_000_000).contains(number)
            else { continue }
            return number * size
        }
        throw UsageError("\(name) is \(text); it must be a time such as 60s, 500ms or 2m")
    }
}
