import PrintableText
package import RedlockCore

/// What a node has under the key of a fencing number.
package enum StoredNumber: Hashable, Sendable {
    case missing
    case number(Int64)
    /// No number, and what instead.
    case malformed(String)
    /// The node refuses to read it, and why.
    case refused(String)

    package init(_ reply: Reply) {
        switch reply {
        case .null: self = .missing
        case .text(let text):
            let isNumber = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            if isNumber, let number = Int64(text) {
                self = .number(number)
            } else {
                self = .malformed("'\(text.prefix(40).printable)'")
            }
        case .error(let text) where text.hasPrefix("WRONGTYPE"): self = .malformed("no string")
        case .error(let text): self = .refused(text)
        default: self = .malformed("no string")
        }
    }
}
