import Testing

@testable import RedlockCore

/// Keys that are gone before their time: clocks that went forward and back between two looks.
struct LostKeyTests {
    private static func play(
        nodes: Int = 5, lossMargin: Nanoseconds? = nil, script: (Script) throws -> Void
    ) rethrows {
        try RedlockCoreTests.play(
            nodes: nodes,
            {
                $0.guardsClocks = true; $0.lossMargin = lossMargin
            }
        ) { stage in
            for node in 0..<nodes { stage.serve(node) }
            try script(stage)
        }
    }

    private static func hold(_ script: Script, _ nodes: [Int], key: String = "resource") -> LockID {
        let lock = script.acquire(key, ttl: .seconds(10))
        for node in 0..<script.nodeCount {
            if nodes.contains(node) { script.serve(node) } else { script.reply(node, .error("ERR busy")) }
        }
        _ = script.news()
        return lock
    }

    /// Forward by an hour, and back: no look shows it.
    private static func strobe(_ script: Script, _ node: Int) { script.expireKeys(on: node) }

    private static func quarantine(_ script: Script, of node: Int) -> Quarantine? {
        script.engine.quarantine(of: node, at: script.now)
    }

    @Test func aLeaseThatNeedsTheNodeIsLostWithTheAnswerOfTheExtension() {
        Self.play { script in
            let lock = Self.hold(script, [0, 1, 2])
            Self.strobe(script, 0)
            script.advance(by: .milliseconds(500))
            script.extend(lock)
            script.serve(0)
            guard case .lost(lock, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.reason == .keyGone)
            script.release(lock)
        }
    }

    @Test func theNodeIsBarredForTheLongestTTLWhenAnotherHasTheKey() throws {
        try Self.play { script in
            let lock = Self.hold(script, [0, 1, 2, 3, 4])
            Self.strobe(script, 0)
            script.advance(by: .milliseconds(500))
            script.extend(lock)
            script.serve(0)
            #expect(Self.quarantine(script, of: 0) == nil)
            script.serve(1)
            let quarantine = try #require(Self.quarantine(script, of: 0))
            #expect(quarantine.until == script.now + .seconds(60))
            // The drift of 10 s is 102 ms.
            #expect(quarantine.reason == .keyGone(early: .milliseconds(9_398)))
            for node in 2...4 { script.serve(node) }
            script.release(lock)
        }
    }

    @Test func aLeaseOfAnotherResourceThatNeedsTheNodeIsLostToo() {
        Self.play { script in
            let first = Self.hold(script, [0, 1, 2, 3, 4], key: "first")
            let second = Self.hold(script, [0, 1, 2], key: "second")
            Self.strobe(script, 0)
            script.extend(first)
            script.serve(1)
            script.serve(0)
            guard case .lost(second, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.reason == .keyGone)
            for node in 2...4 { script.serve(node) }
            script.release(first)
            script.release(second)
        }
    }

    @Test func aKeyThatIsGoneEverywhereWasDeletedAndBarsNobody() {
        Self.play { script in
            let lock = Self.hold(script, [0, 1, 2, 3, 4])
            for node in 0...4 { Self.strobe(script, node) }
            script.extend(lock)
            for node in 0...4 { script.serve(node) }
            guard case .lost(lock, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.reason == .taken)
            for node in 0...4 { #expect(Self.quarantine(script, of: node) == nil) }
            script.release(lock)
        }
    }

    @Test func aKeyThatMayBeOverIsNoSign() {
        Self.play { script in
            let lock = Self.hold(script, [0, 1, 2, 3, 4])
            script.extend(lock, ttl: .seconds(10))
            for node in [0, 1, 2, 3] { script.serve(node) }
            // Node 4 is not a guard from here on.
            script.disconnect(4)
            script.advance(by: .milliseconds(50))
            script.connected(4)
            Self.strobe(script, 4)
            script.extend(lock)
            for node in 0...4 { script.serve(node) }
            #expect(Self.quarantine(script, of: 4) == nil)
            script.release(lock)
        }
    }

    @Test func aServerThatWasRestartedSinceIsNoSign() {
        Self.play { script in
            let lock = Self.hold(script, [0, 1, 2, 3, 4])
            script.disconnect(0)
            script.advance(by: .milliseconds(50))
            let facts = NodeFacts(runID: "another", uptime: .seconds(5_000), durability: .everyWrite)
            script.connected(0, .server(facts))
            Self.strobe(script, 0)
            script.extend(lock)
            for node in 0...4 { script.serve(node) }
            if case .keyGone? = Self.quarantine(script, of: 0)?.reason { script.complain("a restart is no jump") }
            script.release(lock)
        }
    }

    @Test func aReleaseNoticesItForTheLeasesThatAreLeft() {
        Self.play { script in
            let first = Self.hold(script, [0, 1, 2, 3, 4], key: "first")
            let second = Self.hold(script, [0, 1, 2], key: "second")
            Self.strobe(script, 0)
            script.release(first)
            script.serve(0)
            #expect(Self.quarantine(script, of: 0) == nil)
            script.serve(1)
            #expect(Self.quarantine(script, of: 0) != nil)
            #expect(script.news().contains { if case .lost(second, _) = $0 { true } else { false } })
            script.release(second)
        }
    }

    @Test func anOrdinaryReleaseBarsNobody() {
        Self.play { script in
            let lock = Self.hold(script, [0, 1, 2, 3, 4])
            script.release(lock)
            for node in 0...4 { script.serve(node) }
            for node in 0...4 { #expect(Self.quarantine(script, of: node) == nil) }
        }
    }

    @Test func theGrantToASuccessorOfALostLeaseShowsIt() {
        Self.play(lossMargin: .seconds(5)) { script in
            let lost = Self.hold(script, [0, 1, 2, 3, 4])
            Self.strobe(script, 0)
            for _ in 1...5 {
                script.advance(by: .seconds(1))
                for node in 0...4 { script.serve(node) }
            }
            guard case .lost(lost, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.reason == .notExtended)
            let successor = script.acquire(ttl: .seconds(10), wait: .seconds(4))
            for node in 0...4 { script.serve(node) }
            #expect(Self.quarantine(script, of: 0) == nil, "a SET that is refused does not say whose the key is")
            // From the second attempt on, nodes say how long the key still lives.
            for _ in 1...20 where Self.quarantine(script, of: 0) == nil {
                script.advance(by: .milliseconds(80))
                for node in 0...4 { script.serve(node) }
            }
            #expect(Self.quarantine(script, of: 0) != nil)
            script.cancel(successor)
            script.release(lost)
        }
    }

    // MARK: Looks

    @Test func anExtensionIsNeverSentWithoutALook() {
        Self.play { script in
            let lock = Self.hold(script, [0, 1, 2, 3, 4])
            for _ in 1...3 {
                script.advance(by: .milliseconds(200))
                script.extend(lock)
                #expect(script.operations(0).suffix(2) == [.readClock, .extend(milliseconds: 10_000)])
                for node in 0...4 { script.serve(node) }
            }
            script.release(lock)
        }
    }

    @Test func extensionsThatAreSentTogetherShareALook() {
        Self.play { script in
            let first = Self.hold(script, [0, 1, 2, 3, 4], key: "first")
            let second = Self.hold(script, [0, 1, 2, 3, 4], key: "second")
            script.advance(by: .milliseconds(200))
            script.extend(first)
            script.extend(second)
            #expect(
                script.operations(0).suffix(3)
                    == [.readClock, .extend(milliseconds: 10_000), .extend(milliseconds: 10_000)])
            for node in 0...4 { script.serve(node) }
            script.release(first)
            script.release(second)
        }
    }

    // MARK: Uptimes

    /// The connection to node 0 is lost, and made again more than a minute later.
    private static func awaitDial(_ script: Script) {
        script.disconnect(0)
        script.advance(by: .seconds(70))
        while script.connection(0) == nil { script.advance(by: .milliseconds(1)) }
    }

    @Test(arguments: [NodeFacts.Durability.no, .everyWrite])
    func aNegativeUptimeIsASign(durability: NodeFacts.Durability) throws {
        try Self.play(nodes: 1) { script in
            Self.awaitDial(script)
            let facts = NodeFacts(runID: "new", uptime: .seconds(-3_598), durability: durability)
            script.connected(0, .server(facts))
            let quarantine = try #require(Self.quarantine(script, of: 0))
            #expect(quarantine.until >= script.now + .seconds(60))
            // The same run says the same again, and it is no news.
            script.serve(0)
            Self.awaitDial(script)
            script.connected(0, .server(facts))
            #expect(Self.quarantine(script, of: 0) == nil)
        }
    }

    @Test func aLeaseThatNeedsANodeWithANegativeUptimeIsLost() {
        Self.play { script in
            let lock = Self.hold(script, [0, 1, 2])
            script.disconnect(0)
            script.advance(by: .milliseconds(500))
            let facts = NodeFacts(runID: "new", uptime: .seconds(-3_598), durability: .everyWrite)
            script.connected(0, .server(facts))
            guard case .lost(lock, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.reason == .clockJumped)
            script.release(lock)
        }
    }
}
