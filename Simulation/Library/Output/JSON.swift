/// A JSON value with whole numbers only, whose objects keep the order of their keys.
///
/// Written without Foundation: schedules and reports must be byte for byte the same on every run.
package indirect enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Int64)
    case string(String)
    case array([JSON])
    case object([Member])

    package struct Member: Hashable, Sendable {
        package var key: String
        package var value: JSON

        package init(_ key: String, _ value: JSON) {
            self.key = key
            self.value = value
        }
    }

    package struct ParseError: Error, Hashable, CustomStringConvertible {
        package var description: String
    }

    /// An object, in the order given; members without a value are left out.
    package static func record(_ members: KeyValuePairs<String, JSON?>) -> JSON {
        .object(members.compactMap { key, value in value.map { Member(key, $0) } })
    }

    package subscript(_ key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .number(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(_ number: Int) { self = .number(Int64(number)) }
}

// MARK: - Writing

extension JSON {
    /// On one line.
    package var text: String {
        var text = ""
        write(to: &text, indent: nil)
        return text
    }

    /// Indented by two spaces; what fits into one line stays in one.
    package var pretty: String {
        var text = ""
        write(to: &text, indent: 0)
        return text + "\n"
    }

    private func write(to text: inout String, indent: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let value): text += String(value)
        case .string(let value): JSON.writeString(value, to: &text)
        case .array(let elements):
            JSON.writeList("[", "]", elements, to: &text, indent: indent) { $0.write(to: &$1, indent: $2) }
        case .object(let members):
            JSON.writeList("{", "}", members, to: &text, indent: indent) {
                JSON.writeString($0.key, to: &$1)
                $1 += ": "
                $0.value.write(to: &$1, indent: $2)
            }
        }
    }

    private static func writeList<Element>(
        _ open: String, _ close: String, _ elements: [Element], to text: inout String, indent: Int?,
        _ write: (Element, inout String, Int?) -> Void
    ) {
        var line = open
        for (index, element) in elements.enumerated() {
            if index > 0 { line += ", " }
            write(element, &line, nil)
        }
        line += close
        guard let indent, line.utf8.count > 100, !elements.isEmpty else { return text += line }
        let margin = String(repeating: " ", count: indent + 2)
        text += open
        for (index, element) in elements.enumerated() {
            text += index > 0 ? ",\n" + margin : "\n" + margin
            write(element, &text, indent + 2)
        }
        text += "\n" + String(repeating: " ", count: indent) + close
    }

    private static func writeString(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
