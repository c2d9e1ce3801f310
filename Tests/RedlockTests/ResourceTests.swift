import Testing

@testable import Redlock

@Suite struct ResourceTests {
    @Test func aNameIsItsUTF8() {
        #expect(Resource("é").bytes == [0xc3, 0xa9])
        #expect(Resource("invoice:42".dropFirst(8)).bytes == [UInt8]("42".utf8))
    }

    @Test func aLiteralMayBeInterpolated() {
        let id = 42
        let resource: Resource = "invoice:\(id)"
        #expect(resource == Resource("invoice:42"))
        let literal: Resource = "invoice:42"
        #expect(resource == literal)
    }

    @Test func aNameMayBeAnyBytes() {
        let bytes: [UInt8] = Array(0...255)
        #expect(Resource(bytes: bytes).bytes == bytes)
        #expect(Resource(bytes: bytes[3...5]).bytes == [3, 4, 5])
    }

    @Test func namesAreComparedByteByByte() {
        // The same letter for Unicode, two keys for Redis.
        #expect("\u{e9}" == "e\u{301}")
        #expect(Resource("\u{e9}") != Resource("e\u{301}"))
        #expect(Resource(bytes: [0x61]) == "a")
    }

    @Test(arguments: [
        (Resource("invoice:42"), "invoice:42"),
        (Resource("Tür 5 €"), "Tür 5 €"),
        (Resource(bytes: [0x61, 0xff, 0x62]), "a\\xffb"),
        (Resource("a\nb"), "a\\x0ab"),
        (Resource("a\u{0}b\u{7f}\u{1b}[31m"), "a\\x00b\\x7f\\x1b[31m"),
        // With one byte that cannot be shown, all that is not ASCII is spelled out.
        // The second half of the control characters, which a terminal obeys as well.
        (Resource("\u{9b}2J"), "\\xc2\\x9b2J"),
        (Resource("é\n"), "\\xc3\\xa9\\x0a"),
        (Resource(bytes: []), ""),
    ])
    func aDescriptionIsForPeople(resource: Resource, description: String) {
        #expect(resource.description == description)
    }
}
