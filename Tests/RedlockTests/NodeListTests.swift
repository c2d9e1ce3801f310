import Redlock
import Testing

@Suite("A list of nodes")
struct NodeListTests {
    @Test(
        "is separated by commas or line breaks, and spaces around an entry are left out",
        arguments: [
            ("a", ["a"]), ("a,b,c", ["a", "b", "c"]), (" a , b ", ["a", "b"]), ("a\n", ["a"]), ("a\r\n", ["a"]),
            ("a,\nb,\nc\n", ["a", "b", "c"]), ("a\nb\nc", ["a", "b", "c"]), ("a\r\nb\r\n", ["a", "b"]),
            ("a,\r\nb\r\n", ["a", "b"]), ("a\tb", ["a", "b"]), ("\n\n a \n\n, b", ["a", "b"]), ("a\n,b", ["a", "b"]),
            ("redis://:x%2Cy@a, unix:///b c", ["redis://:x%2Cy@a", "unix:///b c"]),
            // A comma before a combining mark separates, too.
            ("a,\u{301}b", ["a", "\u{301}b"]), ("", []), (" ", []), ("\n", []), (" \t\r\n ", []),
        ])
    func entries(_ list: String, _ entries: [String]) throws {
        #expect(try Redlock.nodes(inList: list) == entries)
    }

    @Test(
        "has no empty entry between, before or behind commas",
        arguments: [
            ("a,", 2), (",a", 1), ("a,,b", 2), ("a, ,b", 2), ("a,\n,b", 2), ("a,b,\n", 3), ("a\nb,,c", 3), (",", 1),
            (" , ", 1), ("a,\r\n", 2),
        ])
    func emptyEntries(_ list: String, _ number: Int) {
        let error = #expect(throws: RedlockError.self) { try Redlock.nodes(inList: list, named: "NODES") }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix("entry \(number) of NODES is empty; ") == true, "\(String(describing: error))")
    }

    @Test(
        "with a separator in a password is refused, and shows no part of the password",
        arguments: [
            ("redis://:left,right@a", 2), ("redis://b,redis://:left\nright@a", 3), ("redis://:left,right,x@a", 3),
            ("unix://u:left\tright@/s", 2),
        ])
    func passwords(_ list: String, _ number: Int) {
        let error = #expect(throws: RedlockError.self) { try Redlock.nodes(inList: list, named: "NODES") }
        #expect(error?.message.hasPrefix("entry \(number) of NODES seems to be the rest of a password; ") == true)
        for part in ["left", "right"] { #expect(error?.description.contains(part) == false) }
    }

    @Test("of hosts may have what is no URL")
    func hosts() throws {
        #expect(try Redlock.nodes(inList: "u:p@a,b,redis://:p@c,d") == ["u:p@a", "b", "redis://:p@c", "d"])
    }
}
