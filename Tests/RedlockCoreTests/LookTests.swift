import Testing

@testable import RedlockCore

/// Servers that are asked again, on the connection that they have, what they are.
struct LookTests {
    private typealias Base = QuarantineTests

    /// A look is answered by two replies: a text that names the answer, and OK.
    private static func play(
        nodes: Int = 1, _ answers: [String: Greeting], _ change: (inout Parameters) -> Void = { _ in },
        script: (Script) throws -> Void
    ) rethrows {
        try Base.play(
            nodes: nodes,
            {
                $0.looks = Parameters.Looks(replies: 2) { replies in
                    guard replies.count == 2, case .text(let name) = replies[0] else { return nil }
                    return answers[name]
                }
                change(&$0)
            }, script: script)
    }

    private static func durable(_ runID: String, up uptime: Nanoseconds = .seconds(5_000)) -> Greeting {
        Base.facts(runID, up: uptime, .everyWrite)
    }

    private static func answer(_ name: String, _ script: Script) {
        script.reply(0, .text(name))
        script.reply(0, .ok)
    }

    private static func looks(_ script: Script) -> Int { script.operations(0).count { $0 == .look } }

    /// Acquires and releases, and answers a look that goes ahead.
    private static func use(_ script: Script, look name: String) {
        let before = looks(script)
        let lock = script.acquire(ttl: .seconds(10))
        if looks(script) > before { answer(name, script) }
        script.reply(0, .ok)
        script.release(lock)
        script.serve(0)
        _ = script.news()
    }

    /// Lets time pass in which the client looks once a second.
    private static func watch(_ script: Script, for time: Nanoseconds, look name: String) {
        let end = script.now + time
        while script.now < end {
            script.advance(by: min(.seconds(1), end - script.now))
            use(script, look: name)
        }
    }

    /// The process dies and is started again after this time; until then its machine refuses connections.
    private static func restart(
        _ script: Script, after time: Nanoseconds, refusing: Bool = true, as greeting: Greeting
    ) {
        let end = script.now + time
        script.disconnect(0, kind: .unreachable)
        while script.now < end {
            while script.connection(0) == nil { script.advance(to: script.nextDeadline) }
            guard script.now < end else { break }
            script.disconnect(0, kind: refusing ? .refused : .unreachable)
        }
        while script.connection(0) == nil { script.advance(to: script.nextDeadline) }
        script.connected(0, greeting)
    }

    // MARK: When

    @Test func aLookGoesAheadOfACommandAtMostOnceASecond() {
        Self.play(["a": Self.durable("a")]) { script in
            script.connected(0, Self.durable("a"))
            Self.use(script, look: "a")
            #expect(Self.looks(script) == 0, "the greeting was a look")
            script.advance(by: .seconds(1))
            for _ in 1...5 { Self.use(script, look: "a") }
            #expect(Self.looks(script) == 1)
            script.advance(by: .seconds(30))
            #expect(Self.looks(script) == 1, "without locks there is no traffic")
        }
    }

    @Test func aServerIsAskedOnceASecondWhileALeaseIsHeld() {
        Self.play(["a": Self.durable("a")]) { script in
            script.connected(0, Self.durable("a"))
            let lock = script.acquire(ttl: .seconds(30))
            script.reply(0, .ok)
            for second in 1...5 {
                script.advance(by: .seconds(1))
                #expect(Self.looks(script) == second)
                Self.answer("a", script)
            }
            script.release(lock)
            script.serve(0)
        }
    }

    @Test func aServerThatMayNotBeAskedIsNotAskedAgain() {
        Self.play(["no": .unknown("INFO: NOPERM")]) { script in
            script.connected(0, .unknown("INFO: NOPERM"))
            script.advance(by: Base.length)
            Self.use(script, look: "none")
            #expect(Self.looks(script) == 0)
            Base.reconnect(script, Base.facts("a", up: .seconds(5_000)))
            script.advance(by: Base.length)
            for _ in 1...3 { Self.watch(script, for: .seconds(1), look: "no") }
            #expect(Self.looks(script) == 1, "the right was taken away")
            let told = script.reports.count { if case .unverified = $0 { true } else { false } }
            #expect(told == 1)
        }
    }

    @Test func withoutQuarantineNobodyIsAskedAgain() {
        Self.play(["a": Self.durable("a")], { $0.quarantine = .zero }) { script in
            script.connected(0, Self.durable("a"))
            script.advance(by: .seconds(5))
            Self.use(script, look: "a")
            #expect(Self.looks(script) == 0)
        }
    }

    // MARK: Durability

    @Test(arguments: [Nanoseconds.milliseconds(500), .seconds(20)])
    func aNodeThatWasSeenToKeepEveryWriteForTheLongestTTLVotesAtOnceWhenItIsBack(away: Nanoseconds) {
        Self.play(["a": Self.durable("a")]) { script in
            script.connected(0, Self.durable("a"))
            Self.watch(script, for: Base.length, look: "a")
            Self.restart(script, after: away, as: Self.durable("b", up: .zero))
            #expect(Base.refusal(script) == nil)
        }
    }

    @Test func whatWasGrantedBeforeTheFirstLookIsWaitedFor() {
        Self.play(["a": Self.durable("a")]) { script in
            script.connected(0, Self.durable("a"))
            let since = script.now
            Self.watch(script, for: .seconds(20), look: "a")
            Self.restart(script, after: .milliseconds(500), as: Self.durable("b", up: .zero))
            #expect(Base.refusal(script)?.until == since + Base.length)
            script.advance(by: since + Base.length - script.now)
            #expect(Base.refusal(script) == nil)
        }
    }

    @Test func aRestartAfterATimeWithoutLooksIsNotBelieved() {
        Self.play(["a": Self.durable("a")]) { script in
            script.connected(0, Self.durable("a"))
            Self.watch(script, for: Base.length, look: "a")
            script.advance(by: .milliseconds(3_001))
            Self.restart(script, after: .milliseconds(500), as: Self.durable("b", up: .zero))
            #expect(Base.refusal(script)?.until == script.now + Base.length)
        }
    }

    @Test func aNodeThatWasOutOfSightWhileItWasAwayIsNotBelieved() {
        Self.play(["a": Self.durable("a")]) { script in
            script.connected(0, Self.durable("a"))
            Self.watch(script, for: Base.length, look: "a")
            // Dials time out: another run may have served others meanwhile.
            Self.restart(script, after: .seconds(5), refusing: false, as: Self.durable("b", up: .zero))
            #expect(Base.refusal(script) != nil)
        }
    }

    @Test(
        "a change is acted on with the look that shows it",
        arguments: [Base.facts("a", up: .seconds(5_000), .no), .unknown("INFO: NOPERM")])
    func changed(change: Greeting) {
        Self.play(["a": Self.durable("a"), "changed": change]) { script in
            script.connected(0, Self.durable("a"))
            Self.watch(script, for: Base.length, look: "a")
            Self.watch(script, for: .seconds(1), look: "changed")
            #expect(Base.refusal(script) == nil, "nothing is lost so far")
            Self.restart(script, after: .milliseconds(500), as: Self.durable("b", up: .zero))
            #expect(Base.refusal(script)?.until == script.now + Base.length)
        }
    }

    @Test func aSettingThatIsSwitchedOnCountsFromThen() {
        Self.play(["a": Self.durable("a")]) { script in
            script.connected(0, Base.facts("a", up: .seconds(5_000), .no))
            script.advance(by: .seconds(30))
            Self.use(script, look: "a")
            let since = script.now
            Self.watch(script, for: .seconds(10), look: "a")
            Self.restart(script, after: .milliseconds(500), as: Self.durable("b", up: .zero))
            #expect(Base.refusal(script)?.until == since + Base.length)
        }
    }

    @Test func aServerThatCannotTellNowChangesNothing() {
        Self.play(["a": Self.durable("a")]) { script in
            script.connected(0, Self.durable("a"))
            Self.watch(script, for: Base.length, look: "a")
            Self.watch(script, for: .seconds(1), look: "LOADING")
            Self.watch(script, for: .seconds(1), look: "a")
            Self.restart(script, after: .milliseconds(500), as: Self.durable("b", up: .zero))
            #expect(Base.refusal(script) == nil)
        }
    }

    @Test func aMalformedAnswerIsBarredFromThenOn() throws {
        try Self.play(["nonsense": .malformed("INFO lacks role")]) { script in
            script.connected(0, Self.durable("a"))
            Self.watch(script, for: .seconds(1), look: "nonsense")
            let quarantine = try #require(Base.refusal(script))
            #expect(quarantine.reason == .malformed("INFO lacks role"))
            #expect(quarantine.until == script.now + Base.length)
        }
    }

    // MARK: Roles

    @Test func aNodeThatBecomesAReplicaIsLeftAndBarredFromItsPromotionOn() throws {
        let replica = Base.facts("a", up: .seconds(5_000), .everyWrite, isReplica: true)
        try Self.play(["replica": replica]) { script in
            script.connected(0, Self.durable("a"))
            script.advance(by: .seconds(1))
            let lock = script.acquire()
            Self.answer("replica", script)
            guard case .refused(lock, let refusal)? = script.news().first else { return script.complain("not refused") }
            #expect(refusal.votes == [.failed(.connectionLost("it is a replica; writes go to its primary"))])
            while script.connection(0) == nil { script.advance(to: script.nextDeadline) }
            script.connected(0, Self.durable("a"))
            let quarantine = try #require(Base.refusal(script))
            #expect(quarantine.reason == .replaced)
            #expect(quarantine.until == script.now + Base.length)
        }
    }

    @Test(
        "a write that is refused as by a replica shows a replica, whatever the greeting said",
        arguments: [Base.facts("a", up: .seconds(5_000), .everyWrite), .unknown("INFO: NOPERM")])
    func readOnly(greeting: Greeting) {
        Self.play([:]) { script in
            script.connected(0, greeting)
            script.advance(by: Base.length)
            let lock = script.acquire()
            if Self.looks(script) > 0 { Self.answer("none", script) }
            script.reply(0, .error("READONLY You can't write against a read only replica."))
            guard case .refused(lock, let refusal)? = script.news().first, case .failed(.errorReply) = refusal.votes[0]
            else { return script.complain("no vote that failed") }
            while script.connection(0) == nil { script.advance(to: script.nextDeadline) }
            script.connected(0, Self.durable("a"))
            #expect(Base.refusal(script)?.reason == .replaced)
        }
    }

    @Test func aPromotionBetweenTwoLooksIsSeenByTheNamesOfTheData() throws {
        func named(_ present: String, _ earlier: String?) -> Greeting {
            Base.facts(
                "a", up: .seconds(5_000), .everyWrite,
                lineage: NodeFacts.Lineage(present: present, beforePromotion: earlier))
        }
        try Self.play(["backlog": named("y", nil), "promoted": named("z", "x")]) { script in
            script.connected(0, named("x", nil))
            Self.watch(script, for: .seconds(1), look: "backlog")
            #expect(Base.refusal(script) == nil, "a primary that drops its backlog takes a new name, too")
            script.advance(by: .seconds(1))
            script.acquire()
            Self.answer("promoted", script)
            script.reply(0, .ok)
            #expect(script.news().count == 1, "the vote does not count")
            let quarantine = try #require(Base.refusal(script))
            #expect(quarantine.reason == .replaced)
            #expect(quarantine.until == script.now + Base.length)
        }
    }

    @Test func aServerThatWasEverPromotedIsNotBelievedItsAge() {
        Self.play([:]) { script in
            let promoted = NodeFacts.Lineage(present: "z", beforePromotion: "x")
            script.connected(0, Base.facts("a", up: .seconds(5_000), .everyWrite, lineage: promoted))
            #expect(Base.refusal(script)?.until == script.now + Base.length)
            script.advance(by: Base.length)
            Base.reconnect(script, Base.facts("a", up: .seconds(5_070), .everyWrite, lineage: promoted))
            #expect(Base.refusal(script) == nil, "it is known by now")
        }
    }

    @Test func anotherServerOnTheSameConnectionIsLeft() {
        Self.play(["b": Self.durable("b")]) { script in
            script.connected(0, Self.durable("a"))
            script.advance(by: .seconds(1))
            script.acquire()
            Self.answer("b", script)
            #expect(script.connection(0) == nil)
            while script.connection(0) == nil { script.advance(to: script.nextDeadline) }
            script.connected(0, Self.durable("a"))
            #expect(Base.refusal(script)?.reason == .replaced)
        }
    }
}
