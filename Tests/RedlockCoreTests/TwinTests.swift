import Testing

@testable import RedlockCore

/// Nodes that are names of one server.
@Suite("Twins") struct TwinTests {
    private static let longestTTL = Nanoseconds.seconds(60)

    /// Nodes 0 and 1 are one server, node 2 is another, all of them durable.
    private static func play(nodes: Int = 3, twins: Bool = true, script: (Script) throws -> Void) rethrows {
        try RedlockCoreTests.play(nodes: nodes, connected: false) {
            $0.quarantine = longestTTL
            $0.longestTTL = longestTTL
            $0.trustsDurableNodes = true
        } script: { stage in
            if twins { for node in 0..<nodes { stage.connected(node, server(node < 2 ? "a" : "\(node)")) } }
            try script(stage)
        }
    }

    private static func server(_ runID: String, up uptime: Nanoseconds = .seconds(5_000)) -> Greeting {
        .server(NodeFacts(runID: runID, uptime: uptime, durability: .everyWrite))
    }

    private static func pairs(_ script: Script) -> [[Int]] {
        script.reports.compactMap { if case .sameServer(let node, let first) = $0 { [node, first] } else { nil } }
    }

    private static func reconnect(_ script: Script, _ node: Int, _ greeting: Greeting) {
        script.disconnect(node)
        while script.connection(node) == nil { script.advance(to: script.nextDeadline) }
        script.connected(node, greeting)
    }

    @Test("a second name of a server is asked nothing, and its vote names the first")
    func secondName() {
        Self.play { script in
            let lock = script.acquire()
            script.reply(0, .ok)
            #expect(script.sent(1).isEmpty)
            #expect(script.news() == [], "the server has one vote, and a quorum is two")
            script.reply(2, .null)
            let votes: [Vote] = [.granted, .failed(.sameServer(as: 0)), .heldByAnother]
            #expect(script.news() == [.refused(lock, Refusal(reason: .heldByAnother, attempts: 1, votes: votes))])
            #expect(Self.pairs(script) == [[1, 0]])
        }
    }

    @Test("three names of one server are no quorum")
    func threeNames() {
        Self.play(twins: false) { script in
            for node in 0..<3 { script.connected(node, Self.server("a")) }
            let lock = script.acquire()
            guard case .refused(lock, let refusal) = script.news().first else { return script.complain("not refused") }
            #expect(refusal.reason == .unavailable)
            #expect(refusal.votes[1...] == [.failed(.sameServer(as: 0)), .failed(.sameServer(as: 0))])
            #expect(Self.pairs(script) == [[1, 0], [2, 0]])
        }
    }

    @Test("an acquire that waited for the connection is not sent to a second name")
    func queued() {
        Self.play(twins: false) { script in
            let lock = script.acquire()
            script.connected(1, Self.server("a"))
            script.connected(0, Self.server("a"))
            script.connected(2, Self.server("b"))
            #expect(script.sent(0).isEmpty, "the first that was connected has the vote")
            script.reply(1, .ok)
            script.reply(2, .null)
            let votes: [Vote] = [.failed(.sameServer(as: 1)), .granted, .heldByAnother]
            #expect(script.news() == [.refused(lock, Refusal(reason: .heldByAnother, attempts: 1, votes: votes))])
        }
    }

    @Test("a second name confirms no extension, no repair and no release")
    func laterVotes() {
        Self.play { script in
            let lock = script.acquire()
            script.reply(0, .ok)
            script.reply(2, .ok)
            _ = script.news()
            script.extend(lock)
            script.reply(0, .integer(1))
            #expect(script.news() == [], "the server counts once")
            script.reply(2, .integer(0))
            guard case .notExtended(lock, let refusal, _)? = script.news().first else {
                return script.complain("extended on one server")
            }
            #expect(refusal.votes == [.granted, .failed(.sameServer(as: 0)), .missing])
            script.advance(by: .seconds(5))
            script.release(lock)
            script.reply(0, .integer(1))
            #expect(script.news() == [], "two servers are to confirm it")
            script.reply(2, .integer(0))
            #expect(script.news() == [.released(lock)])
            #expect(script.sent(1).isEmpty)
        }
    }

    @Test("a release that a second name confirms is the server's first confirmation over again")
    func release() {
        Self.play(twins: false) { script in
            for node in 0..<3 { script.connected(node, Self.server("\(node)")) }
            let lock = script.hold()
            Self.reconnect(script, 1, Self.server("0"))
            script.release(lock)
            script.reply(0, .integer(1))
            script.reply(1, .integer(0))
            #expect(script.news() == [], "two servers are to confirm it")
            script.reply(2, .integer(1))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test("a fencing number is raised on each server once")
    func raise() {
        Self.play { script in
            script.acquire(wallClock: 1_000)
            script.reply(0, .pair(2, 5_000))
            script.reply(2, .pair(2, 6_000))
            script.reply(0, .pair(1, 6_001))
            #expect(script.sent(1).isEmpty)
            #expect(script.news() == [])
            script.reply(2, .pair(0, 1))
            guard case .refused = script.news().last else { return script.complain("granted on one server") }
        }
    }

    @Test("no subscription is opened to a second name")
    func listener() {
        Self.play { script in
            script.acquire(wait: .seconds(1))
            script.refuse(0, for: 60_000)
            script.refuse(2, for: 60_000)
            #expect(script.isBeingListenedTo(0))
            #expect(!script.isBeingListenedTo(1))
        }
    }

    @Test("when the server restarts, its vote stays with the first name, whichever is connected first")
    func restart() {
        Self.play { script in
            let again = Self.server("a2", up: .seconds(1))
            script.disconnect(0)
            Self.reconnect(script, 1, again)
            script.acquire()
            #expect(script.sent(1).isEmpty, "what it granted as node 0 may count still")
            while script.connection(0) == nil { script.advance(to: script.nextDeadline) }
            script.connected(0, again)
            let asked = script.sent(0).count
            script.acquire("another")
            #expect(script.sent(0).count > asked)
            #expect(script.sent(1).isEmpty)
            #expect(Self.pairs(script) == [[1, 0]], "once")
        }
    }

    @Test("the vote moves to a second name when the first has been away for the longest ttl")
    func firstAway() {
        Self.play { script in
            script.disconnect(0, "no such host")
            script.advance(by: Self.longestTTL - Nanoseconds(1))
            script.acquire("early")
            #expect(script.sent(1).isEmpty)
            script.advance(by: Nanoseconds(1))
            script.acquire("late")
            #expect(script.sent(1).count == 1)
            // Back, it is the second one.
            while script.connection(0) == nil { script.advance(to: script.nextDeadline) }
            script.connected(0, Self.server("a"))
            script.acquire("both")
            #expect(script.operations(0).allSatisfy { $0 == .release })
            #expect(Self.pairs(script) == [[1, 0], [0, 1]])
        }
    }

    @Test("of several second names one gets the vote when the first is away")
    func oneSuccessor() {
        Self.play(nodes: 5, twins: false) { script in
            for node in 0..<5 { script.connected(node, Self.server(node < 3 ? "a" : "\(node)")) }
            script.disconnect(0, "no such host")
            script.advance(by: Self.longestTTL)
            script.acquire()
            #expect(script.sent(1).count == 1)
            #expect(script.sent(2).isEmpty)
            #expect(Self.pairs(script) == [[1, 0], [2, 0], [2, 1]])
        }
    }

    @Test("a second name that leads to a server of its own votes when the longest ttl is over")
    func ownServer() {
        Self.play { script in
            Self.reconnect(script, 1, Self.server("b", up: .seconds(9_000)))
            script.acquire()
            #expect(script.sent(1).isEmpty)
            script.advance(by: Self.longestTTL)
            script.acquire("later")
            #expect(script.sent(1).count == 1)
        }
    }

    @Test("servers beyond the limit are forgotten, the oldest first")
    func recentServers() {
        var names = ServerNames()
        var other = ServerNames()
        let now = Instant(nanoseconds: 1_000_000_000)
        for number in 0...Limits.recentServers { names.met("\(number)", at: now, remembering: Self.longestTTL) }
        other.met("0", at: now, remembering: Self.longestTTL)
        #expect(names.shared(with: other, at: now) == nil)
        other.met("1", at: now, remembering: Self.longestTTL)
        #expect(names.shared(with: other, at: now) == now + Self.longestTTL)
        #expect(names.shared(with: other, at: now + Self.longestTTL) == nil)
    }

    @Test("nodes that do not say which server they are keep their votes")
    func unknown() {
        Self.play(twins: false) { script in
            for node in 0..<3 { script.connected(node, .unknown("INFO: NOPERM")) }
            script.advance(by: Self.longestTTL)
            script.acquire()
            for node in 0..<3 { #expect(script.sent(node).count == 1) }
        }
    }
}
