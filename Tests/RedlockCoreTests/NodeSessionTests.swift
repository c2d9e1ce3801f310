import Testing

@testable import RedlockCore

/// The life of a connection, as the engine leads it.
@Suite struct ConnectionTests {
    private func retryDelay(_ script: Script) -> Nanoseconds? {
        guard case .backingOff(let again, _) = script.engine.sessions[0].phase else { return nil }
        return again - script.now
    }

    @Test func everyNodeIsDialledAtTheStartAndOnce() {
        play(nodes: 3, connected: false) { script in
            for node in 0..<3 { #expect(script.dials(node) == 1) }
            script.start()
            for node in 0..<3 { #expect(script.dials(node) == 1) }
        }
    }

    @Test func aConnectionThatIsNotMadeInTimeIsGivenUpAndTriedAgain() {
        play(nodes: 1, connected: false) {
            $0.connectTimeout = .milliseconds(700)
        } script: { script in
            let first = script.connection(0)
            script.advance(by: .milliseconds(700) - Nanoseconds(1))
            #expect(script.connection(0) == first)
            script.advance(by: Nanoseconds(1))
            #expect(script.connection(0) == nil)
            script.advance(by: .milliseconds(10))
            #expect(script.dials(0) == 2)
            #expect(script.connection(0) != first)
        }
    }

    @Test func thePauseBeforeDiallingDoublesFromTenMillisecondsToOneSecond() throws {
        // Random in the upper half of 10, 20, 40 … ms, so that clients do not dial in step.
        let longest: [Int64] = [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000]
        var seen = Set<Nanoseconds>()
        for seed in 1...20 as ClosedRange<UInt64> {
            try play(nodes: 1, seed: seed, connected: false) { script in
                for milliseconds in longest {
                    script.disconnect(0, "connection refused")
                    let pause = try #require(retryDelay(script))
                    #expect(pause >= .microseconds(milliseconds * 500))
                    #expect(pause <= .milliseconds(milliseconds))
                    seen.insert(pause)
                    script.advance(by: pause - Nanoseconds(1))
                    #expect(script.connection(0) == nil)
                    script.advance(by: Nanoseconds(1))
                    #expect(script.connection(0) != nil)
                }
            }
        }
        #expect(seen.count > 200, "the pauses are random")
    }

    @Test("an error in answer to the greeting is told when the connect timeout comes, and not with the next connection")
    func complaint() throws {
        try play(nodes: 1, connected: false) {
            $0.connectTimeout = .milliseconds(700)
        } script: { script in
            let first = try #require(script.connection(0))
            script.handle(.complained(node: 0, first, "PING: ERR no"))
            script.handle(.complained(node: 0, first, "INFO: ERR no"))
            while script.dials(0) < 2 { script.advance(to: script.nextDeadline) }
            script.handle(.complained(node: 0, first, "late"))
            while script.dials(0) < 3 { script.advance(to: script.nextDeadline) }
            let reasons = script.reports.compactMap {
                if case .disconnected(_, let reason, _) = $0 { reason } else { nil }
            }
            let late = "not connected within the connect timeout"
            #expect(reasons == ["PING: ERR no; \(late)", late])
        }
    }

    @Test("only a connection that lasted as long as the longest pause starts the pauses from the beginning again")
    func provenConnection() throws {
        try play(nodes: 1, connected: false) { script in
            for _ in 1...10 {
                script.disconnect(0)
                script.advance(by: .seconds(1))
            }
            // An answer is no proof: it may answer each time, and then close.
            script.connected(0)
            script.acquire()
            script.reply(0, .null)
            script.advance(by: Limits.lastReconnectDelay - Nanoseconds(1))
            script.disconnect(0)
            let long = try #require(retryDelay(script))
            #expect(long >= .milliseconds(500))
            script.advance(by: .seconds(1))
            script.connected(0)
            script.advance(by: Limits.lastReconnectDelay)
            script.disconnect(0)
            let short = try #require(retryDelay(script))
            #expect(short <= .milliseconds(10))
        }
    }

    @Test("a node that answers and then closes is dialled as rarely as one that refuses")
    func answersAndCloses() {
        play(nodes: 1, connected: false) { script in
            let end = script.now + .seconds(10)
            while script.now < end {
                script.connected(0)
                script.acquire()
                script.reply(0, .null)
                script.disconnect(0)
                while script.connection(0) == nil { script.advance(to: script.nextDeadline) }
            }
            // The shortest pauses: 5, 10, 20, 40, 80, 160 and 320 ms, and then 500 ms each.
            #expect(script.dials(0) <= 7 + (10_000 - 635) / 500 + 2)
        }
    }

    @Test("a subscription connection that is confirmed and then closes is dialled ever more rarely")
    func listenerThatCloses() {
        play(nodes: 1) { script in
            script.acquire(wait: .seconds(60))
            script.refuse(0, for: 60_000)
            let start = script.now
            var ends: [Nanoseconds] = []
            for _ in 1...8 {
                while !script.isBeingListenedTo(0) { script.advance(to: script.nextDeadline) }
                ends.append(script.now - start)
                script.listening(0)
                script.deafen(0)
                if !script.unanswered(0).isEmpty { script.refuse(0, for: 60_000) }
            }
            // Seven pauses, each at least half of 10, 20, 40 … ms.
            #expect(ends.last! - ends.first! >= .milliseconds(635))
        }
    }

    @Test("a subscription connection that lasted as long as the longest pause is dialled again at once")
    func provenListener() {
        var listener = Listener()
        var generator: any RandomNumberGenerator = SplitMix64(seed: 1)
        let policy = Policy(rules: StandardRules(), parameters: Parameters(nodes: 1))
        var now = Instant(nanoseconds: 1_000_000_000)
        func pause(after length: Nanoseconds) -> Nanoseconds {
            listener.connect(ConnectionID(number: 1), at: now, policy)
            _ = listener.connected(ConnectionID(number: 1), at: now)
            now = now + length
            listener.disconnected(at: now, using: &generator)
            return listener.deadline - now
        }
        for _ in 1...10 { _ = pause(after: .zero) }
        #expect(pause(after: Limits.lastReconnectDelay - Nanoseconds(1)) >= .milliseconds(500))
        #expect(pause(after: Limits.lastReconnectDelay) <= .milliseconds(10))
    }

    @Test func eventsOfAnEarlierConnectionAreIgnored() throws {
        try play(nodes: 1) { script in
            let old = try #require(script.connection(0))
            script.disconnect(0)
            script.advance(by: .milliseconds(10))
            script.handle(.connected(node: 0, old, .unknown("nobody asks")))
            let lock = script.acquire()
            #expect(script.sent(0) == [], "it is not connected yet")
            script.connected(0)
            script.handle(.replies(node: 0, old, [.ok]))
            script.handle(.disconnected(node: 0, old, reason: "late"))
            script.handle(.connected(node: 0, old, .unknown("nobody asks")))
            #expect(script.news() == [])
            #expect(script.isUp(0))
            script.reply(0, .ok)
            guard case .granted(lock, _) = script.news().last else {
                Issue.record("not granted")
                return
            }
        }
    }

    @Test func anAnswerBeforeTheConnectionIsGreetedIsIgnored() throws {
        try play(nodes: 1, connected: false) { script in
            script.acquire()
            script.handle(.replies(node: 0, try #require(script.connection(0)), [.ok]))
            #expect(script.news() == [])
        }
    }

    @Test func aNodeThatAnswersWhatWasNotAskedIsDisconnected() throws {
        try play(nodes: 1) { script in
            script.handle(.replies(node: 0, try #require(script.connection(0)), [.ok]))
            #expect(script.connection(0) == nil)
            guard case .disconnected(0, let reason, _) = script.reports.last else {
                Issue.record("no report")
                return
            }
            #expect(reason == "it answered what was not asked")
        }
    }

    @Test func answersThatComeTogetherAreForTheOldestCommandsInOrder() throws {
        try play(nodes: 1) { script in
            let locks = [script.acquire("one"), script.acquire("two"), script.acquire("three")]
            script.reply(0, together: [.ok, .null])
            let news = script.news()
            try #require(news.count == 2)
            guard case .granted(locks[0], _) = news[0], case .refused(locks[1], _) = news[1] else {
                Issue.record("\(news)")
                return
            }
            script.reply(0, .ok)
            guard case .granted(locks[2], _) = script.news().first else {
                Issue.record("not granted")
                return
            }
        }
    }

    @Test func ofAnswersThatComeTogetherThoseCountThatCameBeforeOneTooMany() throws {
        try play(nodes: 1) { script in
            let lock = script.acquire()
            script.handle(.replies(node: 0, try #require(script.connection(0)), [.ok, .ok, .ok]))
            guard case .granted(lock, _) = script.news().first else {
                Issue.record("not granted")
                return
            }
            #expect(script.connection(0) == nil)
        }
    }

    @Test func aRefusalNamesAllNodesThatCouldNotBeAsked() {
        play(nodes: 5) { script in
            for node in 0..<5 { script.disconnect(node, "reset") }
            script.acquire()
            let refusal = Refusal(
                reason: .unavailable, attempts: 1, votes: .counts((.failed(.unreachable("reset")), 5)))
            guard case .refused(_, refusal)? = script.news().last else { return script.complain("another refusal") }
        }
    }

    @Test func aFailedExtensionNamesAllNodesThatCouldNotBeAsked() {
        play(nodes: 3) { script in
            let lock = script.hold()
            for node in 0..<3 { script.disconnect(node, "reset") }
            let caller = script.extend(lock)
            let refusal = ExtensionRefusal(
                reason: .notExtended, votes: .counts((.failed(.unreachable("reset")), 3)))
            #expect(script.news() == [.notExtended(lock, refusal, [caller])])
        }
    }

    @Test func whatWasUnansweredFailsWithTheConnection() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            script.disconnect(0, "reset")
            script.disconnect(1, "reset")
            let refusal = Refusal(
                reason: .unavailable, attempts: 1, votes: .counts((.failed(.connectionLost("reset")), 2), (.pending, 1))
            )
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }
}

// MARK: - What is told of an outage

@Suite struct OutageTests {
    /// What was told of node 0: the reasons of its outages, and "connected".
    private func told(_ script: Script) -> [String] {
        script.reports.compactMap { report in
            switch report {
            case .connected(node: 0): "connected"
            case .disconnected(node: 0, let reason, _): reason
            default: nil
            }
        }
    }

    private func fail(_ script: Script, _ reason: String, kind: Outage = .unreachable) {
        script.disconnect(0, reason, kind: kind)
        script.advance(by: .seconds(1))
    }

    @Test func aNodeThatStaysAwayIsToldOfOnce() {
        play(nodes: 1) { script in
            fail(script, "closed")
            let dials = script.dials(0)
            for _ in 1...10 {
                fail(script, "refused")
                fail(script, "no route")
            }
            #expect(script.dials(0) == dials + 20, "it is dialled all the time")
            #expect(told(script) == ["connected", "closed"])
            script.connected(0)
            #expect(told(script) == ["connected", "closed", "connected"])
        }
    }

    @Test func aNodeThatIsAwayFromTheStartIsToldOfOnce() {
        play(nodes: 1, connected: false) { script in
            for _ in 1...10 { fail(script, "refused") }
            #expect(told(script) == ["refused"])
            // The time-outs of the engine itself are no news either.
            script.advance(by: .seconds(10))
            #expect(told(script) == ["refused"])
        }
    }

    @Test func itIsToldAgainWhenItBecomesAnotherKind() {
        play(nodes: 1, connected: false) { script in
            for _ in 1...3 { fail(script, "refused") }
            for _ in 1...3 { fail(script, "loading", kind: .notReady) }
            for _ in 1...3 { fail(script, "wrong password", kind: .turnedAway) }
            for _ in 1...3 { fail(script, "refused") }
            #expect(told(script) == ["refused", "loading", "wrong password", "refused"])
        }
    }

    @Test func theNextOutageIsToldThoughItIsOfTheSameKind() {
        play(nodes: 1) { script in
            for _ in 1...3 {
                fail(script, "closed")
                script.connected(0)
            }
            #expect(told(script) == ["connected", "closed", "connected", "closed", "connected", "closed", "connected"])
        }
    }

    @Test func aVoteNamesTheLastReasonThoughTheEventNamesTheFirst() {
        play(nodes: 1, connected: false) { script in
            script.disconnect(0, "refused")
            script.advance(by: .seconds(1))
            script.disconnect(0, "no route")
            let lock = script.acquire()
            let refusal = Refusal(reason: .unavailable, attempts: 1, votes: [.failed(.unreachable("no route"))])
            #expect(script.news() == [.refused(lock, refusal)])
            #expect(told(script) == ["refused"])
        }
    }
}

// MARK: - Before it is connected

@Suite struct QueuedCommandTests {
    @Test func commandsWaitForAConnectionThatIsBeingMade() {
        play(nodes: 1, connected: false) { script in
            let start = script.now
            let lock = script.acquire()
            #expect(script.sent(0) == [])
            script.advance(by: .milliseconds(50))
            script.connected(0)
            #expect(script.operations(0) == [.acquire(milliseconds: 10_000)])
            // Sent only now; the node timeout and the validity count from the start all the same.
            script.advance(by: .milliseconds(49))
            #expect(script.news() == [])
            script.reply(0, .ok)
            let grant = Grant(validUntil: start + .milliseconds(9_898), attempts: 1, votes: [.granted])
            #expect(script.news() == [.granted(lock, grant)])
        }
    }

    @Test func aCommandThatWaitsInVainForAConnectionTimesOut() {
        play(nodes: 1, connected: false) { script in
            let lock = script.acquire()
            script.advance(by: .milliseconds(100) - Nanoseconds(1))
            #expect(script.news() == [])
            script.advance(by: Nanoseconds(1))
            #expect(script.news() == [.refused(lock, Refusal(reason: .unavailable, attempts: 1, votes: [.timedOut]))])
            script.connected(0)
            #expect(script.operations(0) == [.release], "the SET was never sent; its release does no harm")
        }
    }

    @Test func aCommandThatWaitsFailsWithTheConnectionThatWasNotMade() {
        play(nodes: 1, connected: false) { script in
            let lock = script.acquire()
            script.disconnect(0, "connection refused")
            let refusal = Refusal(
                reason: .unavailable, attempts: 1, votes: [.failed(.unreachable("connection refused"))])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func anAttemptThatWasDecidedMeanwhileIsNotSentAnyMore() {
        play(nodes: 3, connected: false) { script in
            script.connected(0)
            script.connected(1)
            script.acquire()
            script.reply(0...1, .null)
            script.connected(2)
            #expect(script.operations(2) == [.release])
        }
    }

    @Test func aLeaseThatWasWonMeanwhileStillWantsTheNode() {
        play(nodes: 3, connected: false) { script in
            script.connected(0)
            script.connected(1)
            let lock = script.acquire()
            script.reply(0...1, .ok)
            script.connected(2)
            #expect(script.operations(2) == [.acquire(milliseconds: 10_000)])
            script.reply(2, .ok)
            script.release(lock)
            #expect(script.operations(2) == [.acquire(milliseconds: 10_000), .release])
        }
    }

    @Test func aLeaseThatWasReleasedMeanwhileDoesNotWantIt() {
        play(nodes: 3, connected: false) { script in
            script.connected(0)
            script.connected(1)
            let lock = script.acquire()
            script.reply(0...1, .ok)
            script.release(lock)
            script.connected(2)
            #expect(script.operations(2) == [.release])
            script.serve(2)
            #expect(!script.hasKey(2))
        }
    }

    @Test func anExtensionThatFailedMeanwhileIsNotSentAnyMore() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.disconnect(2)
            script.advance(by: .milliseconds(10))
            script.extend(lock)
            script.reply(0...1, .error("READONLY"))
            script.connected(2)
            #expect(script.operations(2) == [.acquire(milliseconds: 10_000)])
            script.disconnect(2)
            script.advance(by: .milliseconds(20))
            script.extend(lock)
            script.connected(2)
            #expect(script.operations(2).last == .extend(milliseconds: 10_000), "this one is undecided")
        }
    }

    @Test func anExtensionThatWasWonMeanwhileIsStillWantedUntilTheNext() {
        play(nodes: 3) {
            $0.nodeTimeout = .seconds(1)
        } script: { script in
            let lock = script.hold()
            script.disconnect(2)
            script.advance(by: .milliseconds(10))
            for ttl in [10, 20] {
                script.extend(lock, ttl: .seconds(Int64(ttl)))
                script.reply(0...1, .integer(1))
            }
            script.connected(2)
            #expect(script.operations(2) == [.acquire(milliseconds: 10_000), .extend(milliseconds: 20_000)])
        }
    }
}

// MARK: - Slow and silent

@Suite struct StalledNodeTests {
    @Test func aNodeThatLeftACommandUnansweredIsNotAskedUntilItAnswers() {
        play(nodes: 3) { script in
            let first = script.acquire("first")
            script.reply(0...1, .ok)
            script.advance(by: .milliseconds(100))
            let second = script.acquire("second")
            script.reply(0...1, .ok)
            #expect(script.sent(2).count == 1)
            let votes: [Vote] = [.granted, .granted, .failed(.stalled)]
            guard case .granted(second, let grant) = script.news().last else {
                Issue.record("not granted")
                return
            }
            #expect(grant.votes == votes)

            script.reply(2, .ok)
            script.acquire("third")
            #expect(script.sent(2).count == 2, "it answered, late, and so it is asked again")
            _ = first
        }
    }

    @Test func stallingAndAnsweringAgainAreReportedOnce() {
        play(nodes: 1) { script in
            script.acquire("first", wait: .seconds(1), attempts: 1)
            script.acquire("second", attempts: 1)
            script.advance(by: .milliseconds(100))
            script.reply(0, .null)
            script.reply(0, .null)
            script.serve(0)
            let kinds = script.reports.compactMap { report in
                switch report {
                case .stalled: "stalled"
                case .answersAgain: "answers again"
                default: nil
                }
            }
            #expect(kinds == ["stalled", "answers again"])
        }
    }

    @Test func aStalledNodeStillGetsReleases() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            script.reply(0...1, .ok)
            script.advance(by: .milliseconds(100))
            script.release(lock)
            #expect(script.operations(2) == [.acquire(milliseconds: 10_000), .release])
            script.serve(2)
            #expect(!script.hasKey(2))
        }
    }

    @Test func aTimeOutDoesNotCloseTheConnection() {
        play(nodes: 1) { script in
            let connection = script.connection(0)
            script.acquire()
            script.advance(by: .milliseconds(150))
            #expect(script.connection(0) == connection)
        }
    }

    @Test func aConnectionThatStaysSilentIsGivenUp() {
        play(nodes: 1) {
            $0.silenceTimeout = .seconds(2)
        } script: { script in
            script.acquire()
            script.advance(by: .seconds(2) - Nanoseconds(1))
            #expect(script.isUp(0))
            script.advance(by: Nanoseconds(1))
            #expect(!script.isUp(0))
            guard case .disconnected(0, let reason, _) = script.reports.last else {
                Issue.record("no report")
                return
            }
            #expect(reason == "silent for longer than the silence timeout")
        }
    }

    @Test func anAnswerBreaksTheSilence() {
        play(nodes: 1) {
            $0.silenceTimeout = .seconds(2)
        } script: { script in
            script.acquire("first")
            script.acquire("second")
            script.advance(by: .milliseconds(1_900))
            script.reply(0, .null)
            script.advance(by: .milliseconds(1_900))
            #expect(script.isUp(0))
            script.advance(by: .milliseconds(100))
            #expect(!script.isUp(0))
        }
    }

    @Test func aConnectionThatIsAskedNothingMayBeSilent() {
        play(nodes: 1) { script in
            let connection = script.connection(0)
            script.advance(by: .seconds(86_400))
            #expect(script.connection(0) == connection)
            #expect(script.isUp(0))
        }
    }
}

// MARK: - Owed releases

@Suite struct OwedReleaseTests {
    @Test func releasesThatCouldNotBeSentGoFirstOnTheNextConnection() {
        play(nodes: 3) { script in
            let lock = script.hold()
            let token = script.sent(0)[0].token
            script.disconnect(0)
            script.release(lock)
            script.advance(by: .milliseconds(10))
            script.acquire("another")
            script.connected(0)
            #expect(
                script.unanswered(0).map(\.operation) == [.release, .acquire(milliseconds: 10_000)])
            #expect(script.unanswered(0).first?.token == token)
            #expect(script.engine.sessions[0].owedCount == 0)
        }
    }

    @Test func releasesThatWereNotConfirmedAreOwedAgain() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            for _ in 1...3 {
                script.disconnect(0)
                #expect(script.engine.sessions[0].owedCount == 1)
                script.advance(by: .milliseconds(1_000))
                script.connected(0)
                #expect(script.unanswered(0).map(\.operation) == [.release])
            }
            script.reply(0, .integer(1))
            script.disconnect(0)
            #expect(script.engine.sessions[0].owedCount == 0)
        }
    }

    @Test func aReleaseThatTimedOutIsOwedAgainToo() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            script.advance(by: .milliseconds(100))
            #expect(script.news() == [.released(lock)])
            script.disconnect(0)
            script.advance(by: .milliseconds(10))
            script.connected(0)
            #expect(script.unanswered(0).map(\.operation) == [.release])
        }
    }

    @Test func acquiresThatDiedUnansweredAreReleasedOnTheNextConnection() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            let token = script.sent(0)[0].token
            for node in 0..<3 { script.disconnect(node) }
            guard case .refused(lock, _) = script.news().last else {
                Issue.record("not refused")
                return
            }
            script.advance(by: .milliseconds(10))
            for node in 0..<3 {
                script.connected(node)
                #expect(script.unanswered(node).map(\.operation) == [.release])
                #expect(script.unanswered(node).first?.token == token)
            }
        }
    }

    @Test func anOwedReleaseOutlastsTheTTL() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(10))
            script.disconnect(0)
            script.release(lock)
            script.advance(by: .milliseconds(10))
            // A node that hangs may apply its SET when it wakes, however late that is.
            script.pause(until: script.now + .seconds(3_600))
            script.connected(0)
            #expect(script.unanswered(0).map(\.operation) == [.release])
        }
    }

    @Test func whatIsOwedToOneNodeIsNotSentToAnother() {
        play(nodes: 2) { script in
            let lock = script.hold()
            script.disconnect(0)
            script.disconnect(1)
            script.release(lock)
            script.advance(by: .milliseconds(10))
            script.connected(0)
            #expect(script.engine.sessions[0].owedCount == 0)
            #expect(script.engine.sessions[1].owedCount == 1)
        }
    }
}

// MARK: - Scripts that a node does not know

@Suite struct UnknownScriptTests {
    private let unknown = Reply.error("NOSCRIPT No matching script. Please use EVAL.")

    @Test func theScriptIsSentWholeToANodeThatDoesNotKnowIt() throws {
        try play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            var command = try #require(script.sent(0).last)
            #expect(command.spelling == .digest)
            script.reply(0, unknown)
            command.spelling = .source
            #expect(script.unanswered(0) == [command])
            #expect(script.news() == [])
            script.reply(0, .integer(1))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func aNodeThatDoesNotKnowItsOwnSourceHasFailed() {
        play(nodes: 1) { script in
            let lock = script.hold()
            let caller = script.extend(lock)
            script.reply(0, unknown)
            script.reply(0, unknown)
            let refusal = ExtensionRefusal(
                reason: .notExtended, votes: [.error("NOSCRIPT No matching script. Please use EVAL.")])
            #expect(script.news() == [.notExtended(lock, refusal, [caller])])
            #expect(script.unanswered(0) == [])
        }
    }

    @Test func theSecondSendingHasANodeTimeoutOfItsOwn() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            script.advance(by: .milliseconds(90))
            script.reply(0, unknown)
            script.advance(by: .milliseconds(99))
            #expect(script.news() == [])
            script.advance(by: .milliseconds(1))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func aLateAnswerThatTheScriptIsUnknownIsStillServed() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            script.advance(by: .milliseconds(150))
            #expect(script.news() == [.released(lock)])
            script.reply(0, unknown)
            #expect(script.unanswered(0).map(\.spelling) == [.source])
            script.advance(by: .milliseconds(150))
            script.reply(0, .integer(1))
        }
    }

    @Test func anErrorThatNamesTheCodeElsewhereIsAnError() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            script.reply(0, .error("ERR NOSCRIPT"))
            #expect(script.unanswered(0) == [])
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func whatAnAcquireIsToldIsNeverAboutScripts() {
        // SET is no script. A proxy that says so anyway is answered once, and then believed.
        play(nodes: 1) { script in
            let lock = script.acquire()
            script.reply(0, unknown)
            script.reply(0, unknown)
            let votes: [Vote] = [.error("NOSCRIPT No matching script. Please use EVAL.")]
            #expect(script.news() == [.refused(lock, Refusal(reason: .unavailable, attempts: 1, votes: votes))])
        }
    }
}
