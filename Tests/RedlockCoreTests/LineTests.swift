import Testing

@testable import RedlockCore

/// Several requests of one process for the same resource: one contender, in order.
@Suite struct LineTests {
    private func isGranted(_ lock: LockID, _ script: Script) -> Bool {
        script.told.contains { if case .granted(lock, _) = $0 { true } else { false } }
    }

    private func serveAll(_ script: Script) {
        for node in 0..<script.nodeCount { script.serve(node) }
    }

    @Test func whoComesLaterAsksNoNode() {
        play(nodes: 3) { script in
            _ = script.hold()
            for _ in 0..<100 { script.acquire(wait: .seconds(60)) }
            script.advance(by: .seconds(5))
            for node in 0..<3 { #expect(script.operations(node) == [.acquire(milliseconds: 10_000)]) }
            #expect(script.news() == [])
        }
    }

    @Test func aReleaseHandsOverInTheSameTurnWithAFreshToken() {
        play(nodes: 3) { script in
            let first = script.acquire()
            let second = script.acquire(wait: .seconds(60))
            serveAll(script)
            #expect(isGranted(first, script))
            script.release(first)
            for node in 0..<3 {
                #expect(script.unanswered(node).map(\.operation) == [.release, .acquire(milliseconds: 10_000)])
                #expect(script.unanswered(node)[0].token != script.unanswered(node)[1].token)
            }
            serveAll(script)
            #expect(isGranted(second, script))
        }
    }

    @Test func theyAreServedInTheOrderInWhichTheyCame() {
        play(nodes: 1) { script in
            let locks = (0..<10).map { _ in script.acquire(wait: .seconds(60)) }
            for lock in locks {
                script.serve(0)
                #expect(isGranted(lock, script))
                script.release(lock)
            }
            script.serve(0)
        }
    }

    @Test func whoGivesUpInTheMiddleIsPassedOver() {
        play(nodes: 1) { script in
            let locks = (0..<5).map { _ in script.acquire(wait: .seconds(60)) }
            script.serve(0)
            script.cancel(locks[2])
            script.cancel(locks[4])
            script.cancel(locks[1])
            for lock in [locks[0], locks[3]] {
                script.serve(0)
                #expect(isGranted(lock, script))
                script.release(lock)
            }
            script.serve(0)
            var refusal = Refusal(reason: .cancelled, attempts: 0, votes: [.notAsked])
            refusal.ahead = .holder
            refusal.changedHands = true
            #expect(script.told.filter { $0 == .refused(locks[1], refusal) }.count == 1)
        }
    }

    @Test func withoutAWaitOneIsToldAtOnceWhoHoldsIt() {
        play(nodes: 3) { script in
            script.acquire()
            script.reply(0...1, .ok)
            _ = script.news()
            let lock = script.acquire(wait: .zero)
            var refusal = Refusal(
                reason: .heldByAnother, attempts: 0, votes: [.heldByAnother, .heldByAnother, .notAsked])
            refusal.ahead = .holder
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func withoutAWaitOneSharesWhatTheAttemptUnderWayComesTo() {
        play(nodes: 1) { script in
            script.acquire(wait: .seconds(60))
            let lock = script.acquire(wait: .zero)
            #expect(script.news() == [])
            script.reply(0, .error("LOADING"))
            var refusal = Refusal(reason: .unavailable, attempts: 0, votes: [.error("LOADING")])
            refusal.ahead = .contender
            #expect(script.news() == [.refused(lock, refusal)], "an outage is not called contention")
            let another = script.acquire(wait: .zero)
            #expect(script.news() == [.refused(another, refusal)], "nor a moment later")
        }
    }

    @Test func ifTheAttemptUnderWayIsCancelledTheyMakeTheirOwn() {
        play(nodes: 1) { script in
            let first = script.acquire(wait: .seconds(60))
            let second = script.acquire(wait: .zero)
            script.cancel(first)
            script.serve(0)
            #expect(isGranted(second, script))
        }
    }

    @Test func eachHasADeadlineOfItsOwn() {
        play(nodes: 1) { script in
            _ = script.hold(ttl: .seconds(60))
            let start = script.now
            let long = script.acquire(wait: .seconds(3))
            let short = script.acquire(wait: .seconds(1))
            var refusal = Refusal(reason: .heldByAnother, attempts: 0, votes: [.heldByAnother])
            refusal.ahead = .holder
            script.advance(to: start + .seconds(1) - Nanoseconds(1))
            #expect(script.news() == [])
            script.advance(by: Nanoseconds(1))
            #expect(script.news() == [.refused(short, refusal)])
            script.advance(to: start + .seconds(3))
            #expect(script.news() == [.refused(long, refusal)])
            #expect(script.operations(0).count == 1)
        }
    }

    @Test func aLeaseThatIsLostBlocksNobody() {
        play(nodes: 1) { script in
            let lost = script.acquire(ttl: .seconds(10))
            script.serve(0)
            let next = script.acquire(wait: .seconds(60))
            script.advance(by: .milliseconds(8_897))
            #expect(script.operations(0).count == 1)
            script.advance(by: .milliseconds(10))
            #expect(script.operations(0).count == 2, "the nodes decide")
            script.serve(0)
            #expect(!isGranted(next, script))
            script.release(lost)
            for _ in 0..<20 where !isGranted(next, script) {
                script.serve(0)
                script.advance(by: .milliseconds(100))
            }
            #expect(isGranted(next, script))
        }
    }

    @Test func theNextWaitsOnInThePlaceOfTheOneWhoseTimeIsOver() {
        play(nodes: 1) {
            $0.fallbackDelay = .seconds(20)
        } script: { script in
            let first = script.acquire(wait: .seconds(1))
            for _ in 0..<1_000 { script.acquire(wait: .seconds(60)) }
            for _ in 0..<20 {
                if !script.unanswered(0).isEmpty {
                    if script.unanswered(0)[0].isRelease { script.reply(0, .integer(0)) } else { script.refuse(0) }
                }
                script.advance(by: .milliseconds(100))
            }
            #expect(script.told.contains { if case .refused(first, _) = $0 { true } else { false } })
            #expect(script.operations(0).filter { $0 != .release }.count == 3, "at once, once more, at the deadline")
        }
    }

    @Test func whoHasHadItsTurnsLetsOthersGoFirst() {
        play(nodes: 1) { script in
            let locks = (0...Limits.turnsInARow).map { _ in script.acquire(wait: .seconds(60)) }
            for (turn, lock) in locks.enumerated() {
                if turn < Limits.turnsInARow {
                    script.reply(0, .ok)
                    #expect(isGranted(lock, script))
                    script.release(lock)
                    // Somebody else is subscribed.
                    script.reply(0, .integer(2))
                }
            }
            #expect(script.operations(0).last == .release, "it is announced")
            script.advance(by: .milliseconds(1))
            #expect(script.operations(0).last == .release)
            // Nobody takes it: then it is this process' turn again.
            script.advance(by: .milliseconds(50))
            #expect(script.operations(0).last == .contend(milliseconds: 10_000))
            script.serve(0)
            #expect(isGranted(locks.last!, script))
        }
    }

    @Test func whenTheOthersHaveGoneItGoesOnAsOftenAsItLikes() {
        play(nodes: 1) { script in
            let locks = (0...2 * Limits.turnsInARow).map { _ in script.acquire(wait: .seconds(60)) }
            for (turn, lock) in locks.enumerated() {
                script.reply(0, .ok)
                #expect(isGranted(lock, script))
                script.release(lock)
                // Somebody else is subscribed at first, and then nobody.
                script.reply(0, .integer(turn < 2 ? 2 : 1))
                #expect(script.engine.contentions.rivalled == (turn < 2 ? 1 : 0))
            }
        }
    }

    @Test func othersAreForgottenWithTheResource() {
        play(nodes: 1) { script in
            script.release(script.hold())
            script.reply(0, .integer(2))
            #expect(script.engine.contentions.rivalled == 1)
            script.advance(by: Limits.lineLinger)
            #expect(script.engine.contentions.count == 0)
            #expect(script.engine.contentions.rivalled == 0)
        }
    }

    @Test func aloneAProcessGoesOnAsOftenAsItLikes() {
        play(nodes: 1) { script in
            let locks = (0..<5 * Limits.turnsInARow).map { _ in script.acquire(wait: .seconds(60)) }
            for lock in locks {
                script.serve(0)
                #expect(isGranted(lock, script))
                script.release(lock)
            }
            script.serve(0)
        }
    }

    @Test func tenThousandWaitersAreOneContenderAndLeaveNothing() {
        play(nodes: 3) { script in
            let locks = (0..<10_000).map { _ in script.acquire(wait: .seconds(600)) }
            for node in 0..<3 { #expect(script.sent(node).count == 1) }
            for node in 0..<3 { script.refuse(node) }
            // From the middle outwards, the contender somewhere between.
            for index in 0..<5_000 {
                script.cancel(locks[5_000 + index])
                script.cancel(locks[4_999 - index])
            }
            #expect(script.news().count == 10_000)
            #expect(script.engine.locks.count == 0)
            for node in 0..<3 { #expect(script.operations(node).count { $0 != .release } == 1) }
            script.advance(by: Limits.lineLinger)
            #expect(script.engine.contentions.count == 0)
            #expect(script.engine.contentions.watched.isEmpty)
        }
    }

    @Test func aResourceThatNobodyContendsForIsForgottenAtOnce() {
        play(nodes: 3) { script in
            let lock = script.hold()
            #expect(script.engine.contentions.count == 1)
            script.release(lock)
            #expect(script.engine.contentions.count == 0)
        }
    }
}

@Suite struct ResourceKeyTests {
    @Test func everyByteOfANameCounts() {
        var bytes: [UInt8] = []
        for length in 1...40 {
            let shorter = ResourceKey(bytes: bytes)
            bytes.append(UInt8(length))
            let key = ResourceKey(bytes: bytes)
            #expect(key.hashValue == ResourceKey(bytes: bytes).hashValue)
            #expect(key.hashValue != shorter.hashValue)
            for index in bytes.indices {
                var other = bytes
                other[index] += 1
                #expect(key != ResourceKey(bytes: other))
                #expect(key.hashValue != ResourceKey(bytes: other).hashValue)
            }
        }
    }
}

// MARK: - Waiting for oneself

extension LineTests {
    private func refusal(of lock: LockID, _ script: Script) -> Refusal? {
        for case .refused(lock, let refusal) in script.told { return refusal }
        return nil
    }

    @Test func aRequestBehindALeaseOfItsProcessIsToldSo() {
        play(nodes: 3) { script in
            _ = script.hold(ttl: .seconds(60))
            let lock = script.acquire(wait: .seconds(1))
            script.advance(by: .seconds(1))
            #expect(refusal(of: lock, script)?.reason == .heldByAnother)
            #expect(refusal(of: lock, script)?.ahead == .holder)
            #expect(refusal(of: lock, script)?.changedHands == false)
        }
    }

    @Test func aRequestWhoseHolderChangedIsToldSo() {
        play(nodes: 1) { script in
            let first = script.hold(ttl: .seconds(60))
            let second = script.acquire(ttl: .seconds(60), wait: .seconds(60))
            let third = script.acquire(wait: .seconds(1))
            script.release(first)
            script.serve(0)
            #expect(isGranted(second, script))
            script.advance(by: .seconds(1))
            #expect(refusal(of: third, script)?.ahead == .holder)
            #expect(refusal(of: third, script)?.changedHands == true)
        }
    }

    @Test func aRequestBehindOthersThatTryIsToldThatAnotherProcessHoldsIt() {
        play(nodes: 1) { script in
            let first = script.acquire(wait: .seconds(60))
            let second = script.acquire(wait: .seconds(1))
            script.reply(0, .null)
            while refusal(of: second, script) == nil {
                script.advance(to: script.nextDeadline)
                if !script.unanswered(0).isEmpty { script.refuse(0) }
            }
            #expect(refusal(of: second, script)?.reason == .heldByAnother)
            #expect(refusal(of: second, script)?.ahead == .contender)
            #expect(refusal(of: second, script)?.changedHands == false)
            script.cancel(first)
            #expect(refusal(of: first, script)?.ahead == nil, "nobody of this process is ahead of it")
        }
    }

    @Test func aRequestThatAskedTheNodesItselfIsToldThatAnotherHoldsIt() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            script.reply(0..<3, .null)
            #expect(refusal(of: lock, script)?.reason == .heldByAnother)
            #expect(refusal(of: lock, script)?.ahead == nil)
            #expect(refusal(of: lock, script)?.changedHands == false)
        }
    }

    @Test func aRequestThatMeetsALeaseThatItsProcessLostIsToldSo() {
        play(nodes: 1) { script in
            let lost = script.hold(ttl: .seconds(10), maximumHold: .seconds(5))
            script.advance(by: .seconds(5))
            let lock = script.acquire()
            script.reply(0, .null)
            #expect(refusal(of: lock, script)?.ahead == .lostHolder)
            script.release(lost)
            script.reply(0, .integer(0))
            script.reply(0, .integer(1))
            let later = script.acquire()
            script.reply(0, .null)
            #expect(refusal(of: later, script)?.ahead == nil)
            #expect(script.engine.contentions.count == 0)
        }
    }

    @Test func aLineWithALostLeaseIsKeptUntilTheRelease() {
        play(nodes: 1) { script in
            let lost = script.hold(ttl: .seconds(10))
            script.advance(by: .seconds(20))
            #expect(script.engine.contentions.count == 1)
            script.release(lost)
            #expect(script.engine.contentions.count == 0)
        }
    }

    @Test func whoGivesUpBehindALeaseOfItsProcessIsToldSo() {
        play(nodes: 1) { script in
            _ = script.hold(ttl: .seconds(60))
            let lock = script.acquire(wait: .seconds(60))
            script.cancel(lock)
            #expect(refusal(of: lock, script)?.reason == .cancelled)
            #expect(refusal(of: lock, script)?.ahead == .holder)
        }
    }
}
