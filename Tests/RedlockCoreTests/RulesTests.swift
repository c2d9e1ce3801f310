import Testing

@testable import RedlockCore

@Suite struct RulesTests {
    private let rules = StandardRules()

    @Test(arguments: 1...Limits.nodes)
    func anyTwoQuorumsShareANodeAndNoSmallerNumberWouldDo(nodes: Int) {
        let quorum = rules.quorum(of: nodes)
        #expect(2 * quorum > nodes)
        #expect(2 * (quorum - 1) <= nodes)
        #expect(rules.extensionQuorum(of: nodes) == quorum)
    }

    @Test(arguments: [
        (Nanoseconds.milliseconds(3), Int64(0), Nanoseconds.milliseconds(2)),
        (.milliseconds(10), 10_000, .microseconds(2_100)),
        (.seconds(10), 10_000, .milliseconds(102)),
        (.seconds(10), 500_000, .milliseconds(5_002)),
        (.seconds(86_400), 500_000, .milliseconds(43_200_002)),
    ])
    func theDriftIsAShareOfTheTTLAndTwoMilliseconds(ttl: Nanoseconds, parts: Int64, drift: Nanoseconds) {
        #expect(rules.drift(of: ttl, partsPerMillion: parts) == drift)
    }

    @Test func validityCountsFromTheStartWheneverItWasDecided() {
        let start = Instant(nanoseconds: 1_000)
        for decided in [start, start + .seconds(5), start + .seconds(50)] {
            let end = rules.validUntil(
                start: start, decided: decided, ttl: .seconds(10), drift: .milliseconds(102))
            #expect(end == start + .milliseconds(9_898))
        }
    }

    @Test func anAttemptNeverUsesAnEarlierToken() {
        let old = Token(number: 1)
        let new = Token(number: 2)
        #expect(rules.token(previous: old, fresh: new) == new)
        #expect(rules.token(previous: nil, fresh: new) == new)
    }

    @Test func allThatWereAskedAreToldToRelease() {
        let asked = NodeSet(first: 5)
        #expect(rules.nodesToRelease(asked: asked, granted: NodeSet(first: 2), repaired: NodeSet()) == asked)
        #expect(rules.nodesToRelease(asked: asked, granted: NodeSet(), repaired: NodeSet()) == asked)
        #expect(
            rules.nodesToRelease(asked: NodeSet(first: 3), granted: NodeSet(first: 3), repaired: NodeSet(4))
                == NodeSet(first: 3).union(NodeSet(4)))
    }

    @Test(arguments: [0, 1, 6, 7, 8, UInt64.max] as [UInt64])
    func thePauseIsWithinItsBoundsForAnyDice(dice: UInt64) {
        let pause = rules.retryDelay(Nanoseconds(100), jitter: Nanoseconds(7), dice: dice)
        #expect(pause == Nanoseconds(100 + Int64(dice % 8)))
        #expect(rules.retryDelay(Nanoseconds(100), jitter: .zero, dice: dice) == Nanoseconds(100))
    }

    @Test func aLeaseMayBeExtendedOnlyBeforeItsEnd() {
        let end = Instant(nanoseconds: 1_000)
        #expect(rules.mayExtend(validUntil: end, now: end - Nanoseconds(1)))
        #expect(!rules.mayExtend(validUntil: end, now: end))
        #expect(!rules.mayExtend(validUntil: end, now: end + Nanoseconds(1)))
    }
}

@Suite struct VoteTests {
    private typealias Row = (Command.Operation, Reply, Vote)

    @Test func everyAnswerHasItsMeaning() {
        let acquire = Command.Operation.acquire(milliseconds: 1)
        let extend = Command.Operation.extend(milliseconds: 1)
        func violation(_ what: String) -> Vote { .failed(.protocolViolation(what)) }
        let table: [Row] = [
            (acquire, .ok, .granted), (acquire, .null, .heldByAnother),
            (acquire, .integer(1), violation("the number 1")),
            (extend, .integer(1), .granted), (extend, .integer(0), .missing), (extend, .integer(-1), .heldByAnother),
            (extend, .integer(2), violation("the number 2")), (extend, .ok, violation("a status")),
            (extend, .null, violation("a null")),
            (.release, .integer(1), .granted), (.release, .integer(0), .missing),
            (.release, .integer(8), .granted), (.release, .integer(-1), .granted),
            (.announce, .integer(1), .granted), (.announce, .integer(0), .granted),
            (.announce, .null, violation("a null")),
            (.contend(milliseconds: 1), .ok, .granted), (.contend(milliseconds: 1), .integer(7), .heldByAnother),
            (.contend(milliseconds: 1), .null, violation("a null")),
            (acquire, .push(.refused("")), violation("a message of a channel")),
            (.release, .integer(-2), violation("the number -2")), (.release, .ok, violation("a status")),
            (.release, .null, violation("a null")),
        ]
        for (operation, reply, vote) in table { #expect(reply.vote(on: operation) == vote) }
        for operation in [acquire, extend, .release] {
            #expect(Reply.error("OOM x").vote(on: operation) == .error("OOM x"))
            #expect(Reply.unexpected("an array").vote(on: operation) == violation("an array"))
        }
    }

    @Test func aLaterWordReplacesAnEarlierOne() {
        var ballot = Ballot(nodes: 3)
        let words: [Vote] = [.failed(.timedOut), .granted, .heldByAnother, .missing, .granted, .pending]
        for word in words {
            ballot.record(word, of: 1)
            #expect(ballot.votes == [.pending, word, .pending])
            #expect(ballot.granted.contains(1) == (word == .granted))
            #expect(ballot.refused.contains(1) == (word == .heldByAnother || word == .missing))
            #expect(ballot.failed.contains(1) == (word == .failed(.timedOut)))
        }
    }

    @Test(arguments: 1...Limits.nodes)
    func aBallotIsNeverBothWonAndLostAndAlwaysOneOfThemInTheEnd(nodes: Int) {
        let quorum = StandardRules().quorum(of: nodes)
        for granted in 0...nodes {
            for refused in 0...nodes - granted {
                for failed in 0...nodes - granted - refused {
                    var ballot = Ballot(nodes: nodes)
                    for node in 0..<granted { ballot.record(.granted, of: node) }
                    for node in granted..<granted + refused { ballot.record(.missing, of: node) }
                    for node in nodes - failed..<nodes { ballot.record(.failed(.timedOut), of: node) }
                    let isWon = ballot.isWon(quorum: quorum)
                    let isLost = ballot.isLost(quorum: quorum)
                    #expect(isWon == (granted >= quorum))
                    // Lost exactly when not even all the others could still make a quorum.
                    #expect(isLost == (nodes - refused - failed < quorum))
                    #expect(ballot.isUnavailable(quorum: quorum) == (nodes - failed < quorum))
                    #expect(!(isWon && isLost))
                    if granted + refused + failed == nodes { #expect(isWon || isLost) }
                }
            }
        }
    }
}

// MARK: - Repair

extension RulesTests {
    @Test func aRepairIsForWhatIsLeftRoundedDown() {
        let rules = StandardRules()
        #expect(rules.repairMilliseconds(left: .milliseconds(7_500), ttl: .seconds(10)) == 7_500)
        #expect(rules.repairMilliseconds(left: Nanoseconds(7_499_999_999), ttl: .seconds(10)) == 7_499)
        #expect(rules.repairMilliseconds(left: Nanoseconds(999_999), ttl: .seconds(10)) == 0)
    }

    @Test func repairsComeEverMoreSeldomAndAtRandom() {
        let rules = StandardRules()
        for (repairs, half) in [(0, 250), (1, 500), (2, 1_000), (3, 1_000), (1_000, 1_000)] as [(Int, Int64)] {
            let least = rules.repairDelay(ttl: .seconds(10), repairs: repairs, dice: 0)
            let most = rules.repairDelay(ttl: .seconds(10), repairs: repairs, dice: UInt64(half * 1_000_000))
            #expect(least == .milliseconds(half))
            #expect(most == .milliseconds(half * 2))
        }
        #expect(rules.repairDelay(ttl: .milliseconds(3), repairs: 0, dice: .max) > .zero)
    }

    @Test func onlyALeaseThatAQuorumConfirmedLastIsRepaired() {
        let rules = StandardRules()
        #expect(rules.mayRepair(isHeld: true, isExtending: false, hasFailed: false))
        #expect(!rules.mayRepair(isHeld: false, isExtending: false, hasFailed: false))
        #expect(!rules.mayRepair(isHeld: true, isExtending: true, hasFailed: false))
        #expect(!rules.mayRepair(isHeld: true, isExtending: false, hasFailed: true))
        #expect(!rules.repairIsVote())
    }
}
