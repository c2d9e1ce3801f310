import Testing

@testable import RedlockCore

@Suite struct ReleaseTests {
    @Test(arguments: 1...7)
    func aReleaseIsOverWhenAQuorumConfirmedIt(nodes: Int) throws {
        let quorum = try #require(quorums[nodes])
        play(nodes: nodes) { script in
            let lock = script.hold()
            script.release(lock)
            script.reply(0..<quorum - 1, .integer(1))
            #expect(script.news() == [])
            script.reply(quorum - 1, .integer(1))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func aKeyThatIsGoneIsAsGoodAsDeleted() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.release(lock)
            script.reply(0...1, .integer(0))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func everyNodeThatWasAskedIsToldAlsoThoseThatDidNotGrant() {
        play(nodes: 5) { script in
            let lock = script.acquire()
            script.reply(0...2, .ok)
            script.reply(3, .null)
            let token = script.sent(0)[0].token
            script.release(lock)
            for node in 0..<5 {
                #expect(script.operations(node).last == .release)
                #expect(script.sent(node).last?.token == token)
            }
        }
    }

    @Test func anUnreachableMajorityDoesNotHoldUpTheCaller() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.disconnect(0)
            script.disconnect(1)
            script.release(lock)
            #expect(script.news() == [])
            script.reply(2, .integer(1))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func aMajorityThatDoesNotAnswerHoldsUpTheCallerForTheNodeTimeoutAtMost() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.release(lock)
            script.reply(0, .integer(1))
            script.advance(by: .milliseconds(100) - Nanoseconds(1))
            #expect(script.news() == [])
            script.advance(by: Nanoseconds(1))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func withNoNodeLeftTheReleaseIsOverAtOnceAndOwed() {
        play(nodes: 3) { script in
            let lock = script.hold()
            for node in 0..<3 { script.disconnect(node) }
            script.release(lock)
            #expect(script.news() == [.released(lock)])
            for node in 0..<3 { #expect(script.engine.sessions[node].owedCount == 1) }
        }
    }

    @Test func aConnectionThatDiesUnderTheReleaseEndsItsPart() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            script.disconnect(0)
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func anErrorIsNoConfirmationButHasItsSay() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.release(lock)
            script.reply(0, .error("BUSY"))
            script.reply(1, .integer(1))
            #expect(script.news() == [])
            script.reply(2, .error("BUSY"))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func aSecondReleaseIsQuiet() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            script.release(lock)
            #expect(script.operations(0) == [.acquire(milliseconds: 10_000), .release])
            script.reply(0, .integer(1))
            #expect(script.news() == [.released(lock)])
            script.release(lock)
            #expect(script.news() == [])
            #expect(script.operations(0).count == 2)
        }
    }

    @Test func aReleaseOfALeaseThatIsOverIsNoError() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.pause(for: .seconds(60))
            script.timer()
            _ = script.news()
            script.release(lock)
            script.reply(0, .integer(0))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func whatIsReleasedCanBeHadAgainAtOnce() {
        play(nodes: 3) { script in
            let first = script.acquire()
            for node in 0..<3 { script.serve(node) }
            script.release(first)
            let second = script.acquire()
            for node in 0..<3 { script.serve(node) }
            guard case .granted(second, _) = script.news().last else {
                Issue.record("not granted")
                return
            }
            #expect(first != second)
        }
    }

    @Test func theNumberOfALockThatHasEndedIsUsedAgainByAnotherGeneration() {
        play(nodes: 1) { script in
            let first = script.hold()
            script.release(first)
            script.reply(0, .integer(1))
            #expect(script.engine.locks.count == 0)
            let second = script.hold()
            #expect(first.slot == second.slot)
            #expect(first != second)
            _ = script.news()
            // What is said about the first does not touch the second.
            script.release(first)
            script.cancel(first)
            #expect(script.operations(0).last == .acquire(milliseconds: 10_000))
        }
    }
}
