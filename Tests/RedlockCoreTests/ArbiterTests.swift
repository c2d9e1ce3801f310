import Testing

@testable import RedlockCore

/// One node tells of a release, and who hears it asks that one first.
@Suite struct ArbiterTests {
    /// The waiter hears of a release over the node, and its pause passes.
    private func wake(_ script: Script, over node: Int) {
        script.tell(node, .released)
        script.advance(by: .milliseconds(10))
    }

    // MARK: Telling

    @Test func oneNodeTellsOfAReleaseAndTheOthersAreQuiet() {
        play(nodes: 5) { script in
            let lock = script.hold()
            script.release(lock)
            #expect(
                (0..<5).map { script.sent($0).last?.notice } == [.nothing, .nothing, .nothing, .nothing, .everywhere])
        }
    }

    @Test func theNodeThatTellsHasTheKeyAndAnswers() {
        play(nodes: 5) { script in
            let lock = script.acquire()
            script.reply(0...2, .ok)
            script.reply(3...4, .null)
            script.disconnect(2)
            script.release(lock)
            #expect([0, 1, 3, 4].map { script.sent($0).last?.notice } == [.nothing, .everywhere, .nothing, .nothing])
        }
    }

    @Test func whatAnAttemptLeavesIsToldOfEachNodeByItself() {
        play(nodes: 3) { script in
            script.acquire()
            script.reply(0, .ok)
            script.reply(1...2, .null)
            #expect((0..<3).map { script.sent($0).last?.notice } == [.node, .node, .node])
        }
    }

    /// Each of these means that nobody was told.
    @Test(arguments: ["silence", "the end of the connection", "no right to publish", "the key was gone"])
    func whereNobodyWasToldAnotherNodeTells(why: String) {
        play(nodes: 3) {
            $0.nodeTimeout = .milliseconds(100)
        } script: { script in
            let lock = script.hold()
            script.release(lock)
            script.reply(0...1, .integer(1))
            switch why {
            case "silence": script.advance(by: .milliseconds(100))
            case "the end of the connection": script.disconnect(2)
            case "no right to publish": script.reply(2, .integer(-1))
            default: script.reply(2, .integer(0))
            }
            #expect(script.operations(1).last == .announce)
            #expect(script.operations(0).last == .release)
            // And if that does not either, the next.
            if why == "silence" {
                script.advance(by: .milliseconds(100))
                #expect(script.operations(0).last == .announce)
            }
        }
    }

    @Test func whoWasToldNeedNotBeToldAgain() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.release(lock)
            script.reply(2, .integer(1))
            script.advance(by: .seconds(1))
            #expect(!script.operations(0).contains(.announce) && !script.operations(1).contains(.announce))
        }
    }

    // MARK: Asking

    @Test func whoHearsOfAReleaseAsksThatNodeAndThenTheOthers() {
        playWaiter { script, lock in
            wake(script, over: 3)
            #expect(script.asked == [2, 2, 2, 3, 2])
            script.reply(3, .ok)
            #expect(script.asked == [3, 3, 3, 3, 3])
            #expect((0..<5).map { script.sent($0).last?.notice } == [.nothing, .nothing, .nothing, .node, .nothing])
            script.reply(0...1, .ok)
            #expect(script.isGranted(lock))
        }
    }

    @Test func theValidityCountsFromBeforeTheFirstNodeWasAsked() {
        playWaiter { script, lock in
            script.tell(3, .released)
            while script.asked[3] < 3 { script.advance(by: .microseconds(10)) }
            let asked = script.now
            script.advance(by: .milliseconds(50))
            script.reply(3, .ok)
            script.advance(by: .milliseconds(50))
            script.reply(0...1, .ok)
            guard case .granted(lock, let grant) = script.news().last else {
                Issue.record("not granted")
                return
            }
            let validity = grant.validUntil - asked
            #expect(validity <= .seconds(10) - .milliseconds(102))
            #expect(validity > .seconds(10) - .milliseconds(103))
        }
    }

    @Test func itsRefusalIsTheEndOfTheAttemptAndNobodyElseIsAsked() {
        playWaiter { script, _ in
            let before = script.sent(3).count
            wake(script, over: 3)
            script.refuse(3, for: 30_000)
            script.advance(by: .seconds(29))
            #expect(script.sent(3).count == before + 1, "and nothing to release")
            #expect(script.asked == [2, 2, 2, 3, 2])
            script.advance(by: .seconds(2))
            #expect(script.asked[3] == 4, "its key can have expired")
        }
    }

    @Test(arguments: ["silence", "the end of the connection", "an error"])
    func whereItDoesNotAnswerTheOthersAreAskedAllTheSame(why: String) {
        playWaiter { script, lock in
            wake(script, over: 3)
            switch why {
            case "silence": script.advance(by: .milliseconds(100))
            case "an error": script.reply(3, .error("OOM"))
            default: script.disconnect(3)
            }
            #expect(script.asked == [3, 3, 3, 3, 3])
            script.reply(0...2, .ok)
            #expect(script.isGranted(lock))
        }
    }

    @Test func whoGoesByTheClockAsksAllWhateverTheArbiterSaid() {
        playWaiter(fallback: .seconds(1)) { script, _ in
            wake(script, over: 3)
            // A client that died between the first node and the others left its key there.
            script.refuse(3, for: 60_000)
            script.advance(by: .milliseconds(1_500))
            #expect(script.asked == [3, 3, 3, 4, 3])
        }
    }

    @Test func theLastAttemptGoesToAll() throws {
        try playWaiter(attempts: 3) { script, lock in
            wake(script, over: 3)
            #expect(script.asked == [3, 3, 3, 3, 3])
            script.refuse(0...4)
            let votes = [Vote](repeating: .heldByAnother, count: 5)
            let refusal = try #require(script.refusal(of: lock))
            #expect(refusal.reason == .heldByAnother && refusal.votes[0...2] == votes[0...2])
        }
    }

    @Test func whoComesWhileOthersWaitAsksTheArbiterFirst() {
        playWaiter { script, lock in
            wake(script, over: 3)
            script.refuse(3)
            script.cancel(lock)
            script.acquire(wait: .seconds(60))
            #expect(script.asked == [2, 2, 2, 4, 2])
        }
    }

    @Test func whoGivesUpMeanwhileReleasesWhatItAskedFor() throws {
        try playWaiter { script, lock in
            wake(script, over: 3)
            let releases = (0..<5).map { script.operations($0).count(where: { $0 == .release }) }
            script.cancel(lock)
            let more = (0..<5).map { script.operations($0).count(where: { $0 == .release }) - releases[$0] }
            #expect(more == [0, 0, 0, 1, 0])
            let refusal = try #require(script.refusal(of: lock))
            #expect(refusal.votes == [.notAsked, .notAsked, .notAsked, .pending, .notAsked])
        }
    }

    @Test func aLockWithFencingProposesTheSameNumberToAll() {
        playWaiter(wallClock: 1_000) { script, lock in
            wake(script, over: 3)
            guard case .acquireFenced(_, let number) = script.operations(3).last else {
                Issue.record("node 3 was not asked")
                return
            }
            #expect(
                (0..<5).map { script.operations($0).last == script.operations(3).last } == [
                    false, false, false, true, false,
                ])
            script.reply(3, .pair(1, number))
            #expect((0..<5).allSatisfy { script.operations($0).last == script.operations(3).last })
            script.reply(0...1, .pair(1, number))
            #expect(script.isGranted(lock))
        }
    }

    @Test func anotherHasTakenTheArbiterAndTheRestIsNotAskedForIt() {
        playWaiter { script, _ in
            script.tell(3, .released)
            script.tell(3, .taken(.seconds(30)))
            script.advance(by: .seconds(29))
            #expect(script.asked == [2, 2, 2, 2, 2])
        }
    }

    @Test func aRefusalOfWhatWasAskedAtTheMomentOfTheMessageIsNews() {
        var forecast = Forecast(nodes: 1)
        let now = Instant(nanoseconds: 5)
        forecast.releasedEverywhere(at: now)
        forecast.voted(.heldByAnother, of: 0, remaining: .seconds(1), askedAt: now, at: Instant(nanoseconds: 9))
        #expect(forecast.freeAt[0] > Instant(nanoseconds: 9))
    }
}
