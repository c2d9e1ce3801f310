internal import PrintableText

/// One JSON object on one line, written member by member, in that order.
package struct JSONObject {
    private var members: [String] = []

    package init() {}

    /// An event for a log: when, and what.
    package init(event: String) {
        add("time", Timestamp.now)
        add("event", event)
    }

    package var text: String { "{" + members.joined(separator: ",") + "}" }

    package mutating func add(_ name: String, _ value: String) {
        members.append("\(Self.quoted(name)):\(Self.quoted(value))")
    }

    package mutating func add(_ name: String, _ value: Int) { members.append("\(Self.quoted(name)):\(value)") }

    package mutating func add(_ name: String, _ value: Bool) { members.append("\(Self.quoted(name)):\(value)") }

    /// Rounded to thousandths.
    package mutating func add(_ name: String, _ value: Double) {
        members.append("\(Self.quoted(name)):\((value * 1_000).rounded() / 1_000)")
    }

    package mutating func add(_ name: String, _ value: JSONObject) {
        members.append("\(Self.quoted(name)):\(value.text)")
    }

    package mutating func add(_ name: String, _ values: [JSONObject]) {
        members.append("\(Self.quoted(name)):[\(values.map(\.text).joined(separator: ","))]")
    }

    package mutating func add(_ name: String, _ values: [String]) {
        members.append("\(Self.quoted(name)):[\(values.map(Self.quoted).joined(separator: ","))]")
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where String(scalar) != String(scalar).printable:
                // A terminal may be what reads it.
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
