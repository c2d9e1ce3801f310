import Testing

@testable import RedlockCore

/// Wall clocks of nodes that are set forward, or run too fast.
struct ClockGuardTests {
    private static func play(nodes: Int = 3, script: (Script) throws -> Void) rethrows {
        try RedlockCoreTests.play(nodes: nodes, { $0.guardsClocks = true }, script: script)
    }

    /// The first sample, along with the connection.
    private static func settle(_ script: Script) {
        for node in 0..<script.nodeCount { script.serve(node) }
    }

    private static func hold(_ script: Script, ttl: Nanoseconds = .seconds(10)) -> LockID {
        let lock = script.acquire(ttl: ttl)
        settle(script)
        _ = script.news()
        return lock
    }

    // MARK: When it is read

    @Test func theClockIsReadWithTheConnectionAndThenNotWithoutNeed() {
        Self.play { script in
            #expect(script.operations(0) == [.readClock])
            Self.settle(script)
            script.advance(by: .seconds(100))
            #expect(script.operations(0) == [.readClock])
        }
    }

    @Test func acquiresReadItOnceASecondAndBeforeTheyAsk() {
        Self.play { script in
            Self.settle(script)
            for _ in 1...5 {
                script.release(Self.hold(script))
                Self.settle(script)
                script.advance(by: .milliseconds(10))
            }
            #expect(script.operations(0).count { $0 == .readClock } == 1)
            script.advance(by: .seconds(1))
            let lock = Self.hold(script)
            #expect(script.operations(0).suffix(2) == [.readClock, .acquire(milliseconds: 10_000)])
            script.release(lock)
            Self.settle(script)
        }
    }

    @Test func itIsReadOnceASecondWhileALeaseIsHeld() {
        Self.play { script in
            Self.settle(script)
            let lock = Self.hold(script)
            for _ in 1...5 {
                script.advance(by: .seconds(1))
                Self.settle(script)
            }
            #expect(script.operations(0).count { $0 == .readClock } == 6)
            script.release(lock)
            Self.settle(script)
            script.advance(by: .seconds(5))
            #expect(script.operations(0).count { $0 == .readClock } == 6)
        }
    }

    @Test func aSilentNodeIsNotAskedAgainAndAgain() {
        Self.play { script in
            Self.settle(script)
            let lock = Self.hold(script)
            script.advance(by: .milliseconds(2_500))
            #expect(script.unanswered(0) == [.readClock])
            Self.settle(script)
            script.release(lock)
            Self.settle(script)
        }
    }

    // MARK: What follows from it

    @Test func aJumpThatCostsTheQuorumIsALoss() {
        Self.play { script in
            Self.settle(script)
            let lock = script.acquire()
            script.reply([0, 1], .ok)
            script.reply(2, .null)
            _ = script.news()
            script.setClock(0, by: .seconds(5))
            script.advance(by: .seconds(1))
            Self.settle(script)
            guard case .lost(_, let loss)? = script.news().first else { return script.complain("not lost") }
            #expect(loss.reason == .clockJumped)
            guard case .failed(.quarantined(let quarantine, _)) = loss.votes[0] else { return script.complain("why?") }
            #expect(quarantine.until == script.now + .seconds(60))
            #expect(loss.votes[1...] == [.granted, .heldByAnother])
            script.release(lock)
            Self.settle(script)
        }
    }

    @Test func aJumpThatLeavesAQuorumIsNoLoss() {
        Self.play { script in
            Self.settle(script)
            let lock = Self.hold(script)
            script.setClock(0, by: .seconds(5))
            script.advance(by: .seconds(1))
            Self.settle(script)
            #expect(script.news() == [])
            script.setClock(1, by: .seconds(5))
            script.advance(by: .seconds(1))
            Self.settle(script)
            #expect(script.news().count == 1)
            script.release(lock)
            Self.settle(script)
        }
    }

    @Test func theNodesThatExtendedAreThoseThatCount() {
        Self.play { script in
            Self.settle(script)
            let lock = Self.hold(script)
            script.extend(lock)
            script.reply([0, 1], .integer(1))
            _ = script.news()
            // Late, and one node more.
            script.reply(2, .integer(1))
            script.setClock(0, by: .seconds(5))
            script.advance(by: .seconds(1))
            Self.settle(script)
            #expect(script.news() == [])
            script.release(lock)
            Self.settle(script)
        }
    }

    @Test func aNodeWhoseClockJumpedSinceTheLastLockHasNoVote() {
        Self.play { script in
            Self.settle(script)
            script.advance(by: .seconds(30))
            script.setClock(0, by: .seconds(5))
            script.setClock(1, by: .seconds(5))
            script.acquire()
            Self.settle(script)
            guard case .refused(_, let refusal)? = script.news().first else { return script.complain("granted") }
            #expect(refusal.reason == .unavailable)
            Self.settle(script)
            #expect(script.keys(0).isEmpty && script.keys(1).isEmpty, "what was set all the same is released")
        }
    }

    @Test func aSmallStepCostsASmallWhile() throws {
        try Self.play { script in
            Self.settle(script)
            let long = Self.hold(script, ttl: .seconds(20))
            script.setClock(0, by: .milliseconds(52))
            script.advance(by: .seconds(1))
            Self.settle(script)
            // 52 ms, less the 10 ms that a clock may gain in the second, less the grain of 2 ms, at 1 %: 4 s. And the
            // drift of the longest ttl, 602 ms.
            let quarantine = try #require(script.engine.quarantine(of: 0, at: script.now))
            #expect(quarantine.until - script.now > .milliseconds(4_500))
            #expect(quarantine.until - script.now < .milliseconds(4_602))
            script.setClock(1, by: .milliseconds(52))
            script.advance(by: .seconds(1))
            Self.settle(script)
            #expect(script.news() == [], "a key of 20 s allows for 202 ms")
            script.release(long)
            Self.settle(script)
        }
    }

    @Test func aShorterExtensionDoesNotChangeOnWhomALeaseRests() {
        Self.play { script in
            Self.settle(script)
            let lock = Self.hold(script, ttl: .seconds(10))
            script.extend(lock, ttl: .seconds(60))
            script.serve(0)
            script.serve(1)
            script.disconnect(2)
            script.advance(by: .milliseconds(100))
            script.connected(2)
            script.extend(lock, ttl: .seconds(10))
            script.disconnect(0)
            script.serve(1)
            script.serve(2)
            _ = script.news()
            script.advance(by: .seconds(1))
            script.connected(0)
            script.setClock(0, by: .seconds(70))
            Self.settle(script)
            // The key of node 2 ends with the 10 s: for longer the lease rests on nodes 0 and 1.
            script.advance(by: .seconds(1))
            Self.settle(script)
            guard case .lost(lock, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.reason == .clockJumped)
            script.release(lock)
            Self.settle(script)
        }
    }

    @Test func aClockThatIsSetBackHasLostNothing() {
        Self.play { script in
            Self.settle(script)
            let lock = Self.hold(script)
            for node in 0..<3 { script.setClock(node, by: .seconds(-5)) }
            script.advance(by: .seconds(1))
            Self.settle(script)
            #expect(script.news() == [])
            #expect(script.engine.quarantine(of: 0, at: script.now) == nil)
            script.release(lock)
            Self.settle(script)
        }
    }

    @Test func aClockThatMayNotBeReadIsToldOnce() {
        Self.play { script in
            for _ in 1...3 {
                script.reply(0, .error("NOPERM this user has no permissions to run the 'time' command"))
                script.disconnect(0)
                script.advance(by: .seconds(2))
                script.connected(0)
            }
            script.serve(1)
            script.serve(2)
            script.serve(0)
            let told = script.reports.count { if case .unverified(node: 0, _) = $0 { true } else { false } }
            #expect(told == 1)
        }
    }

    @Test(arguments: [
        Reply.null, .ok, .integer(5), .list([]), .list([.text("1"), .text("2"), .text("3")]),
        .list([.text("-1"), .text("0")]), .list([.text("99999999999999999999"), .text("0")]),
        .list([.text("4102444800"), .text("0")]), .list([.text("1"), .text("1000000")]),
        .list([.text(""), .text("x")]),
    ])
    func nonsenseIsNoTime(reply: Reply) {
        #expect(reply.wallClock == nil)
        Self.play(nodes: 1) { script in
            script.reply(0, reply)
            let told = script.reports.contains { if case .unverified(node: 0, _) = $0 { true } else { false } }
            #expect(told)
        }
    }

    // MARK: The arithmetic

    private static let policy = {
        var parameters = Parameters(nodes: 1)
        parameters.guardsClocks = true
        return Policy(rules: StandardRules(), parameters: parameters)
    }()

    /// Samples every second for a minute a clock that gains so much, with answers that take random times; says when it
    /// was found out.
    private static func secondsUntilNoticed(
        gainPerMillion: Int64, seconds: Int64 = 60, slowest: Int64 = 20_000_000, seed: UInt64
    ) -> Int64? {
        var guardian = ClockGuard()
        var random = SplitMix64(seed: seed)
        for second in 0..<seconds {
            let sent = second * 1_000_000_000
            let read = sent + Int64(random.next() % UInt64(slowest))
            let received = read + Int64(random.next() % UInt64(slowest))
            let wall = 1_700_000_000_000_000_000 + read + read / 1_000_000 * gainPerMillion
            let jump = guardian.note(
                wall: Nanoseconds(wall / 1_000 * 1_000), sentAt: Instant(nanoseconds: sent),
                receivedAt: Instant(nanoseconds: received), policy)
            if jump != nil { return second }
        }
        return nil
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func aClockWithinTheDriftIsNeverSuspected(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let gain = Int64(random.next() % 20_001) - 10_000
        #expect(Self.secondsUntilNoticed(gainPerMillion: gain, seed: seed) == nil)
        #expect(Self.secondsUntilNoticed(gainPerMillion: 10_000, seed: seed) == nil)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aRateALittleTooHighAddsUp(seed: UInt64) throws {
        // A millisecond a second beyond the drift: less than the grain each time, and noticed by and by.
        let noticed = try #require(
            Self.secondsUntilNoticed(gainPerMillion: 11_000, slowest: 1_000_000, seed: seed))
        #expect((2...8).contains(noticed))
    }

    /// One that runs as fast as is allowed never makes up for its jump.
    @Test(arguments: [0, 5_000, 10_000] as [Int64])
    func oneJumpIsNotHeldAgainstTheNodeForEver(gainPerMillion: Int64) {
        var guardian = ClockGuard()
        var until = Instant(nanoseconds: 0)
        for second in Int64(0)...300 {
            let now = Instant(nanoseconds: second * 1_000_000_000)
            let jumped = Nanoseconds.seconds(1_700_000_000 + second + (second >= 10 ? 3_600 : 0))
            let wall = jumped + .microseconds(second * gainPerMillion)
            if let jump = guardian.note(wall: wall, sentAt: now, receivedAt: now, Self.policy) {
                until = max(until, now + jump.lasting)
            }
        }
        #expect(until == Instant(nanoseconds: 70_000_000_000))
    }

    @Test func twoStepsThatAreHarmlessAloneAddUp() throws {
        var guardian = ClockGuard()
        func sample(_ second: Int64, _ gain: Nanoseconds) -> ClockGuard.Jump? {
            let now = Instant(nanoseconds: second * 1_000_000_000)
            return guardian.note(
                wall: .seconds(1_700_000_000 + second) + gain, sentAt: now, receivedAt: now, Self.policy)
        }
        #expect(sample(0, .zero) == nil)
        let first = try #require(sample(1, .milliseconds(62)))
        #expect((5_400...5_602).contains(first.lasting.count / 1_000_000))
        let second = try #require(sample(2, .milliseconds(112)))
        #expect((9_300...9_602).contains(second.lasting.count / 1_000_000))
    }

    @Test(arguments: [0, 1, 10_000, 500_000] as [Int64])
    func anyJumpAndAnyDriftGiveALengthWithinTheLongestTTL(partsPerMillion: Int64) {
        for gain in [Nanoseconds.milliseconds(3), .seconds(1), .seconds(86_400), Nanoseconds(Int64.max / 4)] {
            let length = StandardRules().clockQuarantine(
                gainedAtLeast: gain, atMost: gain, partsPerMillion: partsPerMillion, longestTTL: .seconds(86_400))
            #expect(length! > .zero && length! <= .seconds(86_400))
        }
        #expect(
            StandardRules().clockQuarantine(
                gainedAtLeast: .milliseconds(2), atMost: .seconds(1), partsPerMillion: partsPerMillion,
                longestTTL: .seconds(60)) == nil)
    }
}
