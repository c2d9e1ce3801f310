import RedlockCore
import Testing

@testable import RedlockRedis

struct NodeFactsReaderTests {
    private static let server = "# Server\r\nredis_version:7.0.15\r\nrun_id:04c8f3\r\nuptime_in_seconds:18\r\n"
    private static let log = "aof_enabled:1\r\naof_last_write_status:ok\r\n"
    private static let noRewrite =
        "aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\naof_last_bgrewrite_status:ok\r\n"
    private static let persistence = "# Persistence\r\nloading:0\r\n" + log + noRewrite
    private static let replication = "# Replication\r\nrole:master\r\n"
    private static let settings = Reply.list(
        ["no-appendfsync-on-rewrite", "no", "appendfsync", "always"].map { .text($0) })

    private static func greeting(
        server: String = server, persistence: String = persistence, replication: String = replication,
        settings: Reply = settings
    ) -> Greeting? {
        try? NodeFactsReader.greeting([.text(server), .text(persistence), .text(replication), settings])
    }

    private static func durability(_ persistence: String = persistence, _ settings: Reply = settings)
        -> NodeFacts.Durability?
    {
        guard case .server(let facts) = greeting(persistence: persistence, settings: settings) else { return nil }
        return facts.durability
    }

    @Test func aServerIsKnownByItsWords() {
        let facts = NodeFacts(runID: "04c8f3", uptime: .seconds(18), durability: .everyWrite)
        #expect(Self.greeting() == .server(facts))
    }

    @Test(
        "a log that is being written anew may be the first one, and does not count",
        arguments: [
            noRewrite.replacing("progress:0", with: "progress:1"),
            noRewrite.replacing("scheduled:0", with: "scheduled:1"),
            noRewrite.replacing("bgrewrite_status:ok", with: "bgrewrite_status:err"), "",
        ])
    func rewriting(state: String) {
        #expect(Self.durability(Self.log + state) == .no)
        #expect(Self.durability(Self.log + Self.noRewrite) == .everyWrite)
    }

    @Test func theNamesOfTheDataTellOfAPromotion() {
        func lineage(_ fields: String) -> NodeFacts.Lineage? {
            guard case .server(let facts) = Self.greeting(replication: Self.replication + fields) else { return nil }
            return facts.lineage
        }
        let zeros = String(repeating: "0", count: 40)
        #expect(lineage("master_replid:a1\r\nmaster_replid2:\(zeros)\r\n") == .init(present: "a1"))
        #expect(
            lineage("master_replid:b2\r\nmaster_replid2:a1\r\n") == .init(present: "b2", beforePromotion: "a1"))
        #expect(lineage("") == nil)
    }

    @Test func aReplicaSaysSo() {
        for word in ["slave", "replica"] {
            guard case .server(let facts) = Self.greeting(replication: "role:\(word)\r\n") else {
                Issue.record("not understood")
                continue
            }
            #expect(facts.isReplica)
        }
    }

    @Test func onlyALogThatIsAlwaysWrittenKeepsEveryWrite() {
        func settings(_ policy: String, _ exception: String = "no") -> Reply {
            .list(["appendfsync", policy, "no-appendfsync-on-rewrite", exception].map { .text($0) })
        }
        #expect(Self.durability() == .everyWrite)
        #expect(Self.durability(Self.persistence, settings("everysec")) == .no)
        #expect(Self.durability(Self.persistence, settings("no")) == .no)
        #expect(Self.durability(Self.persistence, settings("always", "yes")) == .no)
        #expect(Self.durability("aof_enabled:0\r\n") == .no)
        #expect(Self.durability("aof_enabled:1\r\naof_last_write_status:err\r\n") == .no)
    }

    @Test(arguments: [
        Reply.error("NOPERM no"), .list([]), .list([.text("appendfsync"), .text("always")]), .null, .integer(1),
        .list([.text("appendfsync")]), .list([.integer(1), .text("always")]),
    ])
    func aPolicyThatIsNotToldIsUnknown(settings: Reply) {
        guard case .unknown = Self.durability(Self.persistence, settings) else {
            Issue.record("taken for known")
            return
        }
        #expect(Self.durability("aof_enabled:0\r\n", settings) == .no, "without a log it does not matter")
    }

    @Test(arguments: [
        "NOPERM this user has no permissions", "ERR unknown command 'INFO'", "NOAUTH Authentication required.",
        "ERR unsupported", "this proxy knows no INFO", "FORBIDDEN", "ERR INFO refused by policy",
    ])
    func whoMayNotAskIsTold(error: String) throws {
        let answers = [Reply](repeating: .error(error), count: 4)
        #expect(try NodeFactsReader.greeting(answers) == .unknown("INFO: \(error)"))
    }

    @Test func anErrorThatPassesIsNoLeave() {
        let answers: [Reply] = [.error("BUSY Redis is busy"), .null, .null, .null]
        #expect(throws: NodeFactsReader.NotReady(cause: .script, reason: "INFO: BUSY Redis is busy")) {
            try NodeFactsReader.greeting(answers)
        }
    }

    @Test(
        "an error that sounds like trouble is asked about again",
        arguments: [
            ("LOADING Redis is loading", NodeFactsReader.NotReady.Cause.loading), ("MASTERDOWN Link is down", .other),
            ("no upstream host", .other), ("ERR backend timed out", .other),
        ])
    func trouble(error: String, cause: NodeFactsReader.NotReady.Cause) {
        let answers = [Reply](repeating: .error(error), count: 4)
        #expect(throws: NodeFactsReader.NotReady(cause: cause, reason: "INFO: \(error)")) {
            try NodeFactsReader.greeting(answers)
        }
    }

    @Test("a Sentinel is known by its mode, though it says little else", arguments: ["redis_mode", "server_mode"])
    func sentinel(field: String) {
        #expect(Self.greeting(server: "\(field):sentinel\r\n", persistence: "", replication: "") == .sentinel)
        #expect(Self.greeting(server: Self.server + "\(field):cluster\r\n") == Self.greeting())
    }

    @Test func whoLoadsItsDataIsAskedAgain() {
        let answers: [Reply] = [
            .text(Self.server), .text("# Persistence\r\nloading:1\r\naof_enabled:0\r\n"), .text(Self.replication),
            Self.settings,
        ]
        #expect(throws: NodeFactsReader.NotReady(cause: .loading, reason: "it is loading its data")) {
            try NodeFactsReader.greeting(answers)
        }
    }

    @Test(arguments: [
        ("", "INFO lacks run_id"), ("run_id:a\r\n", "INFO lacks uptime_in_seconds"),
        ("run_id:\r\nuptime_in_seconds:1\r\n", "INFO says run_id is ''"),
        ("run_id:a b\r\nuptime_in_seconds:1\r\n", "INFO says run_id is 'a b'"),
        ("run_id:a\r\nrun_id:b\r\nuptime_in_seconds:1\r\n", "INFO says 'run_id' twice"),
        ("run_id:a\r\nuptime_in_seconds:soon\r\n", "INFO says uptime_in_seconds is 'soon'"),
        ("run_id:a\r\nuptime_in_seconds:1.5\r\n", "INFO says uptime_in_seconds is '1.5'"),
        (
            "run_id:a\r\nuptime_in_seconds:99999999999999999999\r\n",
            "INFO says uptime_in_seconds is '99999999999999999999'"
        ),
        ("run_id:a\r\nuptime_in_seconds:86400000001\r\n", "INFO says uptime_in_seconds is '86400000001'"),
        ("run_id:\u{1b}[2J\r\nuptime_in_seconds:1\r\n", #"INFO says run_id is '\u{1b}[2J'"#),
    ])
    func whatMakesNoSenseIsNamed(server: String, reason: String) {
        #expect(Self.greeting(server: server) == .malformed(reason))
    }

    @Test func theOtherSectionsAreCheckedToo() throws {
        #expect(Self.greeting(persistence: "") == .malformed("INFO lacks aof_enabled"))
        #expect(Self.greeting(persistence: "aof_enabled:2\r\n") == .malformed("INFO says aof_enabled is '2'"))
        #expect(Self.greeting(persistence: "aof_enabled:1\r\n") == .malformed("INFO lacks aof_last_write_status"))
        #expect(Self.greeting(replication: "") == .malformed("INFO lacks role"))
        #expect(Self.greeting(replication: "role:king\r\n") == .malformed("INFO says role is 'king'"))
        #expect(try NodeFactsReader.greeting([]) == .malformed("0 answers"))
        #expect(try NodeFactsReader.greeting([.ok, .ok, .ok, .ok]) == .malformed("INFO was answered with no text"))
    }

    @Test func aClockThatWasSetBackMakesAnUptimeBelowZero() {
        guard case .server(let facts) = Self.greeting(server: "run_id:a\r\nuptime_in_seconds:-3600\r\n") else {
            Issue.record("not understood")
            return
        }
        #expect(facts.uptime == .seconds(-3_600))
    }

    @Test func textOfAnyKindIsTakenWithoutACrash() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = (0..<Int(generator.next() % 200)).map { _ in
                generator.next() % 4 == 0
                    ? UInt8(truncatingIfNeeded: generator.next()) : Array(":\r\n#rui_".utf8)[Int(generator.next() % 8)]
            }
            _ = Self.greeting(server: String(decoding: bytes, as: UTF8.self))
        }
        let long = String(repeating: "x", count: 60_000)
        #expect(Self.greeting(server: Self.server + long + ":" + long) != .malformed(""))
        #expect(Self.greeting(server: "run_id:\(long)\r\n") == .malformed("INFO says run_id is '\(long.prefix(40))'"))
    }
}
