/// The name of what is locked: 1 to 1,024 bytes, prefix included, any bytes at all.
///
/// It is the Redis key, as it is, so that a lock taken here excludes clients of other libraries that use the same key.
/// Write it as a literal, `"invoice:\(id)"`, or make it from a string or from bytes.
public struct Resource: Hashable, Sendable {
    /// The name, byte for byte.
    public let bytes: [UInt8]

    /// A resource named by the UTF-8 of a string.
    public init(_ name: some StringProtocol) {
        bytes = [UInt8](name.utf8)
    }

    /// A resource named by bytes that need not be text.
    public init(bytes: some Sequence<UInt8>) {
        self.bytes = [UInt8](bytes)
    }
}

extension Resource: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// A resource named by the UTF-8 of a literal.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

extension Resource: CustomStringConvertible {
    /// The name, for people: what is not printable ASCII or UTF-8 is shown as `\xNN`.
    public var description: String {
        if let text = String(validating: bytes, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        {
            return text
        }
        return bytes.reduce(into: "") { text, byte in
            if (0x20..<0x7f).contains(byte) {
                text.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                text += "\\x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
            }
        }
    }
}
