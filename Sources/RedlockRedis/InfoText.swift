internal import PrintableText

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

    /// As the server wrote it: for words, it is to be made ``printable(_:)``.
    package subscript(name: String) -> Substring? { fields[name[...]] }

    /// In characters, before any is escaped.
    private static let quotedCharacters = 40

    /// A value from a server, short and safe to print.
    package static func printable(_ value: some StringProtocol) -> String {
        let isShort = value.count <= quotedCharacters
        return isShort ? value.printable : value.prefix(quotedCharacters).printable + "…"
    }

    /// What kind of server it is: `standalone`, `cluster` or `sentinel`. Valkey may call the field `server_mode`.
    package var mode: Substring? { self["redis_mode"] ?? self["server_mode"] }
}
