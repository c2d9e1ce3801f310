/// Text for a terminal.
package enum Page {
    package static let columns = 80
    /// A wider entry has its explanation on the next line.
    private static let widestEntry = 20

    /// Two columns, indented; the right one is wrapped.
    static func table(_ rows: [(left: String, right: String)]) -> String {
        let width = rows.map(\.left.count).filter { $0 <= widestEntry }.max() ?? 0
        let margin = String(repeating: " ", count: width + 4)
        return rows.map { left, right in
            let lines = wrapped(right, columns - margin.count).joined(separator: "\n" + margin)
            let space = String(repeating: " ", count: max(0, width - left.count) + 2)
            return "  " + left + (left.count > width ? "\n" + margin : space) + lines
        }.joined(separator: "\n")
    }

    package static func wrapped(_ text: String, _ columns: Int = columns) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= columns {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
