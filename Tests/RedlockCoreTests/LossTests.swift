import Testing

@testable import RedlockCore

@Suite struct LossTests {
    @Test(arguments: [
        (nil as Nanoseconds?, Nanoseconds.seconds(1)),
        (.milliseconds(300), .milliseconds(300)),
        (.zero, .zero),
        // Never more than half of the ttl, which leaves room for extensions.
        (.seconds(60), .seconds(5)),
    ])
    func theLossIsToldAheadOfTheEndByTheMargin(configured: Nanoseconds?, margin: Nanoseconds) {
        play(nodes: 1) {
            $0.lossMargin = configured
        } script: { script in
            let lock = script.hold(ttl: .seconds(10))
            let end = script.now + .milliseconds(9_898)
            script.advance(to: end - margin - Nanoseconds(1))
            #expect(script.news() == [])
            script.advance(by: Nanoseconds(1))
            let reason: Loss.Reason = margin == .zero ? .expired : .notExtended
            #expect(script.news() == [.lost(lock, Loss(reason: reason, validUntil: end, votes: [.granted]))])
        }
    }

    @Test func aProcessThatWokeTooLateIsToldThatTheEndHasPassed() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(10), extendsItself: true)
            let end = script.now + .milliseconds(9_898)
            script.pause(for: .seconds(3_600))
            script.timer()
            var loss = Loss(reason: .expired, validUntil: end, votes: [.pending])
            // The first extension was due after a third of the ttl.
            loss.pause = .seconds(3_600) - .seconds(10) / 3
            #expect(script.news() == [.lost(lock, loss)])
            #expect(script.operations(0) == [.acquire(milliseconds: 10_000)], "it does not extend what is over")
        }
    }

    @Test func aProcessThatWokeWithinTheMarginIsToldThatTheEndIsNear() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(10), extendsItself: true)
            let end = script.now + .milliseconds(9_898)
            script.pause(until: end - Nanoseconds(1))
            let pause = script.now - (end - .milliseconds(9_898)) - .seconds(10) / 3
            script.timer()
            let loss = Loss(reason: .notExtended, validUntil: end, votes: [.pending], pause: pause)
            #expect(script.news() == [.lost(lock, loss)])
        }
    }

    @Test(arguments: 1...7, [0, -1])
    func whatAQuorumOfNodesDoesNotHoldAnyMoreIsTaken(nodes: Int, answer: Int64) throws {
        let quorum = try #require(quorums[nodes])
        let vote: Vote = answer == 0 ? .missing : .heldByAnother
        play(nodes: nodes) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            let caller = script.extend(lock)
            script.reply(0..<quorum - 1, .integer(answer))
            #expect(script.news() == [], "what is still open could make it a loss")
            script.reply(quorum - 1, .integer(answer))
            let votes: [Vote] = .counts((vote, quorum), (.pending, nodes - quorum))
            #expect(
                script.news() == [
                    .notExtended(lock, ExtensionRefusal(reason: .lost, votes: votes), [caller]),
                    .lost(lock, Loss(reason: .taken, validUntil: end, votes: votes)),
                ])
        }
    }

    @Test func callersThatWaitedForTheNextRoundAreToldOfTheLossToo() {
        play(nodes: 1) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            let first = script.extend(lock)
            let second = script.extend(lock)
            script.reply(0, .integer(0))
            let refusal = ExtensionRefusal(reason: .lost, votes: [.missing])
            #expect(
                script.news() == [
                    .notExtended(lock, refusal, [first]), .notExtended(lock, refusal, [second]),
                    .lost(lock, Loss(reason: .taken, validUntil: end, votes: [.missing])),
                ])
        }
    }

    @Test func aMinorityThatLostTheKeyIsNoLoss() {
        play(nodes: 5) { script in
            let lock = script.hold()
            let caller = script.extend(lock)
            script.reply(0...1, .integer(0))
            script.reply(2...4, .integer(1))
            #expect(script.news() == [.extended(lock, until: script.now + .milliseconds(9_898), [caller])])
        }
    }

    @Test func anOutageIsNoLossAsLongAsTheLeaseIsValid() {
        play(nodes: 3) { script in
            let lock = script.hold()
            let caller = script.extend(lock)
            script.reply(0, .integer(0))
            script.advance(by: .milliseconds(100))
            let votes: [Vote] = [.missing, .timedOut, .timedOut]
            #expect(
                script.news() == [
                    .notExtended(lock, ExtensionRefusal(reason: .notExtended, votes: votes), [caller])
                ])
        }
    }

    @Test func anAnswerThatComesAfterTheLossIsInWhatAnExtensionIsToldThen() {
        play(nodes: 3) { script in
            let lock = script.acquire(ttl: .seconds(1))
            script.reply(0...1, .ok)
            script.advance(by: .milliseconds(900))
            guard case .lost(_, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.votes == [.granted, .granted, .timedOut])
            script.reply(2, .null)
            let caller = script.extend(lock)
            let votes: [Vote] = [.granted, .granted, .heldByAnother]
            #expect(
                script.news() == [.notExtended(lock, ExtensionRefusal(reason: .lost, votes: votes), [caller])])
        }
    }

    @Test func aQuorumThatIsGoneIsNoticedThoughTheExtensionHadFailedByThen() {
        play(nodes: 4) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            let caller = script.extend(lock)
            script.reply(0...1, .integer(0))
            #expect(script.news() == [], "it cannot be extended any more, but it may be lost")
            script.reply(2, .integer(0))
            let votes: [Vote] = [.missing, .missing, .missing, .pending]
            #expect(
                script.news() == [
                    .notExtended(lock, ExtensionRefusal(reason: .lost, votes: votes), [caller]),
                    .lost(lock, Loss(reason: .taken, validUntil: end, votes: votes)),
                ])
        }
    }

    @Test func theEndOfTheMaximumHoldIsToldAsSuch() {
        play(nodes: 1) { script in
            let start = script.now
            let lock = script.hold(ttl: .seconds(10), maximumHold: .seconds(5))
            script.advance(by: .seconds(4))
            let loss = Loss(reason: .maximumHold, validUntil: start + .seconds(5), votes: [.granted])
            #expect(script.news() == [.lost(lock, loss)])
        }
    }

    @Test func aMaximumHoldThatIsShortAgainstTheTTLIsUsedForHalfOfItAtLeast() {
        play(nodes: 1) { script in
            let start = script.now
            // A tenth of this ttl would be more than the whole hold.
            let lock = script.hold(ttl: .seconds(100), maximumHold: .seconds(2))
            script.advance(by: .milliseconds(999))
            #expect(script.news() == [])
            script.advance(by: .milliseconds(1))
            let loss = Loss(reason: .maximumHold, validUntil: start + .seconds(2), votes: [.granted])
            #expect(script.news() == [.lost(lock, loss)])
        }
    }

    @Test func aLossIsToldOnce() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(10), extendsItself: true)
            script.advance(by: .seconds(100))
            script.timer()
            #expect(script.told.count { if case .lost(lock, _) = $0 { true } else { false } } == 1)
        }
    }

    @Test func aLossDeletesNothingUntilTheHolderReleases() {
        play(nodes: 3) { script in
            let lock = script.hold(ttl: .seconds(10))
            script.advance(by: .seconds(9))
            for node in 0..<3 { #expect(script.operations(node) == [.acquire(milliseconds: 10_000)]) }
            _ = script.news()
            script.release(lock)
            for node in 0..<3 { #expect(script.operations(node).last == .release) }
            script.reply(0...1, .integer(1))
            #expect(script.news() == [.released(lock)])
        }
    }

    @Test func afterTheReleaseThereIsNoLoss() {
        play(nodes: 1) { script in
            let lock = script.hold(ttl: .seconds(10), extendsItself: true)
            script.release(lock)
            script.advance(by: .seconds(100))
            #expect(script.news() == [.released(lock)])
        }
    }
}
