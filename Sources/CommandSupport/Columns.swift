/// Tables for terminals.
package enum Columns {
    package static let space = "  "

    /// Columns as wide as their widest cell: the first `left` ones to the left, the others, numbers as a rule, to the
    /// right.
    package static func aligned(_ rows: [[String]], left: Int = 1) -> [String] {
        padded(rows, left: left).map { row in
            var line = row.joined(separator: space)
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// The cells themselves, for who has more to do with them.
    package static func padded(_ rows: [[String]], left: Int = 1) -> [[String]] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column < left ? row[column] + padding : padding + row[column]
            }
        }
    }
}
