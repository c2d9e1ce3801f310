import Testing

@testable import RedlockCore

@Suite struct FencingTests {
    private func token(_ told: [Script.Told]) -> Int64? {
        guard told.count == 1, case .granted(_, let grant) = told[0] else { return nil }
        return grant.fencingToken
    }

    private func refusal(_ told: [Script.Told]) -> Refusal? {
        guard told.count == 1, case .refused(_, let refusal) = told[0] else { return nil }
        return refusal
    }

    // MARK: One round trip

    @Test func theAcquireItselfProposesTheClocksNumber() {
        play(nodes: 3) { script in
            script.acquire(wallClock: 5_000)
            #expect(script.operations(0) == [.acquireFenced(milliseconds: 10_000, number: 5_000)])
            script.reply(0...1, .pair(1, 5_000))
            #expect(token(script.news()) == 5_000)
            script.reply(2, .pair(1, 5_000))
            for node in 0..<3 { #expect(script.sent(node).count == 1) }
        }
    }

    @Test func withoutFencingNothingIsDifferent() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            #expect(script.operations(0) == [.acquire(milliseconds: 10_000)])
            script.reply(0...1, .ok)
            let told = script.news()
            #expect(told.count == 1 && token(told) == nil)
            script.release(lock)
        }
    }

    @Test func aRetryProposesWhatTheClockWouldReadThen() throws {
        try play(nodes: 1) { script in
            script.acquire(wait: .seconds(1), wallClock: 5_000)
            script.advance(by: .milliseconds(1))
            script.reply(0, .pair(0, 200))
            script.reply(0, .integer(0))
            script.advance(by: .milliseconds(250))
            let numbers = script.operations(0).compactMap {
                if case .acquireFenced(_, let number) = $0 { number } else { nil }
            }
            try #require(numbers.count == 2)
            #expect((101_000...201_000).contains(numbers[1] - 5_000))
        }
    }

    @Test(arguments: [
        (Int64.min, Int64(1)), (-1, 1), (0, 1), (1 << 52, 1 << 52), ((1 << 52) + 1, 1 << 52), (.max, 1 << 52),
    ])
    func aClockFarOffIsBelievedWithinBounds(wallClock: Int64, number: Int64) {
        play(nodes: 1) { script in
            script.acquire(wallClock: wallClock)
            #expect(script.operations(0) == [.acquireFenced(milliseconds: 10_000, number: number)])
        }
    }

    @Test func whatWasSeenIsNeverProposedAgain() {
        play(nodes: 1) { script in
            for expected in 7_000...7_003 as ClosedRange<Int64> {
                let lock = script.acquire(wallClock: 7_000)
                #expect(script.operations(0).last == .acquireFenced(milliseconds: 10_000, number: expected))
                script.serve(0)
                #expect(token(script.news()) == expected)
                script.release(lock)
                script.serve(0)
                _ = script.news()
            }
            script.acquire("other", wallClock: 7_000)
            #expect(script.operations(0).last == .acquireFenced(milliseconds: 10_000, number: 7_000))
        }
    }

    // MARK: Raises

    @Test func aNumberThatWasTooLowIsRaisedOnTheNodesThatGranted() {
        play(nodes: 5) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0, .pair(1, 5_000))
            script.reply(1, .pair(2, 9_000))
            script.reply(2, .pair(0, 100))
            #expect(script.news() == [])
            script.reply(3, .pair(2, 8_000))
            for node in [0, 1, 3] { #expect(script.operations(node).last == .raise(to: 9_001)) }
            for node in [2, 4] { #expect(script.sent(node).count == 1) }
            #expect(Set((0..<5).map { script.sent($0)[0].token }) == Set(script.sent(1).map(\.token)))
            script.reply(0, .pair(1, 9_001))
            script.reply(1, .pair(1, 9_001))
            #expect(script.news() == [])
            script.reply(3, .pair(1, 9_001))
            #expect(token(script.news()) == 9_001)
            // It comes too late for a number, and is a spare node all the same.
            script.reply(4, .pair(1, 5_000))
            #expect(script.sent(4).count == 1)
        }
    }

    @Test func aRaisedNumberIsKnownToTheNextAttempt() {
        play(nodes: 1) { script in
            script.setNumber(9_000, on: 0)
            let lock = script.acquire(wallClock: 5_000)
            script.serve(0)
            #expect(token(script.news()) == 9_001)
            script.release(lock)
            script.serve(0)
            _ = script.news()
            script.acquire(wallClock: 5_000)
            script.serve(0)
            #expect(token(script.news()) == 9_002)
            #expect(script.operations(0).filter { if case .raise = $0 { true } else { false } }.count == 1)
        }
    }

    /// Nodes 0 and 1 accepted the first number, 2 only the second, 3 and 4 the first: no number has a quorum yet.
    @Test func acceptancesOfDifferentNumbersDoNotAddUp() {
        play(nodes: 5) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0...1, .pair(1, 5_000))
            script.reply(2, .pair(2, 9_000))
            script.reply(2, .pair(1, 9_001))
            script.reply(3...4, .pair(1, 5_000))
            #expect(script.news() == [])
            // Those who granted late are offered the higher number too.
            for node in 0..<5 { #expect(script.operations(node).last == .raise(to: 9_001)) }
            script.reply(3, .pair(1, 9_001))
            #expect(script.news() == [])
            script.reply(4, .pair(1, 9_001))
            #expect(token(script.news()) == 9_001)
            script.reply(0...1, .pair(1, 9_001))
        }
    }

    @Test func aNumberEqualToOursIsNoAcceptance() {
        play(nodes: 3) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0, .pair(1, 5_000))
            script.reply(1, .pair(2, 5_000))
            #expect(script.news() == [])
            #expect(script.operations(1).last == .raise(to: 5_001))
        }
    }

    @Test func aNodeThatGrantsLateWithAHigherNumberStillMakesASecondRaise() {
        play(nodes: 3) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0...1, .pair(2, 9_000))
            script.reply(2, .pair(2, 9_500))
            #expect(script.operations(2) == [.acquireFenced(milliseconds: 10_000, number: 5_000)])
            script.reply(0, .pair(1, 9_001))
            // A quorum has the key, and one of it has not accepted.
            for node in 0..<3 { #expect(script.operations(node).last == .raise(to: 9_501)) }
            script.reply(1, .pair(1, 9_001))
            #expect(script.news() == [])
            script.reply(0...1, .pair(1, 9_501))
            #expect(token(script.news()) == 9_501)
        }
    }

    @Test func raisesComeToAnEnd() {
        play(nodes: 3) { script in
            script.acquire(wallClock: 5_000)
            var rounds: UInt32 = 0
            var highest: Int64 = 9_000
            while case .acquireFenced? = script.unanswered(0).first?.operation {
                script.reply(0...2, .pair(2, highest))
            }
            while case .raise? = script.unanswered(0).first?.operation, rounds < 100 {
                rounds += 1
                highest += 1_000
                script.reply(0...2, .pair(2, highest))
            }
            #expect(rounds == Limits.fencingRaises)
            let votes = refusal(script.news())?.votes
            #expect(votes?.prefix(2) == [.numberTooLow(highest), .numberTooLow(highest)])
            for node in 0..<3 { #expect(script.sent(node).last?.isRelease == true) }
        }
    }

    @Test func thereIsNoNumberAboveTheHighest() {
        play(nodes: 1) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0, .pair(2, Limits.fencingNumber))
            #expect(refusal(script.news())?.votes == [.failed(.implausibleNumber(Limits.fencingNumber))])
            script.acquire("other", wallClock: 5_000)
            script.reply(0, .integer(1))
            script.reply(0, .pair(2, Limits.fencingNumber - 1))
            script.reply(0, .pair(1, Limits.fencingNumber))
            #expect(token(script.news()) == Limits.fencingNumber)
        }
    }

    // MARK: Numbers that cannot be right

    @Test(arguments: [
        (Int64(1 << 53) - 2), Limits.fencingNumber, Limits.fencingNumber - 1, Limits.fencingProposal + 1,
    ])
    func aNumberBeyondClocksOfAMinorityIsAFailedVoteAndIsNotAdopted(number: Int64) {
        play(nodes: 5) { script in
            let lock = script.acquire(wallClock: 5_000)
            script.reply(0...1, .pair(2, number))
            script.reply(2...3, .pair(1, 5_000))
            #expect(script.news() == [])
            script.reply(4, .pair(1, 5_000))
            #expect(token(script.news()) == 5_000)
            for node in 0..<5 { #expect(script.sent(node).count == 1) }
            script.release(lock)
            for node in 0..<5 { script.serve(node) }
            _ = script.news()
            script.acquire(wallClock: 5_000)
            #expect(script.operations(2).last == .acquireFenced(milliseconds: 10_000, number: 5_001))
        }
    }

    @Test func aMajorityOfNumbersThatNoneConfirmsIsAnOutageThatNamesTheNodes() {
        play(nodes: 3) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0, .pair(2, Limits.fencingNumber))
            script.reply(1, .pair(2, Limits.fencingProposal + 1))
            let expected: [Vote] = [
                .failed(.implausibleNumber(Limits.fencingNumber)),
                .failed(.implausibleNumber(Limits.fencingProposal + 1)), .pending,
            ]
            #expect(refusal(script.news()) == Refusal(reason: .unavailable, attempts: 1, votes: expected))
        }
    }

    /// A clock beyond all, once, must not end the use of a resource: the numbers go on by one.
    @Test func aNumberBeyondClocksThatMoreNodesKnowThanMayFailIsRaised() {
        play(nodes: 5) { script in
            let number = Limits.fencingProposal + 7
            script.acquire(wallClock: 5_000)
            script.reply(0, .pair(2, number))
            script.reply(1, .pair(2, number - Limits.fencingNumbersMissed))
            #expect(script.news() == [])
            script.reply(2, .pair(2, number))
            // Node 1 and node 2 confirm node 0; nobody confirms more than node 1 knows.
            for node in 0...2 { #expect(script.operations(node).last == .raise(to: number + 1)) }
            script.reply(0...2, .pair(1, number + 1))
            #expect(token(script.news()) == number + 1)
        }
    }

    @Test func aLiarAboveAConfirmedNumberIsStillALiar() {
        play(nodes: 5) { script in
            let number = Limits.fencingProposal + 7
            script.acquire(wallClock: 5_000)
            script.reply(4, .pair(2, Limits.fencingNumber - 1))
            script.reply(0...1, .pair(2, number))
            #expect(script.news() == [])
            script.reply(2, .pair(2, number))
            for node in 0...2 { #expect(script.operations(node).last == .raise(to: number + 1)) }
            #expect(script.operations(4).count == 1)
            script.reply(0...2, .pair(1, number + 1))
            #expect(token(script.news()) == number + 1)
        }
    }

    @Test func aClientThatKnowsANumberBeyondClocksBelievesTheNext() {
        play(nodes: 3) { script in
            let number = Limits.fencingProposal + 7
            let lock = script.acquire(wallClock: 5_000)
            script.reply(0...1, .pair(2, number))
            script.reply(0...1, .pair(1, number + 1))
            #expect(token(script.news()) == number + 1)
            script.reply(2, .pair(1, 5_000))
            script.release(lock)
            for node in [0, 1, 2, 0, 1, 2] { script.serve(node) }
            _ = script.news()
            script.acquire(wallClock: 5_000)
            #expect(script.operations(0).last == .acquireFenced(milliseconds: 10_000, number: number + 2))
            #expect(script.unanswered(0).count == 1 && script.unanswered(1).count == 1)
            script.reply(0, .pair(2, number + 4))
            script.reply(1, .pair(1, number + 2))
            #expect(script.operations(0).last == .raise(to: number + 5))
        }
    }

    // MARK: What can go wrong with a raise

    @Test(arguments: [
        (Reply.pair(0, -2), Vote.missing, Refusal.Reason.heldByAnother), (.pair(0, 90), .heldByAnother, .heldByAnother),
        (.error("OOM"), .error("OOM"), .unavailable),
    ])
    func aRaiseThatNoQuorumTookIsNoGrantAndEveryNodeIsToldToRelease(
        reply: Reply, vote: Vote, reason: Refusal.Reason
    ) {
        play(nodes: 3) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0...1, .pair(2, 9_000))
            script.reply(0...1, reply)
            #expect(refusal(script.news()) == Refusal(reason: reason, attempts: 1, votes: [vote, vote, .pending]))
            for node in 0..<3 { #expect(script.sent(node).last?.isRelease == true) }
        }
    }

    @Test func aRaiseTakesPartInTheNodeTimeout() {
        play(nodes: 1) { script in
            script.acquire(wallClock: 5_000)
            script.advance(by: .milliseconds(60))
            script.reply(0, .pair(2, 9_000))
            script.advance(by: .milliseconds(99))
            #expect(script.news() == [])
            script.advance(by: .milliseconds(1))
            #expect(refusal(script.news()) == Refusal(reason: .unavailable, attempts: 1, votes: [.timedOut]))
            #expect(script.sent(0).last?.isRelease == true)
        }
    }

    @Test func aRaiseIsWonBeforeTheEndOfValidityOrNotAtAll() {
        play(nodes: 1) { script in
            script.acquire(ttl: .milliseconds(50), wallClock: 5_000)
            script.reply(0, .pair(2, 9_000))
            script.pause(for: .microseconds(47_500))
            script.reply(0, .pair(1, 9_001))
            #expect(refusal(script.news())?.reason == .expired)
            #expect(script.sent(0).last?.isRelease == true)
        }
    }

    @Test func whoIsCancelledDuringARaiseLeavesNothingBehind() {
        play(nodes: 3) { script in
            let lock = script.acquire(wallClock: 5_000)
            script.reply(0...1, .pair(2, 9_000))
            script.cancel(lock)
            #expect(refusal(script.news())?.reason == .cancelled)
            for node in 0..<3 { #expect(script.sent(node).last?.isRelease == true) }
            // What the raise was answered does not matter to anybody.
            script.reply(0...1, .pair(1, 9_001))
            #expect(script.news() == [])
        }
    }

    @Test func aRaiseOfAnAttemptBeforeIsNotCountedForThisOne() {
        play(nodes: 1) { script in
            script.acquire(ttl: .seconds(10), wait: .seconds(5), wallClock: 5_000)
            script.reply(0, .pair(2, 9_000))
            #expect(script.unanswered(0).map(\.operation) == [.raise(to: 9_001)])
            script.advance(by: .milliseconds(100))
            #expect(script.unanswered(0).map(\.operation) == [.raise(to: 9_001), .release])
            // The next attempt begins, and fails, before the node answers at all.
            script.advance(by: .milliseconds(250))
            script.reply(0, .pair(1, 9_001))
            #expect(script.news() == [])
            script.reply(0, .integer(1))
            for _ in 0..<50 where script.unanswered(0).isEmpty { script.advance(by: .milliseconds(10)) }
            guard case .acquireFenced(_, let number)? = script.unanswered(0).first?.operation else {
                return script.complain("no other attempt")
            }
            #expect(number > 9_001)
            script.serve(0)
            #expect(token(script.news()) == number)
        }
    }

    @Test func aNodeWithoutAConnectionCannotTakeARaise() {
        play(nodes: 2) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0, .pair(2, 9_000))
            let gone = script.connection(0)
            #expect(gone != nil)
            script.disconnect(0)
            script.reply(1, .pair(1, 5_000))
            let refusal = refusal(script.news())
            #expect(refusal?.reason == .unavailable)
            #expect(refusal?.votes.first == .failed(.unreachable("reset")))
        }
    }

    // MARK: Scripts

    @Test func aScriptThatTheNodeDoesNotKnowIsSentWhole() {
        play(nodes: 1) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0, .error("NOSCRIPT No matching script"))
            #expect(script.unanswered(0).map(\.spelling) == [.source])
            script.reply(0, .pair(2, 9_000))
            script.reply(0, .error("NOSCRIPT No matching script"))
            #expect(script.unanswered(0).map(\.spelling) == [.source])
            script.reply(0, .pair(1, 9_001))
            #expect(token(script.news()) == 9_001)
        }
    }

    /// It would set the key after its own release.
    @Test func anAcquireThatIsOverIsNotSentWhole() {
        play(nodes: 1) { script in
            let lock = script.acquire(wallClock: 5_000)
            script.cancel(lock)
            script.reply(0, .error("NOSCRIPT No matching script"))
            #expect(script.unanswered(0).map(\.operation) == [.release])
            script.serve(0)
            #expect(!script.hasKey(0))
        }
    }

    /// The lease is held by the others; the release of this one comes later.
    @Test func anAcquireThatTheOthersWonIsStillSentWhole() {
        play(nodes: 3) { script in
            script.acquire(wallClock: 5_000)
            script.reply(0...1, .pair(1, 5_000))
            script.reply(2, .error("NOSCRIPT No matching script"))
            #expect(script.unanswered(2).map(\.spelling) == [.source])
        }
    }

    // MARK: Votes

    @Test(arguments: [
        (Command.Operation.acquireFenced(milliseconds: 9, number: 5), Reply.pair(1, 5), Vote.granted),
        (.acquireFenced(milliseconds: 9, number: 5), .pair(2, 5), .numberTooLow(5)),
        (.acquireFenced(milliseconds: 9, number: 5), .pair(2, 3), .numberTooLow(3)),
        (.acquireFenced(milliseconds: 9, number: 5), .pair(0, 100), .heldByAnother),
        (.acquireFenced(milliseconds: 9, number: 5), .pair(0, -1), .heldByAnother),
        (.acquireFenced(milliseconds: 9, number: 5), .pair(1, 6), .failed(.protocolViolation("the numbers 1 and 6"))),
        (
            .acquireFenced(milliseconds: 9, number: 5), .pair(2, 1 << 53),
            .failed(.implausibleNumber(1 << 53))
        ),
        (.acquireFenced(milliseconds: 9, number: 5), .pair(3, 5), .failed(.protocolViolation("the numbers 3 and 5"))),
        (.acquireFenced(milliseconds: 9, number: 5), .ok, .failed(.protocolViolation("a status"))),
        (.acquireFenced(milliseconds: 9, number: 5), .integer(1), .failed(.protocolViolation("the number 1"))),
        (.acquireFenced(milliseconds: 9, number: 5), .error("FENCING no"), .error("FENCING no")),
        (.raise(to: 5), .pair(1, 5), .granted), (.raise(to: 5), .pair(2, 8), .numberTooLow(8)),
        (.raise(to: 5), .pair(0, -2), .missing), (.raise(to: 5), .pair(0, 7), .heldByAnother),
        (.raise(to: 5), .pair(0, -1), .heldByAnother),
        (.raise(to: 5), .pair(1, 4), .failed(.protocolViolation("the numbers 1 and 4"))),
        (.acquire(milliseconds: 9), .pair(1, 5), .failed(.protocolViolation("the numbers 1 and 5"))),
        (.extend(milliseconds: 9), .pair(1, 5), .failed(.protocolViolation("the numbers 1 and 5"))),
        (.release, .pair(1, 5), .failed(.protocolViolation("the numbers 1 and 5"))),
    ])
    func anAnswerIsAVote(operation: Command.Operation, reply: Reply, vote: Vote) {
        #expect(reply.vote(on: operation) == vote)
    }

    // MARK: What a client remembers

    @Test func noMoreNumbersAreRememberedThanAllowedAndTheLatestAreAmongThem() {
        var numbers = FencingNumbers()
        func key(_ number: Int) -> [UInt8] { [UInt8](String(number).utf8) }
        let count = Limits.fencingNumbersRemembered * 2
        for number in 0..<count {
            numbers.note(Int64(number) + 1, of: key(number))
            if numbers.count > Limits.fencingNumbersRemembered { Issue.record("\(numbers.count) numbers") }
        }
        for number in (count - Limits.fencingNumbersRemembered / 2)..<count
        where numbers.highest(of: key(number)) != Int64(number) + 1 {
            Issue.record("\(number) is forgotten")
        }
        #expect(numbers.highest(of: key(0)) == 0)
    }

    @Test func aLowerNumberDoesNotReplaceAHigher() {
        var numbers = FencingNumbers()
        numbers.note(9, of: [1])
        numbers.note(5, of: [1])
        #expect(numbers.highest(of: [1]) == 9)
        #expect(numbers.highest(of: [2]) == 0)
    }

    @Test func theKeyOfTheNumberIsNamedAfterTheLocks() {
        #expect(Command.numberKey(of: [UInt8]("invoice:42".utf8)) == [UInt8]("invoice:42:fencing".utf8))
        #expect(Command.floorKey == "redlock:fencing-floor")
        // Every digit is kept where numbers are doubles.
        #expect(Limits.fencingNumber < 1 << 53 && Limits.fencingProposal < Limits.fencingNumber)
    }

    @Test func observersHearOfARaise() {
        play(nodes: 1) { script in
            script.setNumber(9_000, on: 0)
            script.acquire(wallClock: 5_000)
            script.serve(0)
            let raised = script.reports.contains {
                if case .raised(_, 9_001, NodeSet(0)) = $0 { true } else { false }
            }
            #expect(raised)
        }
    }
}
