extension StringProtocol {
    /// The text with every scalar escaped that could move a cursor, end a line or reorder what stands beside it.
    ///
    /// Escaped as in Swift's literals: `\n`, `\r`, `\t`, and `\u{1b}` with lower-case hexadecimal digits for all other
    /// control characters (C0, DEL, C1), line and paragraph separators, bidi controls and noncharacters. Everything else
    /// stays, a backslash too, so the text is for people: it cannot always be turned back.
    package var printable: String {
        // Nearly all texts are plain ASCII, and need no look at the properties of scalars.
        if utf8.allSatisfy({ (0x20...0x7e).contains($0) }) || !unicodeScalars.contains(where: \.isHazardous) {
            return String(self)
        }
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": text += #"\n"#
            case "\r": text += #"\r"#
            case "\t": text += #"\t"#
            case _ where scalar.isHazardous: text += #"\u{\#(String(scalar.value, radix: 16))}"#
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension Unicode.Scalar {
    fileprivate var isHazardous: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: properties.isBidiControl || properties.isNoncharacterCodePoint
        }
    }
}
