import Testing

@testable import RedlockCore

@Suite struct RetryTests {
    /// When the next attempt was announced for, by the last report of a refusal; nil when it was the last word.
    private func announced(_ script: Script) -> Instant? {
        for report in script.reports.reversed() {
            if case .refused(_, _, let again) = report { return again }
        }
        return nil
    }

    private func retry(_ script: Script) throws -> Instant {
        try #require(announced(script), "no further attempt was announced")
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func thePauseIsBetweenTheDelayAndTheDelayWithItsJitter(seed: UInt64) throws {
        try play(nodes: 1, seed: seed) {
            $0.retryDelay = .milliseconds(30)
            $0.retryJitter = .milliseconds(5)
        } script: { script in
            script.acquire(wait: .seconds(10))
            script.refuse(0)
            let pause = try retry(script) - script.now
            #expect(pause >= .milliseconds(30))
            #expect(pause <= .milliseconds(35))
            script.advance(by: pause - Nanoseconds(1))
            #expect(script.operations(0).count == 2)
            script.advance(by: Nanoseconds(1))
            #expect(script.operations(0).count == 3)
        }
    }

    @Test func thePausesDifferFromEachOther() throws {
        var pauses = Set<Nanoseconds>()
        for seed in 1...20 as ClosedRange<UInt64> {
            try play(nodes: 1, seed: seed) { script in
                script.acquire(wait: .seconds(10))
                script.refuse(0)
                pauses.insert(try retry(script) - script.now)
            }
        }
        #expect(pauses.count > 15)
    }

    @Test func withoutJitterThePauseIsTheDelay() {
        play(nodes: 1) {
            $0.retryJitter = .zero
        } script: { script in
            script.acquire(wait: .seconds(10))
            script.refuse(0)
            #expect(announced(script) == script.now + .milliseconds(100))
        }
    }

    @Test func anAttemptMayBeWonAfterOthersWereRefused() throws {
        try play(nodes: 3) { script in
            let lock = script.acquire(wait: .seconds(10))
            script.refuse(0...1)
            script.reply(2, .ok)
            for node in 0..<3 { script.reply(node, .integer(node == 2 ? 1 : 0)) }
            script.advance(to: try retry(script))
            let start = script.now
            script.advance(by: .milliseconds(1))
            script.reply(0...1, .ok)
            let grant = Grant(
                validUntil: start + .milliseconds(9_898), attempts: 2, votes: [.granted, .granted, .pending])
            #expect(script.news() == [.granted(lock, grant)])
        }
    }

    @Test func everyAttemptHasATokenOfItsOwn() throws {
        try play(nodes: 1) { script in
            script.acquire(wait: .seconds(60))
            for _ in 1...5 {
                script.refuse(0)
                script.reply(0, .integer(0))
                script.advance(to: try retry(script))
            }
            let tokens = script.sent(0).filter { !$0.isRelease }.map(\.token)
            #expect(tokens.count == 6)
            #expect(Set(tokens).count == 6)
            let released = script.sent(0).filter(\.isRelease).map(\.token)
            #expect(released == Array(tokens.dropLast()))
        }
    }

    @Test func aVoteOfAnEarlierAttemptDoesNotCountForALaterOne() {
        play(nodes: 3) {
            $0.retryDelay = .milliseconds(10)
            $0.retryJitter = .zero
        } script: { script in
            let lock = script.acquire(wait: .seconds(10))
            script.refuse(0...1)
            script.reply(0...1, .integer(0))
            script.advance(by: .milliseconds(10))
            script.reply(0, .ok)
            // Node 2 is slow: it grants the first attempt now, then releases it, then grants the second.
            script.reply(2, .ok)
            #expect(script.news() == [])
            script.reply(2, .integer(1))
            #expect(script.news() == [])
            script.reply(2, .ok)
            guard case .granted(lock, _) = script.news().last else {
                Issue.record("not granted")
                return
            }
        }
    }

    @Test func theLastAttemptIsMadeAtTheDeadlineItself() {
        play(nodes: 1) {
            $0.retryJitter = .zero
        } script: { script in
            let deadline = script.now + .milliseconds(250)
            let lock = script.acquire(wait: .milliseconds(250))
            var starts = [script.now]
            while script.news().isEmpty {
                script.refuse(0)
                script.reply(0, .integer(0))
                guard let again = announced(script) else { break }
                script.advance(to: again)
                starts.append(script.now)
            }
            #expect(starts.map { $0 - starts[0] } == [0, 100, 250].map { .milliseconds($0) })
            #expect(script.now == deadline)
            #expect(
                script.told == [.refused(lock, Refusal(reason: .heldByAnother, attempts: 3, votes: [.heldByAnother]))])
        }
    }

    @Test func noAttemptStartsAfterTheDeadlineButTheOneThatHasStartedIsFinished() {
        play(nodes: 1) { script in
            let lock = script.acquire(wait: .milliseconds(50))
            script.advance(by: .milliseconds(60))
            script.refuse(0)
            let refusal = Refusal(reason: .heldByAnother, attempts: 1, votes: [.heldByAnother])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func aWaitOfZeroTriesOnce() {
        play(nodes: 1) { script in
            let lock = script.acquire(wait: .zero)
            script.refuse(0)
            let refusal = Refusal(reason: .heldByAnother, attempts: 1, votes: [.heldByAnother])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func noMoreAttemptsAreMadeThanAllowed() throws {
        try play(nodes: 1) { script in
            let lock = script.acquire(wait: .seconds(3_600), attempts: 3)
            for _ in 1...2 {
                script.refuse(0)
                script.reply(0, .integer(0))
                #expect(script.news() == [])
                script.advance(to: try retry(script))
            }
            script.refuse(0)
            let refusal = Refusal(reason: .heldByAnother, attempts: 3, votes: [.heldByAnother])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func anAttemptThatExpiredIsTriedAgain() throws {
        try play(nodes: 1) { script in
            let lock = script.acquire(ttl: .milliseconds(50), wait: .seconds(1))
            script.advance(by: .milliseconds(48))
            #expect(script.operations(0) == [.acquire(milliseconds: 50), .release])
            script.serve(0)
            script.advance(to: try retry(script))
            script.serve(0)
            guard case .granted(lock, let grant) = script.news().last else {
                Issue.record("not granted")
                return
            }
            #expect(grant.attempts == 2)
        }
    }

    @Test func anOutageThatEndsInTimeIsWaitedOut() {
        play(nodes: 3, connected: false) { script in
            for node in 0..<3 { script.disconnect(node) }
            let lock = script.acquire(wait: .seconds(5))
            #expect(script.news() == [])
            script.advance(by: .milliseconds(10))
            for node in 0..<3 { script.connected(node) }
            script.advance(by: .milliseconds(190))
            script.reply(0...1, .ok)
            guard case .granted(lock, _) = script.news().last else {
                Issue.record("not granted")
                return
            }
        }
    }

    @Test func aWaitWithoutEndIsPossible() {
        play(nodes: 1) { script in
            let lock = script.acquire(wait: .forever)
            script.refuse(0)
            script.reply(0, .integer(0))
            script.advance(by: .milliseconds(200))
            script.reply(0, .ok)
            guard case .granted(lock, _) = script.news().last else {
                Issue.record("not granted")
                return
            }
        }
    }
}
