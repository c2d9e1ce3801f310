/// Words about one node or about several: `{it has|they have} no vote`.
///
/// In braces stands what differs, first for one. Only what is written here is read so: values come from servers, and
/// are taken as they are.
package struct Wording: Hashable, Sendable, ExpressibleByStringInterpolation {
    package private(set) var one: String
    package private(set) var several: String

    package init(stringLiteral literal: String) {
        var words = StringInterpolation(literalCapacity: 0, interpolationCount: 0)
        words.appendLiteral(literal)
        self.init(stringInterpolation: words)
    }

    package init(stringInterpolation words: StringInterpolation) {
        one = words.one
        several = words.several
    }

    package func text(about count: Int) -> String { count > 1 ? several : one }

    package static func + (left: Wording, right: Wording) -> Wording { "\(left)\(right)" }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var one = ""
        fileprivate var several = ""

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) {
            var rest = literal[...]
            while let open = rest.firstIndex(of: "{") {
                guard let close = rest[open...].firstIndex(of: "}"),
                    let bar = rest[open..<close].firstIndex(of: "|")
                else { preconditionFailure("no two alternatives in '\(literal)'") }
                one += rest[..<open] + rest[rest.index(after: open)..<bar]
                several += rest[..<open] + rest[rest.index(after: bar)..<close]
                rest = rest[rest.index(after: close)...]
            }
            one += rest
            several += rest
        }

        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            one += value.description
            several += value.description
        }

        package mutating func appendInterpolation(_ words: Wording) {
            one += words.one
            several += words.several
        }
    }
}
