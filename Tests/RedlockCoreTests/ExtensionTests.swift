import Testing

@testable import RedlockCore

@Suite struct ExtensionTests {
    @Test(arguments: 1...7)
    func aQuorumExtendsTheLeaseFromTheStartOfTheExtension(nodes: Int) throws {
        let quorum = try #require(quorums[nodes])
        play(nodes: nodes) { script in
            let lock = script.hold()
            script.advance(by: .seconds(4))
            let start = script.now
            let caller = script.extend(lock)
            script.advance(by: .milliseconds(5))
            script.reply(0..<quorum - 1, .integer(1))
            #expect(script.news() == [])
            script.reply(quorum - 1, .integer(1))
            #expect(script.news() == [.extended(lock, until: start + .milliseconds(9_898), [caller])])
        }
    }

    @Test(arguments: 1...7)
    func lessThanAQuorumDoesNotExtend(nodes: Int) throws {
        let quorum = try #require(quorums[nodes])
        play(nodes: nodes) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            script.advance(by: .seconds(4))
            let caller = script.extend(lock)
            script.reply(0..<quorum - 1, .integer(1))
            script.reply(quorum - 1..<nodes, .error("OOM"))
            let votes: [Vote] = .counts((.granted, quorum - 1), (.error("OOM"), nodes - quorum + 1))
            // Decided as soon as the quorum is out of reach: later errors are not waited for.
            let decided: [Vote] = .counts(
                (.granted, quorum - 1), (.error("OOM"), vetoes[nodes]!),
                (.pending, nodes - quorum + 1 - vetoes[nodes]!))
            #expect(votes.count == nodes)
            #expect(
                script.news() == [
                    .notExtended(lock, ExtensionRefusal(reason: .notExtended, votes: decided), [caller])
                ])
            // The old end stands, and the loss is told a tenth of the ttl ahead of it, with all that was answered
            // since.
            script.advance(to: end - .seconds(1) - Nanoseconds(1))
            #expect(script.news() == [])
            script.advance(by: Nanoseconds(1))
            #expect(script.news() == [.lost(lock, Loss(reason: .notExtended, validUntil: end, votes: votes))])
        }
    }

    @Test func aLossNamesTheAnswersThatCameAfterTheExtensionHadFailed() {
        play(nodes: 3) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            script.disconnect(0, "refused")
            script.disconnect(1, "refused")
            let caller = script.extend(lock)
            let away = Vote.failed(.unreachable("refused"))
            // Two cannot be asked: decided before the third can answer.
            let refusal = ExtensionRefusal(reason: .notExtended, votes: [away, away, .pending])
            #expect(script.news() == [.notExtended(lock, refusal, [caller])])
            script.reply(2, .integer(1))
            script.advance(to: end - .seconds(1))
            let loss = Loss(reason: .notExtended, validUntil: end, votes: [away, away, .granted])
            #expect(script.news() == [.lost(lock, loss)])
        }
    }

    @Test func aLossNamesTheAnswersThatCameAfterTheGrant() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            let end = script.now + .milliseconds(9_898)
            script.reply(0...1, .ok)
            script.reply(2, .null)
            _ = script.news()
            script.advance(to: end - .seconds(1))
            let loss = Loss(
                reason: .notExtended, validUntil: end, votes: [.granted, .granted, .heldByAnother])
            #expect(script.news() == [.lost(lock, loss)])
        }
    }

    @Test func aLossDoesNotNameWhatWasAnsweredToAnEarlierRound() {
        play(nodes: 3) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            for _ in 1...2 {
                script.extend(lock)
                script.reply(0...1, .error("BUSY"))
            }
            script.advance(by: .milliseconds(100))
            // To the first; that to the second does not come.
            script.reply(2, .integer(1))
            _ = script.news()
            script.advance(to: end - .seconds(1))
            let loss = Loss(
                reason: .notExtended, validUntil: end,
                votes: [.error("BUSY"), .error("BUSY"), .failed(.timedOut)])
            #expect(script.news() == [.lost(lock, loss)])
        }
    }

    @Test func everyNodeIsAskedAlsoTheOneThatDidNotGrant() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            script.reply(0...1, .ok)
            script.reply(2, .null)
            script.extend(lock, ttl: .seconds(20))
            for node in 0..<3 {
                let command = script.sent(node).last
                #expect(command?.operation == .extend(milliseconds: 20_000))
                #expect(command?.token == script.sent(node)[0].token)
                #expect(command?.spelling == .digest)
            }
        }
    }

    @Test func aQuorumAtTheOldEndComesTooLate() {
        play(nodes: 1) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            script.pause(for: .milliseconds(9_850))
            let caller = script.extend(lock)
            script.pause(until: end)
            script.reply(0, .integer(1))
            let refusal = ExtensionRefusal(reason: .expired, votes: [.granted])
            #expect(script.news() == [.notExtended(lock, refusal, [caller])])
            script.timer()
            #expect(script.news() == [.lost(lock, Loss(reason: .expired, validUntil: end, votes: [.granted]))])
        }
    }

    @Test func aQuorumJustBeforeTheOldEndExtends() {
        play(nodes: 1) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            script.pause(for: .milliseconds(9_850))
            let start = script.now
            let caller = script.extend(lock)
            script.pause(until: end - Nanoseconds(1))
            script.reply(0, .integer(1))
            #expect(script.news() == [.extended(lock, until: start + .milliseconds(9_898), [caller])])
        }
    }

    @Test func aLeaseThatIsOverIsNotEvenTriedToExtend() {
        play(nodes: 1) { script in
            let lock = script.hold()
            // The timer that would have told the loss has not fired: the process was stopped.
            script.pause(for: .milliseconds(9_898))
            let caller = script.extend(lock)
            var refusal = ExtensionRefusal(reason: .expired, votes: [.pending])
            // The call was due at the loss, a margin ahead of the end.
            refusal.pause = .seconds(1)
            #expect(script.news() == [.notExtended(lock, refusal, [caller])])
            #expect(script.unanswered(0) == [])
        }
    }

    @Test func aShorterTTLTakesNothingAway() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(10))
            let end = script.now + .milliseconds(9_898)
            let caller = script.extend(lock, ttl: .seconds(1))
            script.reply(0, .integer(1))
            #expect(script.news() == [.extended(lock, until: end, [caller])])
        }
    }

    @Test func aLongerTTLReachesFurther() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(10))
            let caller = script.extend(lock, ttl: .seconds(100))
            script.reply(0, .integer(1))
            #expect(script.news() == [.extended(lock, until: script.now + .milliseconds(98_998), [caller])])
        }
    }

    @Test func aVoteThatComesAfterItsTimeOutIsCountedWhileTheRoundIsOpen() {
        play(nodes: 5) { script in
            let lock = script.hold()
            let start = script.now
            let caller = script.extend(lock)
            script.reply(0...1, .integer(1))
            script.advance(by: .milliseconds(50))
            // Node 4 does not know the script, so it has more time than the others and keeps the round open.
            script.reply(4, .error("NOSCRIPT No matching script"))
            script.advance(by: .milliseconds(60))
            #expect(script.news() == [])
            script.reply(2, .integer(1))
            #expect(script.news() == [.extended(lock, until: start + .milliseconds(9_898), [caller])])
        }
    }

    @Test func aVoteOfAnEarlierRoundDoesNotCountForALaterOne() {
        play(nodes: 3) { script in
            let lock = script.hold()
            let first = script.extend(lock)
            script.reply(0...1, .error("BUSY"))
            #expect(
                script.news() == [
                    .notExtended(
                        lock,
                        ExtensionRefusal(reason: .notExtended, votes: [.error("BUSY"), .error("BUSY"), .pending]),
                        [first])
                ])
            let second = script.extend(lock)
            script.reply(0, .integer(1))
            script.reply(2, .integer(1))
            #expect(script.news() == [], "that was node 2's answer in the first round")
            script.reply(2, .integer(1))
            #expect(script.news() == [.extended(lock, until: script.now + .milliseconds(9_898), [second])])
        }
    }
}

// MARK: - Several at once

extension ExtensionTests {
    @Test func extensionsAskedForDuringARoundShareTheNext() {
        play(nodes: 3) { script in
            let lock = script.hold()
            let before = script.broadcasts
            let first = script.extend(lock, ttl: .seconds(10))
            let second = script.extend(lock, ttl: .seconds(12))
            let third = script.extend(lock, ttl: .seconds(30))
            let fourth = script.extend(lock, ttl: .seconds(20))
            #expect(script.broadcasts == before + 1)
            let start = script.now
            script.advance(by: .milliseconds(10))
            script.reply(0...1, .integer(1))
            #expect(script.news() == [.extended(lock, until: start + .milliseconds(9_898), [first])])
            #expect(script.broadcasts == before + 2)
            #expect(script.sent(0).last?.operation == .extend(milliseconds: 30_000), "the longest of them")
            let again = script.now
            script.reply(0...1, .integer(1))
            #expect(
                script.news() == [.extended(lock, until: again + .milliseconds(29_698), [second, third, fourth])])
        }
    }

    @Test func extensionsThatWaitedAreTriedThoughTheRoundBeforeThemFailed() {
        play(nodes: 1) { script in
            let lock = script.hold()
            let first = script.extend(lock)
            let second = script.extend(lock)
            script.reply(0, .error("OOM"))
            #expect(
                script.news() == [
                    .notExtended(lock, ExtensionRefusal(reason: .notExtended, votes: [.error("OOM")]), [first])
                ])
            script.reply(0, .integer(1))
            #expect(script.news() == [.extended(lock, until: script.now + .milliseconds(9_898), [second])])
        }
    }

    @Test func extensionsUnderWayEndWithTheRelease() {
        play(nodes: 1) { script in
            let lock = script.hold()
            let first = script.extend(lock)
            let second = script.extend(lock)
            script.release(lock)
            let refusal = ExtensionRefusal(reason: .released, votes: [.granted])
            #expect(script.news() == [.notExtended(lock, refusal, [first, second])])
            // The nodes extend and delete, in this order; nobody counts the extension.
            script.serve(0)
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func extensionsUnderWayEndWithTheLoss() {
        play(nodes: 3) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            script.advance(to: end - .milliseconds(1_050))
            let first = script.extend(lock)
            let second = script.extend(lock)
            script.advance(by: .milliseconds(50))
            #expect(
                script.news() == [
                    .notExtended(
                        lock, ExtensionRefusal(reason: .lost, votes: [.granted, .granted, .granted]), [first, second]),
                    .lost(
                        lock, Loss(reason: .notExtended, validUntil: end, votes: [.granted, .granted, .granted])),
                ])
        }
    }

    @Test func afterALossNothingIsExtended() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.advance(by: .milliseconds(8_898))
            _ = script.news()
            let caller = script.extend(lock)
            #expect(
                script.news() == [.notExtended(lock, ExtensionRefusal(reason: .lost, votes: [.granted]), [caller])])
        }
    }

    @Test func afterTheEndNothingIsExtended() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.pause(for: .seconds(11))
            script.timer()
            _ = script.news()
            let caller = script.extend(lock)
            var refusal = ExtensionRefusal(reason: .expired, votes: [.pending])
            refusal.pause = .seconds(11) - .milliseconds(8_898)
            #expect(script.news() == [.notExtended(lock, refusal, [caller])])
        }
    }

    @Test func afterTheReleaseNothingIsExtended() {
        play(nodes: 1) { script in
            let lock = script.hold()
            script.release(lock)
            let early = script.extend(lock)
            #expect(
                script.news() == [
                    .notExtended(lock, ExtensionRefusal(reason: .released, votes: [.granted]), [early])
                ])
            script.serve(0)
            _ = script.news()
            let late = script.extend(lock)
            #expect(
                script.news() == [.notExtended(lock, ExtensionRefusal(reason: .released, votes: []), [late])])
        }
    }
}

// MARK: - By itself

extension ExtensionTests {
    @Test func aLeaseExtendsItselfAtEveryThirdOfItsTTL() {
        play(nodes: 3) { script in
            let lock = script.hold(ttl: .seconds(9), extendsItself: true)
            for _ in 1...5 {
                script.advance(by: .seconds(3) - Nanoseconds(1))
                #expect(script.unanswered(0) == [])
                script.advance(by: Nanoseconds(1))
                #expect(script.unanswered(0).map(\.operation) == [.extend(milliseconds: 9_000)])
                for node in 0..<3 { script.reply(node, .integer(1)) }
                #expect(script.news() == [.extended(lock, until: script.now + .milliseconds(8_908), [])])
            }
        }
    }

    @Test func aLeaseThatIsNotToldToDoesNotExtendItself() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(9))
            script.advance(by: .seconds(8))
            #expect(script.operations(0) == [.acquire(milliseconds: 9_000)])
            _ = lock
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func anExtensionThatFailedIsTriedAgainSooner(seed: UInt64) {
        play(nodes: 1, seed: seed) { script in
            _ = script.hold(ttl: .seconds(8), extendsItself: true)
            script.advance(by: .milliseconds(2_667))
            script.reply(0, .error("OOM"))
            let failed = script.now
            #expect(script.unanswered(0) == [])
            // A twentieth of the ttl, and as much again at random.
            let again = script.nextDeadline
            #expect(again - failed >= .milliseconds(400))
            #expect(again - failed <= .milliseconds(800))
            script.advance(to: again)
            #expect(script.unanswered(0).map(\.operation) == [.extend(milliseconds: 8_000)])
        }
    }

    @Test func aLeaseThatCannotBeExtendedIsTriedManyTimesBeforeItIsLost() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(10), extendsItself: true)
            let end = script.now + .milliseconds(9_898)
            while script.now < end {
                if !script.unanswered(0).isEmpty { script.reply(0, .error("MISCONF")) }
                script.advance(to: min(script.nextDeadline, end))
            }
            guard case .lost(lock, let loss) = script.told.last else {
                Issue.record("not lost")
                return
            }
            #expect(loss.reason == .notExtended)
            #expect(loss.votes == [.error("MISCONF")])
            #expect(script.operations(0).count { $0 != .release } >= 7)
        }
    }

    @Test func anExtensionByHandThatFailedIsNotRepeated() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(10))
            script.extend(lock)
            script.reply(0, .error("OOM"))
            script.advance(by: .seconds(8))
            #expect(script.operations(0).count == 2)
        }
    }

    @Test func anExtensionByHandPutsTheNextOneOff() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(9), extendsItself: true)
            script.advance(by: .seconds(2))
            script.extend(lock, ttl: .seconds(9))
            script.reply(0, .integer(1))
            script.advance(by: .seconds(3) - Nanoseconds(1))
            #expect(script.unanswered(0) == [])
            script.advance(by: Nanoseconds(1))
            #expect(script.unanswered(0).count == 1)
        }
    }

    @Test func theMaximumHoldCutsTheFirstValidity() {
        play(nodes: 1) { script in
            let start = script.now
            let lock = script.acquire(ttl: .seconds(10), maximumHold: .seconds(4))
            script.reply(0, .ok)
            let grant = Grant(validUntil: start + .seconds(4), attempts: 1, votes: [.granted])
            #expect(script.news() == [.granted(lock, grant)])
        }
    }

    @Test func theMaximumHoldCutsExtensionsAndEndsThem() {
        play(nodes: 1) { script in
            let start = script.now
            let lock = script.hold(ttl: .seconds(9), extendsItself: true, maximumHold: .seconds(14))
            script.advance(by: .seconds(3))
            script.reply(0, .integer(1))
            #expect(script.news() == [.extended(lock, until: start + .milliseconds(11_908), [])])
            script.advance(by: .seconds(3))
            script.reply(0, .integer(1))
            #expect(script.news() == [.extended(lock, until: start + .seconds(14), [])])
            // No further extension, neither by the clock nor by hand beyond that end.
            script.advance(by: .seconds(6))
            #expect(script.unanswered(0) == [])
            let caller = script.extend(lock)
            script.reply(0, .integer(1))
            #expect(script.news() == [.extended(lock, until: start + .seconds(14), [caller])])
            script.advance(by: .milliseconds(1_100))
            let loss = Loss(reason: .maximumHold, validUntil: start + .seconds(14), votes: [.granted])
            #expect(script.news() == [.lost(lock, loss)])
        }
    }
}
