/// What INFO says: lines `name:value`, and headings, which have no colon.
package struct InfoText {
    private var fields: [Substring: Substring] = [:]
    /// A name that it says twice. The first value counts.
    package private(set) var repeated: Substring?

    package init(_ text: String) {
        add(text)
    }

    /// Another section of the same server.
    package mutating func add(_ text: String) {
        for line in text.split(whereSeparator: { $0.isNewline }) {
            guard !line.hasPrefix("#"), let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon]
            if fields[name] != nil {
                if repeated == nil { repeated = name }
            } else {
                fields[name] = line[line.index(after: colon)...]
            }
        }
    }

    package subscript(name: String) -> Substring? { fields[name[...]] }
}
