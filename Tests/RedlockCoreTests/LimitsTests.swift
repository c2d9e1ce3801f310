import Testing

@testable import RedlockCore

@Suite struct LimitsTests {
    private let policy = Policy(rules: StandardRules(), parameters: Parameters(nodes: 1))
    private let now = Instant(nanoseconds: 0)
    private let acquire = Command(.acquire(milliseconds: 1_000), key: [1], token: Token(number: 1))
    private let release = Command(.release, key: [1], token: Token(number: 1))
    private let round = RoundID(number: 1)
    private let connection = ConnectionID(number: 1)

    private func session(ready: Bool) -> NodeSession {
        var session = NodeSession()
        _ = session.connect(connection, at: now, policy)
        if ready {
            _ = session.connected(connection, .unknown("nobody asks"), at: now, isWanted: { _ in true }, policy)
        }
        return session
    }

    @Test(arguments: [true, false])
    func noMoreCommandsWaitForANodeThanAllowed(ready: Bool) {
        var session = session(ready: ready)
        for _ in 0..<Limits.commandsPerNode {
            let submission = session.submit(acquire, ballot: .none, round: round, at: now, policy)
            if submission != (ready ? .send : .queued) { Issue.record("\(submission)") }
        }
        #expect(session.waitingCount == Limits.commandsPerNode)
        let submission = session.submit(acquire, ballot: .none, round: round, at: now, policy)
        #expect(submission == .failed(.overloaded))
        #expect(session.waitingCount == Limits.commandsPerNode)
    }

    @Test func aNodeThatHasAnsweredTakesTheNextCommand() {
        var session = session(ready: true)
        for _ in 0..<Limits.commandsPerNode {
            _ = session.submit(acquire, ballot: .none, round: round, at: now, policy)
        }
        _ = session.answered(.ok, at: now, policy)
        let submission = session.submit(acquire, ballot: .none, round: round, at: now, policy)
        #expect(submission == .send)
    }

    @Test func aFullNodeStillGetsTheReleasesOfWhatItWasSent() {
        var session = session(ready: true)
        for _ in 0..<Limits.commandsPerNode {
            _ = session.submit(acquire, ballot: .none, round: round, at: now, policy)
        }
        for _ in 0..<Limits.commandsPerNode {
            let submission = session.submitRelease(release, ballot: .none, round: round, at: now, policy)
            if submission != .send { Issue.record("\(submission)") }
        }
        #expect(session.waitingCount == 2 * Limits.commandsPerNode)
        #expect(session.owedCount == 0)
    }

    @Test func aNodeIsOwedNoMoreReleasesThanAllowedAndTheOldestIsDropped() throws {
        var session = session(ready: false)
        func submit(_ number: Int) -> NodeSession.ReleaseSubmission {
            session.submitRelease(
                Command(.release, key: [1], token: Token(number: UInt64(number))), ballot: .none, round: round,
                at: now, policy)
        }
        for number in 0..<Limits.owedReleasesPerNode {
            let submission = submit(number)
            if submission != .owed(droppedOldest: false) { Issue.record("\(submission)") }
        }
        let last = submit(Limits.owedReleasesPerNode)
        #expect(last == .owed(droppedOldest: true))
        #expect(session.owedCount == Limits.owedReleasesPerNode)
        let connected = session.connected(connection, .unknown("nobody asks"), at: now, isWanted: { _ in true }, policy)
        let send = try #require(connected).send
        #expect(send.count == Limits.owedReleasesPerNode)
        #expect(send.first?.token == Token(number: 1), "number 0 is left to its ttl")
        #expect(send.last?.token == Token(number: UInt64(Limits.owedReleasesPerNode)))
    }

    @Test func anOverloadedNodeFailsItsVoteAtOnce() {
        play(nodes: 1) { script in
            for number in 0..<Limits.commandsPerNode { script.acquire("\(number)") }
            #expect(script.news() == [])
            let lock = script.acquire()
            let refusal = Refusal(reason: .unavailable, attempts: 1, votes: [.failed(.overloaded)])
            #expect(script.news() == [.refused(lock, refusal)])
        }
    }

    @Test func aReleaseThatIsDroppedIsReported() {
        play(nodes: 1) { script in
            let locks = (0...Limits.owedReleasesPerNode).map { number in
                let lock = script.acquire("\(number)")
                script.reply(0, .ok)
                return lock
            }
            script.disconnect(0)
            for lock in locks { script.release(lock) }
            let dropped = script.reports.count { if case .releaseDropped(0) = $0 { true } else { false } }
            #expect(dropped == 1)
        }
    }

    @Test(arguments: [1, Limits.nodes])
    func theFewestAndTheMostNodesServe(nodes: Int) {
        play(nodes: nodes) { script in
            let lock = script.acquire()
            for node in 0..<nodes { script.serve(node) }
            script.release(lock)
            for node in 0..<nodes { script.serve(node) }
            #expect(script.news().last == .released(lock))
        }
    }

    @Test func moreNodesThanAllowedAreAMistakeOfTheShell() async {
        await #expect(processExitsWith: .failure) {
            _ = Engine(Parameters(nodes: Limits.nodes + 1))
        }
    }

    @Test func noNodesAreAMistakeOfTheShell() async {
        await #expect(processExitsWith: .failure) {
            _ = Engine(Parameters(nodes: 0))
        }
    }

    /// Serving so many takes gigabytes: the number itself is all that is tested.
    @Test func theLocksOfAnEngineFitIntoTheirNumbers() {
        #expect(Limits.locks == 16_777_216)
        #expect(Limits.locks <= Int(Int32.max))
    }

    @Test func noConnectionIsDialledAgainLaterThanTheLastReconnectDelay() {
        let policy = Policy(rules: StandardRules(), parameters: Parameters(nodes: 1))
        var generator: any RandomNumberGenerator = SplitMix64(seed: 1)
        var listener = Listener()
        var session = NodeSession()
        var now = Instant(nanoseconds: 0)
        for number in 1...100 {
            let connection = ConnectionID(number: UInt64(number))
            listener.connect(connection, at: now, policy)
            listener.disconnected(at: now, using: &generator)
            _ = session.connect(connection, at: now, policy)
            _ = session.disconnected(
                connection, reason: "refused", kind: .unreachable, at: now, policy, using: &generator)
            #expect(listener.deadline - now <= Limits.lastReconnectDelay)
            #expect(session.deadline(isHolding: false, policy) - now <= Limits.lastReconnectDelay)
            now = now + Limits.lastReconnectDelay
        }
    }

    @Test func theRemainingLimitsAreAsDocumented() {
        #expect(Limits.nodes == 15)
        #expect(Limits.resourceBytes == 1_024)
        #expect(Limits.firstReconnectDelay == .milliseconds(10))
        #expect(Limits.lastReconnectDelay == .seconds(1))
    }
}
