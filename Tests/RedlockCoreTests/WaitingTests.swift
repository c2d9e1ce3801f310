import Testing

@testable import RedlockCore

/// When a waiter tries again: told of a release, by the expiry of the holder's keys, and by the clock.
@Suite struct WaitingTests {
    private let contend = Command.Operation.contend(milliseconds: 10_000)

    private func attempts(_ script: Script) -> Int { script.operations(0).count { $0 != .release } }

    /// A waiter that was refused, subscribed, and asked once more; the holder's keys live for a minute still.
    private func waiting(
        nodes: Int = 3, remaining: Int64 = 60_000, _ adjust: (inout Parameters) -> Void = { _ in },
        _ body: (Script, LockID) throws -> Void
    ) rethrows {
        try play(nodes: nodes) {
            $0.fallbackDelay = .seconds(3_000)
            $0.retryDelay = .seconds(1_000)
            $0.nodeTimeout = .seconds(10)
            adjust(&$0)
        } script: { script in
            let lock = script.acquire(wait: .seconds(100_000))
            script.refuse(0..<nodes)
            for node in 0..<nodes { script.reply(node, .integer(0)) }
            for node in 0..<nodes { script.listening(node) }
            #expect(script.operations(0) == [.acquire(milliseconds: 10_000), .release, contend])
            script.refuse(0..<nodes, for: remaining)
            for node in 0..<nodes { script.reply(node, .integer(0)) }
            try body(script, lock)
        }
    }

    @Test func theFirstAttemptIsPlainAndNobodyIsSubscribedForIt() {
        play(nodes: 3) { script in
            _ = script.hold()
            for node in 0..<3 { #expect(!script.isBeingListenedTo(node)) }
        }
    }

    @Test func whoDoesNotWaitDoesNotSubscribe() {
        play(nodes: 3) { script in
            script.acquire(wait: Limits.shortestWatchedWait)
            script.refuse(0...1)
            for node in 0..<3 { #expect(!script.isBeingListenedTo(node)) }
        }
    }

    @Test func whenAQuorumIsSubscribedToItTriesOnceMore() {
        play(nodes: 5) {
            $0.retryDelay = .seconds(30)
        } script: { script in
            script.acquire(wait: .seconds(60))
            script.refuse(0...4)
            script.reply(0...4, .integer(0))
            script.listening(0)
            script.listening(1)
            #expect(attempts(script) == 1)
            script.listening(2)
            #expect(attempts(script) == 1, "the others may follow: one attempt is to do for all")
            script.advance(by: .milliseconds(2))
            #expect(attempts(script) == 2)
            #expect(script.operations(0).last == contend)
            script.listening(3)
            script.listening(4)
            #expect(attempts(script) == 2, "one is under way")
            #expect(script.subscriptions(4) == ["resource"])
            script.refuse(0...4)
            script.advance(by: .zero)
            #expect(attempts(script) == 3, "of a release over the last ones it had not heard")
        }
    }

    @Test func aSubscriptionThatIsConfirmedDuringAnAttemptIsFollowedByAnother() {
        play(nodes: 1) {
            $0.retryDelay = .milliseconds(50)
            $0.retryJitter = .zero
            $0.fallbackDelay = .seconds(3_000)
        } script: { script in
            script.acquire(wait: .seconds(60))
            script.refuse(0)
            script.reply(0, .integer(0))
            script.listening(0, confirming: false)
            script.advance(by: .milliseconds(50))
            #expect(attempts(script) == 2)
            script.confirm(0)
            script.refuse(0)
            script.advance(by: .zero)
            #expect(attempts(script) == 3)
        }
    }

    @Test func whileNothingChangesItAsksNothing() {
        waiting { script, _ in
            let before = attempts(script)
            script.advance(by: .seconds(60))
            #expect(attempts(script) == before)
            script.advance(by: .seconds(1))
            #expect(attempts(script) == before + 1, "then the keys can have expired")
        }
    }

    @Test func aReleaseOnAQuorumWakes() {
        waiting { script, lock in
            let before = attempts(script)
            script.tell(2)
            script.advance(by: .milliseconds(500))
            #expect(attempts(script) == before, "one of three may be somebody who had no quorum")
            script.tell(0)
            script.advance(by: .milliseconds(500))
            #expect(attempts(script) == before + 1)
            script.reply(0...1, .ok)
            guard case .granted(lock, _) = script.news().last else {
                Issue.record("not granted")
                return
            }
        }
    }

    @Test func nodesThatCannotBeHeardCountWithThoseThatCan() {
        waiting(nodes: 5) { script, _ in
            for node in 1...4 { script.deafen(node) }
            let before = attempts(script)
            script.tell(0)
            script.advance(by: .milliseconds(500))
            #expect(attempts(script) == before + 1)
        }
    }

    @Test func whatOthersHaveTakenIsLeftToThem() {
        waiting { script, _ in
            let before = attempts(script)
            for node in 0..<3 { script.tell(node) }
            for node in 0..<3 { script.tell(node, 30_000) }
            script.advance(by: .seconds(29))
            #expect(attempts(script) == before)
        }
    }

    @Test func aReleaseThatWasHeardWhileTheVotesCameIsNotForgotten() {
        waiting { script, _ in
            for node in 0..<3 { script.tell(node) }
            script.advance(by: .milliseconds(500))
            let before = attempts(script)
            // Somebody else was faster, and has released it already: the messages overtake the votes.
            script.advance(by: .milliseconds(1))
            for node in 0..<3 { script.tell(node) }
            script.refuse(0...2)
            script.advance(by: .milliseconds(500))
            #expect(attempts(script) == before + 1)
        }
    }

    @Test func itWaitsUntilAQuorumOfKeysCanHaveExpired() {
        waiting(nodes: 3, remaining: 2_000) { script, _ in
            let before = attempts(script)
            script.advance(by: .milliseconds(2_000))
            #expect(attempts(script) == before)
            script.advance(by: .milliseconds(500))
            #expect(attempts(script) == before + 1)
        }
    }

    @Test func aKeyWithoutExpiryIsAskedForByTheClock() {
        waiting(nodes: 1, remaining: -1) {
            $0.retryDelay = .seconds(2)
            $0.retryJitter = .zero
            $0.fallbackDelay = .seconds(10)
        } _: { script, _ in
            let start = attempts(script)
            for _ in 0..<2_000 {
                script.advance(by: .milliseconds(50))
                while let command = script.unanswered(0).first {
                    if command.isRelease { script.reply(0, .integer(0)) } else { script.refuse(0, for: -1) }
                }
            }
            // Between 10 and 15 seconds apart, but for the first ones.
            #expect((6...13).contains(attempts(script) - start))
        }
    }

    @Test func theLossOfAllSubscriptionsIsMadeUpForByAnother() {
        waiting { script, _ in
            let before = attempts(script)
            for node in 0..<3 { script.deafen(node) }
            script.advance(by: .seconds(1))
            for node in 0..<3 { script.listening(node) }
            #expect(attempts(script) == before + 1)
        }
    }

    @Test func aNodeThatGoesTakesItsSubscriptionsAlong() {
        waiting { script, _ in
            script.disconnect(0)
            #expect(!script.isBeingListenedTo(0))
            script.advance(by: .milliseconds(100))
            script.connected(0)
            #expect(script.isBeingListenedTo(0))
        }
    }

    @Test func subscriptionsEndAWhileAfterTheLastWaiterAndConnectionsLater() {
        waiting { script, lock in
            script.cancel(lock)
            script.advance(by: Limits.lineLinger - Nanoseconds(1))
            #expect(script.subscriptions(0) == ["resource"])
            script.advance(by: Nanoseconds(1))
            #expect(script.subscriptions(0) == [])
            #expect(script.isBeingListenedTo(0))
            script.advance(by: Limits.listenerLinger)
            #expect(!script.isBeingListenedTo(0))
        }
    }

    @Test func whoComesMeanwhileFindsThemThere() {
        waiting { script, lock in
            script.cancel(lock)
            script.advance(by: Limits.lineLinger / 2)
            script.acquire(wait: .seconds(60))
            #expect(script.operations(0).last == contend, "there is contention: it learns for how long")
            script.advance(by: Limits.lineLinger)
            #expect(script.subscriptions(0) == ["resource"])
            #expect(script.unsubscriptions(0) == 0)
        }
    }

    @Test func moreResourcesThanAllowedAreNotSubscribedTo() {
        play(nodes: 1) { script in
            for number in 0...Limits.watchedResources {
                script.acquire("\(number)", wait: .seconds(60))
                script.refuse(0)
                while !script.unanswered(0).isEmpty { script.reply(0, .integer(0)) }
            }
            #expect(script.engine.contentions.watched.count == Limits.watchedResources)
        }
    }

    @Test func whoMayNotSubscribeIsReportedOnceAndGoesByTheClock() {
        play(nodes: 1) {
            $0.retryJitter = .zero
        } script: { script in
            script.acquire(wait: .seconds(60))
            script.refuse(0)
            script.reply(0, .integer(0))
            script.listening(0, confirming: false)
            script.push(0, .refused("NOPERM"))
            script.advance(by: .milliseconds(100))
            #expect(attempts(script) == 2)
            script.acquire("other", wait: .seconds(60))
            while let command = script.unanswered(0).first {
                if command.isRelease { script.reply(0, .integer(-1)) } else { script.refuse(0) }
            }
            let denials = script.reports.count { if case .notificationsDenied(0, _) = $0 { true } else { false } }
            #expect(denials == 1)
        }
    }

    @Test func anAttemptThatIsOverIsNotSentAgainForWantOfItsScript() {
        waiting(nodes: 3) { script, _ in
            for node in 0..<3 { script.tell(node) }
            script.advance(by: .milliseconds(500))
            script.refuse(0...1)
            // Its release is on its way: whatever is set after that would stay.
            let sent = script.sent(2).count
            script.reply(2, .error("NOSCRIPT No matching script"))
            #expect(script.sent(2).count == sent)
        }
    }

    @Test(arguments: ["", "x", "-1", "1000000000000000", "0x1", "released ", "Released"])
    func whatIsNeitherANumberNorTheWordIsNoMessage(text: String) {
        #expect(Channel.Message([UInt8](text.utf8)) == nil)
    }

    @Test func theChannelIsThatOfTheKey() {
        let key: [UInt8] = [0, 255, 10]
        #expect(Channel.key(of: Channel.name(of: key)) == key)
        #expect(Channel.key(of: key) == nil)
    }

    @Test(arguments: [Channel.Message.free, .taken(.milliseconds(300_000)), .released])
    func whatIsToldIsHeard(message: Channel.Message) {
        #expect(Channel.Message(message.payload) == message)
    }
}
