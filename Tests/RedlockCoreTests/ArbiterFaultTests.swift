import Testing

@testable import RedlockCore

/// The node that is asked first when it cannot be heard, does not answer, or lies about who has the resource; and who
/// should not ask it first.
@Suite struct ArbiterFaultTests {
    /// Every node that was asked for something answers so, or that there was nothing to release.
    private func answer(_ script: Script, _ nodes: some Sequence<Int>, _ answer: (Int) -> Void) {
        for node in nodes {
            while let command = script.unanswered(node).first {
                if command.isRelease { script.reply(node, .integer(0)) } else { answer(node) }
            }
        }
    }

    /// The waiter hears of a release over the node, and has the lock.
    private func take(_ script: Script, over node: Int) {
        script.tell(node, .released)
        script.advance(by: .milliseconds(10))
        script.reply(node, .ok)
        script.tell(node, .taken(.seconds(10)))
        script.reply((0..<5).filter { $0 != node }, .ok)
    }

    // MARK: It cannot be heard

    @Test func whatCannotBeHeardIsNotAskedAgainAndAgain() {
        playWaiter(fallback: .seconds(1)) { script, _ in
            script.tell(3, .released)
            script.deafen(3)
            for _ in 0..<1_000 {
                script.advance(by: .milliseconds(1))
                answer(script, 0..<5) { script.refuse($0, for: 30_000) }
            }
            #expect(script.asked.allSatisfy { (3...5).contains($0) })
        }
    }

    @Test func aStaleKeyOnANodeThatCannotBeHeardKeepsNobodyOut() {
        playWaiter(fallback: .seconds(1)) { script, lock in
            script.tell(3, .released)
            script.deafen(3)
            for _ in 0..<200 {
                script.advance(by: .milliseconds(10))
                answer(script, [3]) { script.refuse($0, for: 60_000_000) }
                answer(script, [0, 1, 2, 4]) { script.reply($0, .ok) }
            }
            #expect(script.isGranted(lock))
        }
    }

    @Test func whoReleasedOverANodeThatItCannotHearDoesNotAskItAgainAndAgain() {
        playWaiter(fallback: .seconds(1), listening: 0..<4) { script, lock in
            take(script, over: 3)
            script.release(lock)
            script.reply(0..<5, .integer(1))
            let before = script.asked
            script.acquire(wait: .seconds(60))
            for _ in 0..<1_000 {
                answer(script, 0..<5) { script.refuse($0, for: 30_000) }
                script.advance(by: .milliseconds(1))
            }
            #expect(zip(script.asked, before).allSatisfy { $0 - $1 < 5 })
        }
    }

    @Test func aReleaseBeforeItsSubscriptionStoodIsMadeUpFor() {
        playWaiter(listening: 0..<3) { script, _ in
            // Told over node 4 by now, where nobody was subscribed.
            let before = script.asked
            script.listening(4)
            script.advance(by: .milliseconds(10))
            #expect(script.asked == before.map { $0 + 1 })
        }
    }

    // MARK: It does not answer

    @Test(arguments: ["an error", "silence"])
    func whenItFailedTheKeysOfTheOthersSayWhenToTry(why: String) {
        playWaiter { script, _ in
            script.tell(3, .released)
            script.advance(by: .milliseconds(10))
            if why == "silence" { script.advance(by: .milliseconds(100)) } else { script.reply(3, .error("OOM")) }
            for _ in 0..<2 { answer(script, [0, 1, 2, 4]) { script.refuse($0, for: 5_000) } }
            answer(script, why == "silence" ? [] : [3]) { _ in }
            let before = script.asked
            script.advance(by: .seconds(7))
            #expect(script.asked[0] == before[0] + 1)
        }
    }

    @Test func itGetsItsScriptWhole() {
        playWaiter { script, lock in
            script.tell(3, .released)
            script.advance(by: .milliseconds(10))
            script.reply(3, .error("NOSCRIPT No matching script"))
            #expect(script.asked == [2, 2, 2, 4, 2])
            script.reply(3, .ok)
            script.reply(0...1, .ok)
            #expect(script.isGranted(lock))
        }
    }

    @Test func itDoesNotGetItsScriptForWhoHasGivenUp() {
        playWaiter { script, lock in
            script.tell(3, .released)
            script.advance(by: .milliseconds(10))
            script.cancel(lock)
            script.reply(3, .error("NOSCRIPT No matching script"))
            #expect(script.asked == [2, 2, 2, 3, 2])
            #expect(script.operations(3).last == .release)
        }
    }

    @Test func aGrantThatCameLateIsReleasedWithTheOthers() {
        playWaiter { script, lock in
            script.tell(3, .released)
            script.advance(by: .milliseconds(110))
            script.reply(0...2, .ok)
            script.reply(3, .ok)
            script.release(lock)
            #expect((0..<5).allSatisfy { script.operations($0).last == .release })
        }
    }

    @Test func whoHasNoTimeToAskTwiceAsksAllAndIsAnsweredInTime() {
        playWaiter(wait: .seconds(10)) { script, lock in
            let deadline = Instant(nanoseconds: 11_000_000_000)
            script.advance(by: deadline - script.now - .milliseconds(90))
            script.tell(3, .released)
            script.advance(by: .milliseconds(20))
            #expect(script.asked == [3, 3, 3, 3, 3])
            script.advance(by: .milliseconds(180))
            #expect(script.refusal(of: lock) != nil, "a node timeout after the deadline")
        }
    }

    @Test func refusalsOfThoseThatWereAskedLastAreNews() {
        playWaiter { script, _ in
            script.tell(3, .released)
            script.advance(by: .milliseconds(10))
            script.tell(4, .released)
            script.advance(by: .milliseconds(1))
            script.reply(3, .ok)
            script.refuse([0, 1, 2, 4], for: 30_000)
            answer(script, 0..<5) { script.reply($0, .integer(1)) }
            let before = script.asked
            script.advance(by: .seconds(20))
            #expect(script.asked == before)
        }
    }

    // MARK: Who does not ask it first

    @Test func whoTakesOverInThisProcessAsksAllAtOnce() {
        playWaiter { script, lock in
            let next = script.acquire(wait: .seconds(100_000))
            take(script, over: 3)
            var before = script.asked
            script.release(lock)
            #expect(script.asked == before.map { $0 + 1 })
            script.reply(0..<5, .integer(1))
            for node in [3, 4, 0, 1, 2] { script.reply(node, .ok) }
            script.acquire(wait: .seconds(100_000))
            before = script.asked
            script.release(next)
            #expect(script.asked == before.map { $0 + 1 }, "also where its own grant is what it heard last")
        }
    }

    @Test(arguments: [(subscribers: Int64(2), first: 5), (3, 1)])
    func whoComesAsksAllWhereNobodyElseWaits(subscribers: Int64, first: Int) {
        playWaiter { script, lock in
            take(script, over: 4)
            script.release(lock)
            script.tell(4, .released)
            script.reply(0...3, .integer(1))
            script.reply(4, .integer(subscribers))
            script.advance(by: .milliseconds(900))
            script.acquire(wait: .seconds(60))
            #expect((0..<5).count { !script.unanswered($0).isEmpty } == first)
        }
    }

    // MARK: Who tells

    @Test func anAnnouncementThatIsDeniedIsMadeElsewhere() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.release(lock)
            script.reply(0...1, .integer(1))
            script.reply(2, .integer(-1))
            script.reply(1, .error("NOPERM this user has no permissions to run the 'publish' command"))
            #expect(script.operations(0).last == .announce)
        }
    }

    /// It is not to be left out for ever.
    @Test func aNodeThatFailsToAnnounceOnceMayTellTheNextTime() {
        play(nodes: 3) { script in
            var lock = script.hold()
            script.release(lock)
            script.reply(0...1, .integer(1))
            script.reply(2, .integer(0))
            #expect(script.operations(1).last == .announce)
            script.reply(1, .error("LOADING Redis is loading the dataset in memory"))
            script.disconnect(2)
            lock = script.acquire()
            script.reply(0...1, .ok)
            script.release(lock)
            #expect(script.sent(1).last?.notice == .everywhere)
        }
    }

    @Test func whoMayNotCountMayStillTell() {
        play(nodes: 3) { script in
            var held = script.hold()
            for _ in 0..<3 {
                let next = script.acquire(wait: .seconds(60))
                script.release(held)
                for node in 0..<3 {
                    let isCounting = script.unanswered(node).first?.notice == .count
                    script.reply(node, .integer(isCounting ? -1 : 1))
                }
                script.reply(0..<3, .ok)
                held = next
            }
            script.release(held)
            #expect((0..<3).map { script.sent($0).last?.notice } == [.nothing, .nothing, .everywhere])
        }
    }

    @Test func whatHasLapsedIsNotToldOfAsReleased() {
        play(nodes: 5) { script in
            let lock = script.hold(ttl: .seconds(1))
            script.advance(by: .seconds(2))
            script.release(lock)
            #expect((0..<5).allSatisfy { script.sent($0).last?.notice == .node })
            script.reply(0...4, .integer(0))
            #expect(!(0..<5).contains { script.operations($0).contains(.announce) })
        }
    }

    @Test func theLastWordIsAwaitedAtTheShutdown() {
        play(nodes: 3) {
            $0.nodeTimeout = .milliseconds(100)
        } script: { script in
            let lock = script.hold()
            script.release(lock)
            script.shutdown()
            script.reply(0...1, .integer(1))
            script.advance(by: .milliseconds(100))
            #expect(script.operations(1).last == .announce)
            #expect(!script.isClosed)
            script.reply(1, .integer(0))
            #expect(script.isClosed)
        }
    }
}
