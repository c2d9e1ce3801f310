import Testing

@testable import RedlockCore

/// How many of 1 to 7 nodes are a quorum, spelled out: the rule is not tested by itself.
let quorums = [1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4, 7: 4]
/// And how many that do not grant make it impossible.
let vetoes = [1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3, 7: 4]

@Suite struct AcquireTests {
    @Test(arguments: 1...7)
    func grantsAsSoonAsAQuorumGranted(nodes: Int) throws {
        let quorum = try #require(quorums[nodes])
        play(nodes: nodes) { script in
            let start = script.now
            let lock = script.acquire(ttl: .seconds(10))
            script.reply(0..<quorum - 1, .ok)
            #expect(script.news() == [])
            script.reply(quorum - 1, .ok)
            let grant = Grant(
                validUntil: start + .milliseconds(9_898), attempts: 1,
                votes: .counts((.granted, quorum), (.pending, nodes - quorum)))
            #expect(script.news() == [.granted(lock, grant)])
        }
    }

    @Test(arguments: 1...7)
    func refusesAsSoonAsAQuorumIsOutOfReach(nodes: Int) throws {
        let vetoes = try #require(vetoes[nodes])
        play(nodes: nodes) { script in
            let lock = script.acquire()
            script.reply(0..<vetoes - 1, .null)
            #expect(script.news() == [])
            script.reply(vetoes - 1, .null)
            let refusal = Refusal(
                reason: .heldByAnother, attempts: 1,
                votes: .counts((.heldByAnother, vetoes), (.pending, nodes - vetoes)))
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test(arguments: 1...7)
    func aMinorityThatRefusesOrFailsDoesNotPreventTheGrant(nodes: Int) throws {
        let quorum = try #require(quorums[nodes])
        play(nodes: nodes) { script in
            let lock = script.acquire()
            for node in quorum..<nodes { script.reply(node, node.isMultiple(of: 2) ? .null : .error("OOM")) }
            script.reply(0..<quorum, .ok)
            guard case .granted(lock, _) = script.news().last else {
                Issue.record("not granted")
                return
            }
        }
    }

    @Test func everyNodeIsAskedForTheSameKeyTokenAndTTL() {
        play(nodes: 3) { script in
            script.acquire("invoice:42", ttl: .microseconds(10_500_001))
            let command = script.sent(0)[0]
            #expect(command.operation == .acquire(milliseconds: 10_501), "a part of a millisecond counts as one")
            #expect(command.key == [UInt8]("invoice:42".utf8))
            #expect(script.sent(1) == [command])
            #expect(script.sent(2) == [command])
        }
    }

    @Test(arguments: [
        (Nanoseconds.milliseconds(10), Nanoseconds.microseconds(7_900)),
        (.milliseconds(50), .microseconds(47_500)),
        (.seconds(1), .milliseconds(988)),
        (.seconds(10), .milliseconds(9_898)),
        (.seconds(300), .milliseconds(296_998)),
    ])
    func validityIsTheTTLLessOnePercentAndTwoMilliseconds(ttl: Nanoseconds, validity: Nanoseconds) {
        play { script in
            let start = script.now
            let lock = script.acquire(ttl: ttl)
            script.reply(0...1, .ok)
            let grant = Grant(validUntil: start + validity, attempts: 1, votes: [.granted, .granted, .pending])
            #expect(script.news() == [.granted(lock, grant)])
        }
    }

    @Test func theDriftFactorIsTheOneThatWasConfigured() {
        play(nodes: 1) {
            $0.driftPartsPerMillion = 0
        } script: { script in
            let start = script.now
            let lock = script.acquire(ttl: .seconds(10))
            script.reply(0, .ok)
            let grant = Grant(validUntil: start + .milliseconds(9_998), attempts: 1, votes: [.granted])
            #expect(script.news() == [.granted(lock, grant)])
        }
    }

    @Test func validityCountsFromBeforeTheSendNotFromTheAnswers() {
        play { script in
            let start = script.now
            let lock = script.acquire(ttl: .seconds(10))
            script.advance(by: .milliseconds(60))
            script.reply(0, .ok)
            script.advance(by: .milliseconds(30))
            script.reply(1, .ok)
            let grant = Grant(
                validUntil: start + .milliseconds(9_898), attempts: 1, votes: [.granted, .granted, .pending])
            #expect(script.news() == [.granted(lock, grant)])
        }
    }

    @Test func aQuorumJustBeforeTheEndOfValidityStillGrants() {
        play(nodes: 1) { script in
            let start = script.now
            let lock = script.acquire(ttl: .milliseconds(50))
            script.pause(for: .microseconds(47_500) - Nanoseconds(1))
            script.reply(0, .ok)
            let grant = Grant(validUntil: start + .microseconds(47_500), attempts: 1, votes: [.granted])
            #expect(script.news() == [.granted(lock, grant)])
        }
    }

    @Test func aQuorumAtTheEndOfValidityComesTooLate() {
        play(nodes: 3) { script in
            let lock = script.acquire(ttl: .milliseconds(50))
            // The process did not get to run: the timer that would have said so has not fired yet.
            script.pause(for: .microseconds(47_500))
            script.reply(0...1, .ok)
            let refusal = Refusal(reason: .expired, attempts: 1, votes: [.granted, .granted, .pending])
            #expect(script.news() == [.refused(lock, refusal)])
            #expect(script.sent(2).last?.isRelease == true)
        }
    }

    @Test func anAttemptEndsWhenItsValidityWouldEndWhateverTheNodesStillSay() {
        play(nodes: 3) { script in
            let lock = script.acquire(ttl: .milliseconds(50))
            script.reply(0, .ok)
            script.advance(by: .microseconds(47_499))
            #expect(script.news() == [])
            script.advance(by: .microseconds(1))
            let refusal = Refusal(reason: .expired, attempts: 1, votes: [.granted, .pending, .pending])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func aLeaseIsNotGrantedOnceItsMaximumHoldIsOver() {
        play(nodes: 1) { script in
            let lock = script.acquire(ttl: .seconds(10), maximumHold: .milliseconds(20))
            script.pause(for: .milliseconds(20))
            script.reply(0, .ok)
            #expect(script.news() == [.refused(lock, Refusal(reason: .expired, attempts: 1, votes: [.granted]))])
        }
    }
}

// MARK: - Late votes

extension AcquireTests {
    @Test func aGrantThatComesAfterItsTimeOutCountsWhileTheAttemptIsOpen() {
        play(nodes: 3, connected: false) { script in
            let start = script.now
            script.connected(0)
            script.connected(1)
            let lock = script.acquire()
            script.reply(0, .ok)
            script.advance(by: .milliseconds(50))
            // Node 2 is asked later than the others, so it keeps the attempt open when node 1 times out.
            script.connected(2)
            script.advance(by: .milliseconds(60))
            #expect(script.news() == [])
            script.reply(1, .ok)
            let grant = Grant(
                validUntil: start + .milliseconds(9_898), attempts: 1, votes: [.granted, .granted, .pending])
            #expect(script.news() == [.granted(lock, grant)])
        }
    }
}

// MARK: - Who gets a release

extension AcquireTests {
    @Test func aRefusedAttemptIsReleasedOnAllThatWereAsked() {
        play(nodes: 5) { script in
            let lock = script.acquire()
            script.reply(0, .ok)
            script.reply(1...2, .null)
            // Node 3 gets its time to answer and does not use it; node 4 fails and so decides.
            script.reply(4, .error("OOM command not allowed"))
            let refusal = Refusal(
                reason: .heldByAnother, attempts: 1,
                votes: [.granted, .heldByAnother, .heldByAnother, .pending, .error("OOM command not allowed")])
            #expect(script.news() == [.refused(lock, refusal)])
            let token = script.sent(0)[0].token
            for node in 0..<5 {
                #expect(script.sent(node).count == 2)
                #expect(script.sent(node).last == Command(.release, key: [UInt8]("resource".utf8), token: token))
            }
        }
    }

    @Test func aRefusedAttemptIsReleasedOnNodesThatTimedOut() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            script.advance(by: .milliseconds(100))
            let refusal = Refusal(reason: .unavailable, attempts: 1, votes: [.timedOut, .timedOut, .pending])
            #expect(script.news() == [.refused(lock, refusal)])
            for node in 0..<3 { #expect(script.sent(node).last?.isRelease == true) }
        }
    }

    @Test func aLateGrantOfARefusedAttemptIsReleasedByTheReleaseBehindIt() {
        play(nodes: 3) { script in
            script.acquire()
            script.reply(1...2, .null)
            // Node 0 gets to it only now, and grants; the release is next in its queue.
            #expect(script.unanswered(0).map(\.operation) == [.acquire(milliseconds: 10_000), .release])
            script.serve(0)
            #expect(!script.hasKey(0))
        }
    }

    @Test func nodesThatWereNotAskedGetNoRelease() {
        play(nodes: 3, connected: false) { script in
            script.connected(0)
            script.disconnect(1)
            script.disconnect(2)
            script.acquire()
            // The two that cannot be asked decide at once, and yet the SET goes out ahead of its release.
            #expect(script.operations(0) == [.acquire(milliseconds: 10_000), .release])
            script.advance(by: .milliseconds(10))
            script.connected(1)
            script.connected(2)
            #expect(script.sent(1) == [])
            #expect(script.sent(2) == [])
        }
    }

    @Test func aLateGrantOfAHeldLeaseIsOneMoreNodeThatGuardsIt() throws {
        try play(nodes: 3) { script in
            let lock = script.acquire()
            script.reply(0...1, .ok)
            script.advance(by: .milliseconds(150))
            script.reply(2, .ok)
            let machine = try #require(script.engine.slots[script.engine.slot(of: lock)!].machine)
            #expect(machine.attempt.ballot.granted == NodeSet(first: 3))
            #expect(machine.phase == .held)
            #expect(script.operations(2) == [.acquire(milliseconds: 10_000)], "it is not released")
            script.release(lock)
            #expect(script.operations(2).last == .release)
        }
    }
}

// MARK: - Why not

extension AcquireTests {
    @Test func splitVotesAreContention() {
        play(nodes: 4) { script in
            let lock = script.acquire()
            script.reply(0...1, .ok)
            script.reply(2...3, .null)
            let refusal = Refusal(
                reason: .heldByAnother, attempts: 1, votes: [.granted, .granted, .heldByAnother, .heldByAnother])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func aMajorityThatFailsIsAnOutageThoughOthersHoldTheRest() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            script.reply(0, .error("LOADING Redis is loading"))
            script.reply(1, .error("MISCONF no disk"))
            let refusal = Refusal(
                reason: .unavailable, attempts: 1,
                votes: [.error("LOADING Redis is loading"), .error("MISCONF no disk"), .pending])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func aMinorityThatFailsLeavesItContention() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            script.disconnect(0, "reset")
            script.reply(1, .null)
            let refusal = Refusal(
                reason: .heldByAnother, attempts: 1,
                votes: [.failed(.connectionLost("reset")), .heldByAnother, .pending])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func nodesThatCannotBeAskedRefuseAtOnceAndSayWhy() {
        play(nodes: 3, connected: false) { script in
            for node in 0..<3 { script.disconnect(node, "connection refused") }
            let lock = script.acquire()
            let refusal = Refusal(
                reason: .unavailable, attempts: 1,
                votes: .counts((.failed(.unreachable("connection refused")), 2), (.pending, 1)))
            #expect(script.news() == [.refused(lock, refusal)])
            #expect(script.broadcasts == 0)
        }
    }

    @Test func anAnswerThatIsNoneFailsTheVote() {
        play(nodes: 1) { script in
            let lock = script.acquire()
            script.reply(0, .integer(7))
            let refusal = Refusal(
                reason: .unavailable, attempts: 1, votes: [.failed(.protocolViolation("the number 7"))])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }
}

// MARK: - Cancelled

extension AcquireTests {
    @Test(arguments: 0...1)
    func aCancelledAttemptIsRefusedAtOnceAndReleasedEverywhere(grants: Int) {
        play(nodes: 3) { script in
            let lock = script.acquire(wait: .seconds(60))
            script.reply(0..<grants, .ok)
            script.cancel(lock)
            let refusal = Refusal(
                reason: .cancelled, attempts: 1, votes: .counts((.granted, grants), (.pending, 3 - grants)))
            #expect(script.news() == [.refused(lock, refusal)])
            for node in 0..<3 {
                #expect(script.sent(node).last?.isRelease == true)
                script.serve(node)
                #expect(!script.hasKey(node))
            }
        }
    }

    @Test func aCallerThatWaitsForItsNextAttemptCanCancel() {
        play(nodes: 3) { script in
            let lock = script.acquire(wait: .seconds(60))
            script.reply(0...1, .null)
            script.cancel(lock)
            let refusal = Refusal(
                reason: .cancelled, attempts: 1, votes: [.heldByAnother, .heldByAnother, .pending])
            #expect(script.news() == [.refused(lock, refusal)])
            script.advance(by: .seconds(61))
            #expect(script.news() == [], "no attempt follows")
        }
    }

    @Test func cancelAfterTheGrantHasNoEffect() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.cancel(lock)
            #expect(script.news() == [])
            #expect(script.operations(0) == [.acquire(milliseconds: 10_000)])
            let caller = script.extend(lock)
            script.reply(0...1, .integer(1))
            #expect(script.news() == [.extended(lock, until: script.now + .milliseconds(9_898), [caller])])
        }
    }

    @Test func cancelAfterTheRefusalHasNoEffect() {
        play(nodes: 1) { script in
            let lock = script.acquire()
            script.reply(0, .null)
            _ = script.news()
            script.cancel(lock)
            #expect(script.news() == [])
            #expect(script.operations(0) == [.acquire(milliseconds: 10_000), .release], "one release is enough")
        }
    }

    @Test func aCancelledLocksNumberIsNotTakenForItsSuccessors() {
        play(nodes: 1) { script in
            let first = script.acquire()
            script.cancel(first)
            let second = script.acquire()
            #expect(first != second)
            script.cancel(first)
            script.release(first)
            // The answers for the first, then the grant for the second.
            script.serve(0)
            guard case .granted(second, _) = script.news().last else {
                Issue.record("the second was not granted")
                return
            }
        }
    }
}
