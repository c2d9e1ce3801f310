extension StringProtocol {
    /// A word of the command line, as an error shows it: a URL holds a password perhaps, in whatever place it stands.
    package var withoutCredentials: String {
        let text = String(self)
        let bytes = Array(text.utf8)
        let mark = Array("://".utf8)
        let start = bytes.indices.first { bytes[$0...].starts(with: mark) }
        guard let start else { return bytes.contains(UInt8(ascii: "@")) ? "…" : text }
        let scheme = String(decoding: bytes[..<start], as: UTF8.self)
        let isScheme = scheme.utf8.allSatisfy { $0 != UInt8(ascii: "@") && $0 != UInt8(ascii: ":") }
        return isScheme ? scheme + "://…" : "…"
    }
}
