/// A page whose prose is written by hand, and in which the parts between marks are made:
///
///     <!-- experiment NAME -->
///     …
///     <!-- end of NAME -->
package struct ExperimentPage: Sendable {
    package struct Mistake: Error, CustomStringConvertible {
        package let description: String
    }

    /// The names of the parts, in their order.
    package private(set) var names: [String] = []
    private var lines: [Substring]

    package init(_ text: String) throws(Mistake) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var open: (name: String, line: Int)?
        for (index, line) in lines.enumerated() {
            if let name = Self.name(in: line, Self.begin) {
                guard Experiment.named(name) != nil else {
                    throw Mistake(description: "line \(index + 1): there is no experiment '\(name)'")
                }
                if let open {
                    throw Mistake(
                        description:
                            "line \(index + 1): '\(name)' begins, and '\(open.name)' of line \(open.line) has no "
                            + "end: \"\(Self.end)\(open.name)\(Self.close)\"")
                }
                guard !names.contains(name) else {
                    throw Mistake(description: "line \(index + 1): '\(name)' is there twice")
                }
                names.append(name)
                open = (name, index + 1)
            } else if let name = Self.name(in: line, Self.end) {
                guard open?.name == name else {
                    throw Mistake(description: "line \(index + 1): '\(name)' ends, and has not begun")
                }
                open = nil
            }
        }
        if let open { throw Mistake(description: "'\(open.name)' of line \(open.line) has no end") }
    }

    package var text: String { lines.joined(separator: "\n") }

    /// Puts the result in place of what its part had.
    package mutating func replace(_ result: ExperimentResult) {
        let name = result.experiment.name
        guard let begin = lines.firstIndex(where: { Self.name(in: $0, Self.begin) == name }),
            let end = lines.firstIndex(where: { Self.name(in: $0, Self.end) == name })
        else { preconditionFailure("the page has no part '\(name)'") }
        let made = result.markdown.split(separator: "\n", omittingEmptySubsequences: false)
        lines.replaceSubrange((begin + 1)..<end, with: [""] + made)
    }

    /// The two lines that a page must have for an experiment.
    package static func marks(_ name: String) -> String {
        "\"\(begin)\(name)\(close)\" and \"\(end)\(name)\(close)\""
    }

    private static let begin = "<!-- experiment "
    private static let end = "<!-- end of "
    private static let close = " -->"

    private static func name(in line: Substring, _ opening: String) -> String? {
        guard line.hasPrefix(opening), line.hasSuffix(close) else { return nil }
        return String(line.dropFirst(opening.count).dropLast(close.count))
    }
}
