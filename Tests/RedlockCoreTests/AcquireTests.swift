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
