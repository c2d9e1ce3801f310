// Documents are read whole, and nothing that is not JSON is let pass.

extension JSON {
    /// Reads a whole document.
    package init(parsing bytes: [UInt8]) throws(ParseError) {
        var reader = JSONReader(bytes)
        self = try reader.document()
    }

    package init(parsing text: String) throws(ParseError) {
        try self.init(parsing: [UInt8](text.utf8))
    }
}

private struct JSONReader {
    /// How deep arrays and objects may lie in each other.
    static let maximumDepth = 32

    let bytes: [UInt8]
    var place = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(JSON.ParseError) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard place == bytes.count else { throw error("something follows the document") }
        return value
    }

    private func error(_ what: String) -> JSON.ParseError {
        let line = bytes[..<min(place, bytes.count)].count { $0 == UInt8(ascii: "\n") } + 1
        return JSON.ParseError(description: "line \(line): \(what)")
    }

    private mutating func skipSpace() {
        while place < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[place]) { place += 1 }
    }

    private mutating func peek() throws(JSON.ParseError) -> UInt8 {
        skipSpace()
        guard place < bytes.count else { throw error("it ends too soon") }
        return bytes[place]
    }

    private mutating func take(_ character: Unicode.Scalar) throws(JSON.ParseError) {
        guard try peek() == UInt8(ascii: character) else { throw error("'\(character)' is missing") }
        place += 1
    }

    private mutating func value(depth: Int) throws(JSON.ParseError) -> JSON {
        guard depth <= Self.maximumDepth else { throw error("it is nested more than \(Self.maximumDepth) deep") }
        switch try peek() {
        case UInt8(ascii: "{"):
            var members: [JSON.Member] = []
            try list("{", "}") { (reader: inout JSONReader) throws(JSON.ParseError) in
                guard try reader.peek() == UInt8(ascii: "\"") else { throw reader.error("a key is missing") }
                let key = try reader.string()
                try reader.take(":")
                guard !members.contains(where: { $0.key == key }) else {
                    throw reader.error("the key \"\(key)\" is there twice")
                }
                members.append(JSON.Member(key, try reader.value(depth: depth + 1)))
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSON] = []
            try list("[", "]") { (reader: inout JSONReader) throws(JSON.ParseError) in
                elements.append(try reader.value(depth: depth + 1))
            }
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func list(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar,
        _ element: (inout JSONReader) throws(JSON.ParseError) -> Void
    ) throws(JSON.ParseError) {
        try take(open)
        if try peek() == UInt8(ascii: close) {
            place += 1
            return
        }
        while true {
            try element(&self)
            if try peek() == UInt8(ascii: close) { break }
            try take(",")
        }
        place += 1
    }

    private mutating func word(_ word: String, _ value: JSON) throws(JSON.ParseError) -> JSON {
        guard bytes[place...].starts(with: word.utf8) else { throw error("an unknown word") }
        place += word.utf8.count
        return value
    }

    private mutating func number() throws(JSON.ParseError) -> JSON {
        let start = place
        while place < bytes.count, bytes[place] == UInt8(ascii: "-") || (0x30...0x39).contains(bytes[place]) {
            place += 1
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if place < bytes.count, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[place]) {
            throw error("numbers are whole: no fraction, no exponent")
        }
        guard let number = Int64(text) else {
            throw error(text.isEmpty ? "a value is missing" : "\(text) is no number that fits into 64 bits")
        }
        return .number(number)
    }

    private mutating func string() throws(JSON.ParseError) -> String {
        place += 1
        var content: [UInt8] = []
        while true {
            guard place < bytes.count else { throw error("a string does not end") }
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else { throw error("it is not UTF-8") }
                return text
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw error("a control character in a string")
            default: content.append(byte)
            }
        }
    }

    private mutating func escape(into content: inout [UInt8]) throws(JSON.ParseError) {
        guard place < bytes.count else { throw error("a string does not end") }
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "n"): content.append(0x0a)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "r"): content.append(0x0d)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0c)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "u"):
            let digits = String(decoding: bytes[place..<min(place + 4, bytes.count)], as: UTF8.self)
            guard digits.utf8.count == 4, let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code) else {
                throw error("\\u\(digits) is no character")
            }
            place += 4
            content.append(contentsOf: String(scalar).utf8)
        default: throw error("an unknown escape")
        }
    }
}
