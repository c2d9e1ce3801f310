/// What is wrong with a schedule.
package struct ScheduleError: Error, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }

    /// The longest time that a schedule may name, in microseconds: a week.
    static let longest: Int64 = 604_800_000_000
}

/// The members of an object, each asked for by its type, and none unknown.
struct JSONRecord {
    private let json: JSON
    private let what: String

    init(_ json: JSON, _ what: String, keys: [String]) throws(ScheduleError) {
        guard case .object(let members) = json else { throw ScheduleError("\(what) is no object") }
        for member in members where !keys.contains(member.key) {
            throw ScheduleError("\(what) has an unknown key \"\(member.key)\"")
        }
        self.json = json
        self.what = what
    }

    func has(_ key: String) -> Bool { json[key] != nil }

    func value(_ key: String) throws(ScheduleError) -> JSON {
        guard let value = json[key] else { throw ScheduleError("\(what) has no \"\(key)\"") }
        return value
    }

    func number(_ key: String, _ range: ClosedRange<Int64>) throws(ScheduleError) -> Int64 {
        guard case .number(let number) = try value(key) else { throw ScheduleError("\"\(key)\" is no number") }
        guard range.contains(number) else {
            throw ScheduleError(
                "\"\(key)\" is \(number); it must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func optionalNumber(_ key: String, _ range: ClosedRange<Int64>) throws(ScheduleError) -> Int64? {
        has(key) ? try number(key, range) : nil
    }

    /// Microseconds in the file, nanoseconds here.
    func time(_ key: String) throws(ScheduleError) -> Int64 {
        try number(key, 0...ScheduleError.longest) * 1_000
    }

    func optionalTime(_ key: String) throws(ScheduleError) -> Int64? {
        has(key) ? try time(key) : nil
    }

    func string(_ key: String) throws(ScheduleError) -> String {
        guard case .string(let string) = try value(key) else { throw ScheduleError("\"\(key)\" is no string") }
        return string
    }

    func optionalString(_ key: String) throws(ScheduleError) -> String? {
        has(key) ? try string(key) : nil
    }

    func optionalBool(_ key: String) throws(ScheduleError) -> Bool? {
        guard has(key) else { return nil }
        guard case .bool(let bool) = try value(key) else { throw ScheduleError("\"\(key)\" is neither true nor false") }
        return bool
    }

    func array(_ key: String, atMost count: Int) throws(ScheduleError) -> [JSON] {
        guard case .array(let elements) = try value(key) else { throw ScheduleError("\"\(key)\" is no array") }
        guard elements.count <= count else {
            throw ScheduleError("\"\(key)\" has \(elements.count) elements; at most \(count) are allowed")
        }
        return elements
    }

    func numbers(_ key: String, _ range: ClosedRange<Int64>, atMost count: Int) throws(ScheduleError) -> [Int64] {
        guard has(key) else { return [] }
        var numbers: [Int64] = []
        for element in try array(key, atMost: count) {
            guard case .number(let number) = element, range.contains(number) else {
                throw ScheduleError("\"\(key)\" must hold numbers from \(range.lowerBound) to \(range.upperBound)")
            }
            numbers.append(number)
        }
        return numbers
    }

    /// At least one, each once, and each of something that exists.
    func indices(_ key: String, of noun: String, below count: Int) throws(ScheduleError) -> [Int] {
        var indices: [Int] = []
        for element in try array(key, atMost: count) {
            guard case .number(let number) = element else { throw ScheduleError("\"\(key)\" must hold numbers") }
            guard number >= 0, number < count else {
                throw ScheduleError("there is no \(noun) \(number): the world has \(count)")
            }
            guard !indices.contains(Int(number)) else { throw ScheduleError("\"\(key)\" names \(number) twice") }
            indices.append(Int(number))
        }
        guard !indices.isEmpty else { throw ScheduleError("\"\(key)\" is empty") }
        return indices
    }
}
