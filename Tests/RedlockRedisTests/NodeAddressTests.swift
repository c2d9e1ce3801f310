import PrintableText
import Testing

@testable import RedlockRedis

@Suite struct NodeAddressTests {
    struct Valid: Sendable, CustomTestStringConvertible {
        var url: String
        var endpoint: NodeAddress.Endpoint
        var user: String?
        var password: String?
        var database = 0
        var testDescription: String { url }
    }

    static let valid: [Valid] = [
        Valid(url: "redis://localhost", endpoint: .tcp(host: "localhost", port: 6379)),
        Valid(url: "redis://localhost/", endpoint: .tcp(host: "localhost", port: 6379)),
        Valid(url: "redis://10.0.0.1:7001", endpoint: .tcp(host: "10.0.0.1", port: 7001)),
        Valid(url: "redis://10.0.0.1:1/3", endpoint: .tcp(host: "10.0.0.1", port: 1), database: 3),
        Valid(url: "redis://h:65535/65535", endpoint: .tcp(host: "h", port: 65_535), database: 65_535),
        Valid(url: "REDIS://Node-1.Example.ORG", endpoint: .tcp(host: "node-1.example.org", port: 6379)),
        Valid(url: "redis://[::1]", endpoint: .tcp(host: "::1", port: 6379)),
        Valid(url: "redis://[2001:DB8::1]:7001/2", endpoint: .tcp(host: "2001:db8::1", port: 7001), database: 2),
        Valid(url: "redis://[fe80::1%eth0]:7001", endpoint: .tcp(host: "fe80::1%eth0", port: 7001)),
        Valid(url: "redis://:secret@h", endpoint: .tcp(host: "h", port: 6379), password: "secret"),
        Valid(url: "redis://me:secret@h:7001", endpoint: .tcp(host: "h", port: 7001), user: "me", password: "secret"),
        Valid(url: "redis://:se:cret@[::1]:2", endpoint: .tcp(host: "::1", port: 2), password: "se:cret"),
        Valid(url: "redis://:s@cret@h", endpoint: .tcp(host: "h", port: 6379), password: "s@cret"),
        Valid(url: "redis://:s/cret@h/1", endpoint: .tcp(host: "h", port: 6379), password: "s/cret", database: 1),
        Valid(
            url: "redis://m%40e:p%3a%2F%3F%23%25%e2%82%ac@h", endpoint: .tcp(host: "h", port: 6379), user: "m@e",
            password: "p:/?#%€"),
        Valid(url: "unix:///run/redis.sock", endpoint: .unix(path: "/run/redis.sock")),
        Valid(url: "redis+unix:///run/redis.sock", endpoint: .unix(path: "/run/redis.sock")),
        Valid(url: "unix:///run/redis.sock?db=5", endpoint: .unix(path: "/run/redis.sock"), database: 5),
        Valid(
            url: "unix://me:s%20cret@/run/redis.sock?db=1", endpoint: .unix(path: "/run/redis.sock"), user: "me",
            password: "s cret", database: 1),
        Valid(url: "unix:///run/a@b.sock", endpoint: .unix(path: "/run/a@b.sock")),
        Valid(url: "unix:///run/a%20b%3f.sock", endpoint: .unix(path: "/run/a b?.sock")),
        Valid(
            url: "unix:///" + String(repeating: "x", count: 106),
            endpoint: .unix(path: "/" + String(repeating: "x", count: 106))),
    ]

    @Test(arguments: valid)
    func understands(_ valid: Valid) throws {
        let address = try NodeAddress(valid.url)
        #expect(address.endpoint == valid.endpoint)
        #expect(address.user == valid.user)
        #expect(address.password == valid.password)
        #expect(address.database == valid.database)
    }

    @Test(arguments: [
        ("redis://me:secret@Host:7001/3", "host:7001"),
        ("redis://:secret@[::1]", "[::1]:6379"),
        ("unix://:secret@/run/redis.sock?db=3", "/run/redis.sock"),
    ])
    func isDescribedByItsEndpointAlone(url: String, description: String) throws {
        #expect(try NodeAddress(url).description == description)
    }

    /// What is wrong, and what the error must say: the value, and the rule.
    @Test(arguments: [
        ("", "'' is no node URL", "redis://host[:port]"),
        ("localhost", "'localhost'", "redis://host[:port] or unix:///path"),
        ("localhost:6379", "'localhost:6379'", "redis://host[:port]"),
        ("redis:/localhost", "'redis:/localhost'", "redis://host[:port]"),
        ("http://localhost", "'http://localhost'", "unknown scheme"),
        ("://localhost", "'://localhost'", "redis:// or unix://"),
        ("rediss://localhost", "'rediss://localhost'", "TLS is not supported"),
        ("redis://", "'redis://'", "the host is missing"),
        ("redis://:7001", "'redis://:7001'", "the host is missing"),
        ("redis:///1", "'redis:///1'", "the host is missing"),
        ("redis://[]", "'redis://[]'", "the host is missing"),
        ("redis://h:", "'redis://h:'", "1 to 65535"),
        ("redis://h:0", "'redis://h:0'", "1 to 65535"),
        ("redis://h:65536", "'redis://h:65536'", "1 to 65535"),
        ("redis://h:+1", "'redis://h:+1'", "1 to 65535"),
        ("redis://h:-1", "'redis://h:-1'", "1 to 65535"),
        ("redis://h:seven", "'redis://h:…'", "1 to 65535"),
        ("redis://[::1]:x", "'redis://[::1]:…'", "1 to 65535"),
        ("redis://[::1]7001", "'redis://[::1]7001'", "after ] comes :port or nothing"),
        ("redis://[::1", "'redis://[::1'", "closing ]"),
        ("redis://::1", "'redis://::1'", "brackets"),
        ("redis://h 1", "'redis://h 1'", "no spaces"),
        ("redis://h\n", #"'redis://h\n'"#, "no spaces or control characters"),
        ("redis://h\u{202e}", #"'redis://h\u{202e}'"#, "no spaces or control characters"),
        ("redis://:p#w@h:1", "'redis://…@h:1'", "# is written %23"),
        ("redis://me:p?w@h:1", "'redis://…@h:1'", "? is written %3F"),
        ("redis://:p?#w@h", "'redis://…@h'", "? is written %3F"),
        ("redis://:p#w", "'redis://:…'", "# is written %23"),
        ("redis://:p/w", "'redis://:…'", "/ is %2F"),
        ("redis://:p@w/x", "'redis://…@w/…'", "/ is %2F"),
        ("redis://:p@w:x@", "'redis://…@'", "@ is %40"),
        ("redis://:5%@h", "'redis://…@h'", "a plain % is %25"),
        ("redis://:5%ff@h", "'redis://…@h'", "a plain % is %25"),
        ("unix://:p@/run/a@b", "'unix://…@b'", "@ is written %40"),
        ("unix:///s\u{1b}?x", #"'unix:///s\u{1b}?…'"#, "?db=number"),
        ("redis://h/one", "the database 'one'", "0 to 65535"),
        ("redis://h/-1", "the database '-1'", "0 to 65535"),
        ("redis://h/+1", "the database '+1'", "0 to 65535"),
        ("redis://h/65536", "the database '65536'", "0 to 65535"),
        ("redis://h/1/", "the database '1/'", "0 to 65535"),
        ("redis://h?db=1", "'redis://h?db=1'", "the database is a path"),
        ("redis://h#1", "'redis://h#1'", "options after ? or #"),
        ("unix://run/redis.sock", "'unix://run/redis.sock'", "absolute"),
        ("unix://", "'unix://'", "absolute"),
        ("unix:///s?x=1", "'unix:///s?x=…'", "?db=number"),
        ("unix:///s?db=", "the database ''", "0 to 65535"),
        ("unix:///s?db=x", "the database 'x'", "0 to 65535"),
        ("unix:///s%zz", "'unix:///s%zz'", "two hexadecimal digits"),
        ("unix:///s%f", "'unix:///s%f'", "two hexadecimal digits"),
        ("unix:///s%ff", "'unix:///s%ff'", "not UTF-8"),
        ("unix:///s%00", "'unix:///s%00'", "none of them zero"),
        ("unix:///" + String(repeating: "x", count: 107), "xxx'", "at most 107 bytes"),
    ])
    func refuses(url: String, value: String, rule: String) throws {
        let error = try #require(throws: NodeAddress.ParseError.self) { try NodeAddress(url) }
        #expect(error.description.contains(value))
        #expect(error.description.contains(rule))
    }

    /// Every mark that means something in a URL, raw in a password, in every kind of URL and with every other mistake.
    @Test("no part of a password is shown, whatever is wrong with its URL")
    func passwordsWithMarks() {
        let marks = [
            "#", "?", "/", "@", "%", ":", "&", "=", "[", "]", " ", "\n", "\u{202e}", ",", "://", "?a=", "#a=", "%4",
        ]
        let passwords = marks.flatMap { ["hunter\($0)secret", "\($0)hunter\($0)secret\($0)"] }
        let beginnings = [
            "redis://:", "redis://me:", "unix://:", "http://me:", "rediss://:", "redis:", "redis://[::1]:",
        ]
        let ends = [
            "@host", "@host:0", "@host:x", "@host/x", "@host?x=1", "@host#", "@ho st", "@[::1", "@::1", "@", "@:1", "",
            "/1",
            ":6379", "@/run/s?x=1", "@run/s",
        ]
        for password in passwords {
            for beginning in beginnings {
                for end in ends {
                    let url = beginning + password + end
                    var texts = [NodeAddress.withoutSecrets(url)]
                    do throws(NodeAddress.ParseError) { _ = try NodeAddress(url) } catch {
                        texts.append(error.description)
                    }
                    for text in texts {
                        // What follows the last @ is shown as a host, and may be what follows an @ in a password.
                        let isHost = password.contains("@") && !end.contains("@")
                        #expect(!text.contains("hunter"), "\(url): \(text)")
                        #expect(isHost || !text.contains("secret"), "\(url): \(text)")
                        #expect(text.printable == text)
                    }
                }
            }
        }
    }

    /// The same mistakes, and more, in URLs with credentials.
    @Test(arguments: [
        "redis://:hunter2", "redis://me:hunter2", "me:hunter2", "redis://me:hunter2/1",
        "me:hunter2@host", "redis:me:hunter2@host", "me:hunter2@redis://host", "http://me:hunter2@host",
        "rediss://me:hunter2@host", "redis://hunter2@host", "redis://me:hunter2@", "redis://me:hunter2@:1",
        "redis://me:hunter2@host:0", "redis://me:hunter2@host:x", "redis://me:hunter2@[::1",
        "redis://me:hunter2@[::1]x",
        "redis://me:hunter2@::1", "redis://me:hunter2@host/x", "redis://me:hunter2@host?db=1",
        "redis://me:hunter2@host#", "redis://me:hunter2%@host", "redis://me:hunter2%zz@host",
        "redis://me:hunter2%ff@host", "redis://hunter2:@host", "redis://me:hunter2@ho st",
        "redis://me:hunter2@x@host:0", "redis://me:hunter2/x@host:0", "redis://me:hunter2?x@host:0",
        "redis://me:hunter2@\u{301}host:0", "unix://me:hunter2@run/s", "unix://me:hunter2@/s?x=1",
        "unix://me:hunter2@/s?db=x", "unix://hunter2@/s", "unix://me:hunter2%@/s", "unix://me:hunter2@/s%00",
        "unix://me:hunter2@", "unix:///s?password=hunter2", "unix:///s?db=0&password=hunter2",
        "unix://me@/s?password=hunter2", "redis://host?password=hunter2", "redis://host/0?db=1&hunter2",
        "http://host?password=hunter2", "host?password=hunter2",
    ])
    func anErrorNeverShowsAPassword(url: String) throws {
        let error = try #require(throws: NodeAddress.ParseError.self) { try NodeAddress(url) }
        #expect(!error.description.contains("hunter2"))
    }
}
