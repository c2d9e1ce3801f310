import Testing

@testable import RedlockCore

/// Nodes that may have forgotten locks.
struct QuarantineTests {
    static let length = Nanoseconds.seconds(60)

    static func facts(
        _ runID: String, up uptime: Nanoseconds, _ durability: NodeFacts.Durability = .no, isReplica: Bool = false,
        lineage: NodeFacts.Lineage? = nil
    ) -> Greeting {
        .server(
            NodeFacts(runID: runID, uptime: uptime, durability: durability, isReplica: isReplica, lineage: lineage))
    }

    static func play(
        nodes: Int = 1, _ change: (inout Parameters) -> Void = { _ in }, script: (Script) throws -> Void
    ) rethrows {
        try RedlockCoreTests.play(
            nodes: nodes, connected: false,
            {
                $0.quarantine = length
                $0.longestTTL = length
                change(&$0)
            }, script: script)
    }

    /// The connection is lost, and made again some five seconds later.
    static func reconnect(_ script: Script, _ greeting: Greeting) {
        script.disconnect(0)
        script.advance(by: .seconds(5))
        while script.connection(0) == nil { script.advance(by: .milliseconds(1)) }
        script.connected(0, greeting)
    }

    /// Asks for a lock, and says why node 0 has no vote; nil when it was asked.
    static func refusal(_ script: Script) -> Quarantine? {
        _ = script.news()
        func asked() -> Int { script.operations(0).count { $0 != .look } }
        let before = asked()
        let lock = script.acquire()
        // It cannot tell what it is now.
        while script.unanswered(0).first?.operation == .look { script.reply(0, .text("LOADING")) }
        if asked() > before {
            script.reply(0, .ok)
            script.release(lock)
            script.serve(0)
            _ = script.news()
            return nil
        }
        guard case .refused(_, let refusal)? = script.news().first,
            case .failed(.quarantined(let quarantine, _)) = refusal.votes[0]
        else {
            script.complain("neither asked nor in quarantine")
            return nil
        }
        #expect(refusal.reason == .unavailable)
        return quarantine
    }

    // MARK: Three nodes

    /// A lease of ten seconds on nodes that have been running for long.
    private static func hold(_ script: Script) -> LockID {
        for node in 0..<3 { script.connected(node, facts("\(node)", up: .seconds(5_000))) }
        return script.hold(ttl: .seconds(10))
    }

    /// The node's connection is lost, and the next one finds a server that was started a second ago.
    private static func replace(_ node: Int, _ script: Script) {
        script.disconnect(node)
        script.advance(by: .seconds(1))
        script.connected(node, facts("new \(node)", up: .seconds(1)))
    }

    private static func letGo(_ lock: LockID, _ script: Script) {
        script.release(lock)
        for node in 0..<3 { script.serve(node) }
    }

    // MARK: Who votes

    @Test func aNodeThatWasStartedAShortWhileAgoCastsNoVotesUntilTheTimeIsOver() throws {
        try Self.play { script in
            script.connected(0, Self.facts("a", up: .seconds(18)))
            let quarantine = try #require(Self.refusal(script))
            #expect(quarantine.reason == .started)
            // Whole seconds on the wire, and a clock that may be fast by the drift: the safe side of both.
            let left = quarantine.until - script.now
            #expect(left >= .seconds(60 - 17) && left <= .milliseconds(60_000 - 17_000 + 172))
            script.advance(by: left - Nanoseconds(1))
            #expect(Self.refusal(script) != nil)
            script.advance(by: Nanoseconds(1))
            #expect(Self.refusal(script) == nil)
        }
    }

    @Test func aNodeThatRunsForLongerVotesAtOnce() {
        Self.play { script in
            script.connected(0, Self.facts("a", up: .seconds(62)))
            #expect(Self.refusal(script) == nil)
        }
    }

    @Test(arguments: [Nanoseconds.zero, .seconds(1)])
    func aNodeThatKeepsEveryWriteVotesLaterToo(uptime: Nanoseconds) throws {
        try Self.play { script in
            script.connected(0, Self.facts("a", up: uptime, .everyWrite))
            let quarantine = try #require(Self.refusal(script))
            #expect(quarantine.reason == .started)
            #expect(quarantine.until == script.now + Self.length)
        }
    }

    @Test(arguments: [Nanoseconds.zero, .seconds(1)])
    func aNodeThatKeepsEveryWriteVotesAtOnceWhereThatIsTrusted(uptime: Nanoseconds) {
        Self.play({ $0.trustsDurableNodes = true }) { script in
            script.connected(0, Self.facts("a", up: uptime, .everyWrite))
            #expect(Self.refusal(script) == nil)
        }
    }

    @Test func anUnknownPolicyIsNoDurability() {
        Self.play { script in
            script.connected(0, Self.facts("a", up: .zero, .unknown("denied")))
            #expect(Self.refusal(script) != nil)
        }
    }

    @Test func aRestartThatThisClientSawIsTimedByItsOwnClock() throws {
        try Self.play { script in
            script.connected(0, Self.facts("a", up: .seconds(5_000)))
            // Its clock was set forward by an hour after the start.
            Self.reconnect(script, Self.facts("b", up: .seconds(3_600)))
            let seen = script.now
            let quarantine = try #require(Self.refusal(script))
            #expect(quarantine.until == seen + Self.length)
            // Said again by the next connection, it does not last longer.
            Self.reconnect(script, Self.facts("b", up: .seconds(3_605)))
            #expect(Self.refusal(script)?.until == seen + Self.length)
        }
    }

    @Test func anotherServerIsNoRestartHoweverWellItKeepsItsData() {
        Self.play { script in
            script.connected(0, Self.facts("a", up: .seconds(5_000), .everyWrite))
            script.advance(by: .seconds(100))
            script.acquire(ttl: .seconds(10))
            script.reply(0, .null)
            // It says that it was running while the other one answered.
            Self.reconnect(script, Self.facts("b", up: .seconds(50), .everyWrite))
            #expect(Self.refusal(script)?.reason == .replaced)
        }
    }

    @Test func aDurableNodeThatRestartsVotesAtOnceWhereThatIsTrusted() {
        Self.play({ $0.trustsDurableNodes = true }) { script in
            script.connected(0, Self.facts("a", up: .seconds(5_000), .everyWrite))
            Self.reconnect(script, Self.facts("b", up: .seconds(1), .everyWrite))
            #expect(Self.refusal(script) == nil)
        }
    }

    @Test(arguments: [false, true])
    func aNodeThatBecameDurableWithTheRestartHadForgottenBefore(isTrusted: Bool) {
        Self.play({ $0.trustsDurableNodes = isTrusted }) { script in
            script.connected(0, Self.facts("a", up: .seconds(5_000), .no))
            Self.reconnect(script, Self.facts("b", up: .seconds(1), .everyWrite))
            #expect(Self.refusal(script) != nil)
        }
    }

    @Test func aReplicaThatWasPromotedIsAnotherServer() {
        Self.play { script in
            script.connected(0, Self.facts("a", up: .seconds(5_000), .everyWrite, isReplica: true))
            while script.connection(0) == nil { script.advance(by: .milliseconds(1)) }
            script.connected(0, Self.facts("a", up: .seconds(5_005), .everyWrite))
            #expect(Self.refusal(script)?.reason == .replaced)
        }
    }

    @Test(
        "a node that is no server to take locks on is named, asked nothing, and dialled again",
        arguments: [
            (facts("a", up: .seconds(5), isReplica: true), "it is a replica; writes go to its primary"),
            (
                facts("a", up: .seconds(5_000), .everyWrite, isReplica: true),
                "it is a replica; writes go to its primary"
            ),
            (Greeting.sentinel, "it is a Sentinel, not a server of data"),
        ])
    func unfit(greeting: Greeting, reason: String) {
        Self.play { script in
            let lock = script.acquire()
            script.connected(0, greeting)
            let refusal = Refusal(reason: .unavailable, attempts: 1, votes: [.failed(.unreachable(reason))])
            #expect(script.news() == [.refused(lock, refusal)])
            for _ in 1...3 {
                while script.connection(0) == nil { script.advance(to: script.nextDeadline) }
                script.connected(0, greeting)
            }
            #expect(script.sent(0).isEmpty)
            let told = script.reports.compactMap { report -> String? in
                switch report {
                case .disconnected(0, let reason, _): reason
                case .quarantined, .connected: "\(report)"
                default: nil
                }
            }
            #expect(told == [reason], "once, and no quarantine")
        }
    }

    @Test func aConnectionThatWasLostChangesNothing() {
        Self.play { script in
            script.connected(0, Self.facts("a", up: .seconds(5_000)))
            Self.reconnect(script, Self.facts("a", up: .seconds(5_005)))
            #expect(Self.refusal(script) == nil)
        }
    }

    @Test func whatMakesNoSenseIsOutFromNowOn() throws {
        try Self.play { script in
            script.connected(0, .malformed("INFO lacks run_id"))
            let quarantine = try #require(Self.refusal(script))
            #expect(quarantine.reason == .malformed("INFO lacks run_id"))
            #expect(quarantine.until == script.now + Self.length)
        }
    }

    @Test func aNodeThatMayNotBeAskedIsMetAnewWithEachConnectionAndThatIsToldOnce() throws {
        try Self.play { script in
            script.connected(0, .unknown("INFO: NOPERM"))
            for _ in 1...3 {
                let quarantine = try #require(Self.refusal(script))
                #expect(quarantine.reason == .unknown("INFO: NOPERM"))
                #expect(quarantine.until == script.now + Self.length)
                script.advance(by: Self.length)
                #expect(Self.refusal(script) == nil)
                Self.reconnect(script, .unknown("INFO: NOPERM"))
            }
            let told = script.reports.count { if case .unverified(0, "INFO: NOPERM") = $0 { true } else { false } }
            #expect(told == 1)
        }
    }

    @Test func withoutQuarantineEveryNodeVotes() {
        RedlockCoreTests.play(nodes: 1, connected: false) { script in
            script.connected(0, .malformed("nonsense"))
            #expect(Self.refusal(script) == nil)
            Self.reconnect(script, Self.facts("b", up: .zero))
            #expect(Self.refusal(script) == nil)
        }
    }

    @Test func theBeginningAndTheEndAreReported() {
        Self.play { script in
            script.connected(0, Self.facts("a", up: .seconds(10)))
            script.advance(by: .seconds(61))
            var said: [String] = []
            for report in script.reports {
                if case .quarantined(node: 0, _) = report { said.append("begins") }
                if case .quarantineOver(node: 0) = report { said.append("ends") }
            }
            #expect(said == ["begins", "ends"])
        }
    }

    // MARK: What is under way

    @Test func anAcquireThatWaitedForTheConnectionIsNotSent() {
        Self.play(nodes: 3) { script in
            script.connected(0, Self.facts("a", up: .seconds(5_000)))
            script.connected(1, Self.facts("b", up: .seconds(5_000)))
            let lock = script.acquire()
            script.connected(2, Self.facts("c", up: .seconds(1)))
            #expect(script.sent(2).isEmpty)
            script.reply([0, 1], .ok)
            #expect(script.news().count == 1)
            script.release(lock)
            #expect(script.operations(2) == [.release])
            for node in 0..<3 { script.serve(node) }
        }
    }

    @Test func extensionsAreSentAndNotCounted() {
        Self.play(nodes: 3) { script in
            let lock = Self.hold(script)
            Self.replace(2, script)
            script.extend(lock)
            #expect(script.operations(2).last == .extend(milliseconds: 10_000))
            script.reply(2, .integer(1))
            script.reply(0, .integer(1))
            #expect(script.news() == [])
            script.reply(1, .error("LOADING"))
            guard case .notExtended(_, let refusal, _)? = script.news().first else {
                return script.complain("the extension was won with a node in quarantine")
            }
            guard case .failed(.quarantined) = refusal.votes[2] else { return script.complain("no quarantine") }
            script.release(lock)
            #expect(script.operations(2).last == .release)
            for node in 0..<3 { script.serve(node) }
        }
    }

    @Test func aKeyThatIsGoneCountsAlsoInQuarantine() {
        Self.play(nodes: 3) { script in
            let lock = Self.hold(script)
            for node in [1, 2] { Self.replace(node, script) }
            script.extend(lock)
            script.reply([1, 2], .integer(0))
            guard case .lost(_, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.reason == .taken)
            #expect(loss.votes[1...] == [.missing, .missing])
            Self.letGo(lock, script)
        }
    }

    @Test func anExtensionThatWaitedForTheConnectionIsSentAndNotCounted() {
        Self.play(nodes: 3) { script in
            let lock = Self.hold(script)
            script.disconnect(2)
            script.advance(by: .milliseconds(20))
            script.extend(lock)
            script.connected(2, Self.facts("new", up: .seconds(1)))
            #expect(script.operations(2).last == .extend(milliseconds: 10_000))
            script.reply([2, 0], .integer(1))
            #expect(script.news() == [])
            script.reply(1, .integer(1))
            #expect(script.news().count == 1)
            Self.letGo(lock, script)
        }
    }

    @Test func aLeaseThatWasHeldThroughTheRestartGoesOn() {
        Self.play(nodes: 3) { script in
            let lock = Self.hold(script)
            Self.replace(2, script)
            // What another client is not granted for a ttl needs no guard.
            #expect(script.news() == [])
            Self.letGo(lock, script)
        }
    }
}
