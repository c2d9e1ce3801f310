import PrintableText
import Testing

@Suite("Printable text")
struct PrintableTests {
    @Test(
        "plain text in any script stays as it is",
        arguments: [
            "", "noeviction", "a b~", #"C:\temp\u{1b}"#, "ключ", "锁", "🔒", "e\u{301}", "👩‍👩‍👧", "a\u{a0}b", "\u{fffd}",
        ])
    func unchanged(text: String) {
        #expect(text.printable == text)
    }

    @Test(
        "control characters are escaped",
        arguments: [
            ("\n", #"\n"#), ("\r", #"\r"#), ("\t", #"\t"#), ("\r\n", #"\r\n"#), ("\0", #"\u{0}"#),
            ("\u{1b}[31m", #"\u{1b}[31m"#), ("\u{7f}", #"\u{7f}"#), ("\u{85}", #"\u{85}"#), ("\u{9b}", #"\u{9b}"#),
        ])
    func controls(text: String, expected: String) {
        #expect(text.printable == expected)
    }

    @Test(
        "bidi controls, line separators and noncharacters are escaped",
        arguments: [
            0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068,
            0x2069, 0xfdd0, 0xfffe, 0xffff, 0x10_ffff,
        ] as [UInt32])
    func marks(value: UInt32) throws {
        let scalar = try #require(Unicode.Scalar(value))
        #expect("a\(Character(scalar))b".printable == #"a\u{\#(String(value, radix: 16))}b"#)
    }

    @Test("every scalar of C0 and C1 is escaped")
    func allControls() throws {
        for value in [UInt32](0...0x1f) + [UInt32](0x7f...0x9f) {
            let text = Character(try #require(Unicode.Scalar(value))).description.printable
            #expect(text.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "\(value)")
        }
    }

    @Test("a mark that joins a character is escaped too")
    func joined() {
        #expect("x\u{200f}\u{301}y".printable.unicodeScalars.elementsEqual("x\\u{200f}\u{301}y".unicodeScalars))
    }

    @Test("a part of a text is escaped as the whole is")
    func substring() {
        #expect("ab\u{1b}c".dropFirst().printable == #"b\u{1b}c"#)
        #expect("abc".dropFirst().printable == "bc")
    }

    @Test("an escaped text is not escaped again")
    func again() {
        #expect("\u{1b}\u{202e}\n".printable.printable == "\u{1b}\u{202e}\n".printable)
    }
}
