import Testing

@testable import RedlockCore

@Suite struct ShutdownTests {
    @Test func withNothingToDoItClosesAtOnce() {
        play(nodes: 3) { script in
            script.shutdown()
            #expect(script.news() == [.closed])
            for node in 0..<3 { #expect(script.connection(node) == nil) }
            #expect(script.nextDeadline == .distantFuture)
        }
    }

    @Test func itClosesConnectionsThatAreBeingMadeAndStopsDiallingOthers() {
        play(nodes: 3, connected: false) { script in
            script.connected(0)
            script.disconnect(1)
            script.shutdown()
            #expect(script.news() == [.closed])
            for node in 0..<3 { #expect(script.connection(node) == nil) }
            script.advance(by: .seconds(10))
            #expect(script.dials(1) == 1)
        }
    }

    @Test func callersThatWaitAreRefusedAndTheirAttemptsReleased() {
        play(nodes: 1) { script in
            let waiting = script.acquire("waiting", wait: .seconds(60))
            script.reply(0, .null)
            script.reply(0, .integer(0))
            let voting = script.acquire("voting", wait: .seconds(60))
            script.shutdown()
            #expect(
                script.news() == [
                    .refused(waiting, Refusal(reason: .shutDown, attempts: 1, votes: [.heldByAnother])),
                    .refused(voting, Refusal(reason: .shutDown, attempts: 1, votes: [.pending])),
                ])
            script.serve(0)
            #expect(script.news() == [.closed])
            #expect(!script.hasKey(0, "voting"))
        }
    }

    @Test func holdersAreToldAndKeepTheirKeysUntilTheyRelease() {
        play(nodes: 3) { script in
            let end = script.now + .milliseconds(9_898)
            let lock = script.hold()
            script.shutdown()
            let votes: [Vote] = [.granted, .granted, .granted]
            #expect(script.news() == [.lost(lock, Loss(reason: .shutDown, validUntil: end, votes: votes))])
            // The holder's work may still be going on: nobody else gets in before it is done.
            #expect(script.unanswered(0).map(\.operation) == [])
            script.release(lock)
            script.reply(0...1, .integer(1))
            #expect(script.news() == [.released(lock)], "the last node is still being waited for")
            script.reply(2, .integer(1))
            #expect(script.news() == [.closed])
        }
    }

    @Test func aLeaseThatNobodyReleasesIsWaitedForUntilItsValidityIsOver() {
        play(nodes: 1) { script in
            let end = script.now + .milliseconds(9_898)
            let lock = script.hold()
            script.shutdown()
            _ = script.news()
            script.advance(to: end - Nanoseconds(1))
            #expect(script.unanswered(0).map(\.operation) == [])
            script.advance(to: end)
            #expect(script.unanswered(0).map(\.operation) == [.release])
            script.serve(0)
            #expect(script.news() == [.released(lock), .closed])
        }
    }

    @Test func nodesThatDoNotAnswerHoldItUpForTheNodeTimeoutAtMost() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.shutdown()
            script.release(lock)
            _ = script.news()
            script.reply(0, .integer(1))
            script.advance(by: .milliseconds(100) - Nanoseconds(1))
            #expect(script.news() == [])
            script.advance(by: Nanoseconds(1))
            #expect(script.news() == [.released(lock), .closed])
        }
    }

    @Test func releasesUnderWayAreWaitedFor() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            script.shutdown()
            #expect(script.news() == [])
            script.reply(0, .integer(1))
            #expect(script.news() == [.released(lock), .closed])
        }
    }

    @Test func aLeaseThatWasLostIsNotLostAgain() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.advance(by: .seconds(9))
            _ = script.news()
            script.shutdown()
            #expect(script.news() == [])
            script.advance(by: .seconds(1))
            script.serve(0)
            #expect(script.news() == [.released(lock), .closed])
        }
    }

    @Test func extensionsUnderWayAreAnswered() {
        play(nodes: 1) { script in
            let lock = script.hold()
            let first = script.extend(lock)
            let second = script.extend(lock)
            script.shutdown()
            let refusal = ExtensionRefusal(reason: .lost, votes: [.granted])
            #expect(script.news().first == .notExtended(lock, refusal, [first, second]))
        }
    }

    @Test func whoComesWhileItClosesIsRefused() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.shutdown()
            _ = script.news()
            let late = script.acquire("late", wait: .seconds(60))
            #expect(
                script.news() == [.refused(late, Refusal(reason: .shutDown, attempts: 0, votes: [.notAsked]))])
            let caller = script.extend(lock)
            #expect(
                script.news() == [
                    .notExtended(lock, ExtensionRefusal(reason: .lost, votes: [.granted]), [caller])
                ])
        }
    }

    @Test func whoComesAfterwardsIsRefused() {
        play(nodes: 2) { script in
            let lock = script.hold()
            script.shutdown()
            script.release(lock)
            for node in 0..<2 { script.serve(node) }
            _ = script.news()
            let late = script.acquire("late", wait: .seconds(60))
            let votes: [Vote] = .counts((.failed(.unreachable("shut down")), 2))
            #expect(script.news() == [.refused(late, Refusal(reason: .shutDown, attempts: 0, votes: votes))])
            let caller = script.extend(lock)
            #expect(
                script.news() == [.notExtended(lock, ExtensionRefusal(reason: .released, votes: []), [caller])])
        }
    }

    @Test func whoComesAfterwardsGivesItsNumberBack() {
        play(nodes: 1) { script in
            script.shutdown()
            let locks = (1...10).map { _ in script.acquire() }
            #expect(Set(locks).count == 10)
            #expect(script.engine.locks.indices.count == 1)
        }
    }

    @Test func whoComesTogetherWithItIsRefused() {
        play(nodes: 3) { script in
            script.together {
                script.shutdown()
                script.acquire()
            }
            let news = script.news()
            guard news.count == 2, news.first == .closed, case .refused(_, let refusal) = news[1] else {
                Issue.record("\(news)")
                return
            }
            #expect(refusal.reason == .shutDown)
        }
    }

    @Test func itIsCalledTwiceAndClosesOnce() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.shutdown()
            script.shutdown()
            script.release(lock)
            script.serve(0)
            script.shutdown()
            #expect(script.told.count { $0 == .closed } == 1)
        }
    }

    @Test func nothingHappensAfterwards() throws {
        try play(nodes: 1) { script in
            let connection = try #require(script.connection(0))
            let lock = script.hold()
            script.shutdown()
            script.release(lock)
            script.serve(0)
            _ = script.news()
            script.handle(.connected(node: 0, connection, .unknown("nobody asks")))
            script.handle(.replies(node: 0, connection, [.ok]))
            script.handle(.disconnected(node: 0, connection, reason: "late"))
            script.start()
            script.timer()
            script.release(lock)
            script.cancel(lock)
            #expect(script.news() == [])
            #expect(script.dials(0) == 1)
        }
    }

    @Test func itMayComeBeforeTheStart() {
        let script = Script(Parameters(nodes: 1), seed: 1, at: #_sourceLocation)
        script.shutdown()
        #expect(script.news() == [.closed])
        script.start()
        #expect(script.dials(0) == 0)
    }
}
