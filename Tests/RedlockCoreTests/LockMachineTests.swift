import Testing

@testable import RedlockCore

/// The states of one lock, one transition after the other. What the nodes see of it is tested with the engine.
@Suite struct LockMachineTests {
    private let start = Instant(nanoseconds: 0)

    /// A state without its data, to be compared.
    private enum Phase: Hashable {
        case queued
        case acquiring
        case waiting(until: Instant)
        case held
        case lost(Loss.Reason)
        case releasing
        case ended

        init(_ state: LockMachine.State) {
            switch state {
            case .queued: self = .queued
            case .acquiring: self = .acquiring
            case .waiting(_, let until): self = .waiting(until: until)
            case .held: self = .held
            case .lost(_, let reason): self = .lost(reason)
            case .releasing: self = .releasing
            case .ended: self = .ended
            }
        }
    }

    /// A machine with its time, chance and policy.
    private final class Stage {
        var machine: LockMachine
        var now = Instant(nanoseconds: 0)
        private var generator: any RandomNumberGenerator = SplitMix64(seed: 1)
        private let policy = Policy(rules: StandardRules(), parameters: Parameters(nodes: 3))

        init(wait: Nanoseconds = .zero, extendsItself: Bool = false) {
            let request = AcquireRequest(
                key: [1], ttl: .seconds(10), deadline: now + wait, extendsItself: extendsItself)
            machine = LockMachine(request: request)
            beginAttempt(1)
            machine.noteAsked(NodeSet(first: 3))
        }

        static func held(extendsItself: Bool = false) -> Stage {
            let stage = Stage(extendsItself: extendsItself)
            _ = stage.count(.granted, of: 0)
            _ = stage.count(.granted, of: 1)
            return stage
        }

        var phase: Phase { Phase(machine.state) }
        var deadline: Instant { machine.deadline(policy) }

        func beginAttempt(_ token: UInt64) {
            machine.beginAttempt(at: now, fresh: Token(number: token), policy)
        }
        func count(_ vote: Vote, of node: Int, attempt: UInt32 = 1) -> LockMachine.AcquireStep? {
            machine.count(vote, of: node, attempt: attempt, at: now, using: &generator, policy)
        }
        func refuse() -> LockMachine.AcquireStep? {
            _ = count(.heldByAnother, of: 0)
            return count(.heldByAnother, of: 1)
        }
        func timer(at instant: Instant) -> LockMachine.TimerStep? {
            now = instant
            return machine.onTimer(at: now, using: &generator, policy)
        }
        func extend(_ caller: UInt64) -> Hold.ExtendStep {
            machine.extend(ExtensionID(number: caller), ttl: .seconds(10), at: now, policy)
        }
        func countExtension(_ vote: Vote, of node: Int, round: UInt32) -> Hold.ExtensionOutcome? {
            machine.countExtension(vote, of: node, round: round, at: now, using: &generator, policy)
        }
        func abandon(_ reason: Refusal.Reason) -> Refusal? { machine.abandon(reason, policy) }
        func beginRelease() -> Bool { machine.beginRelease() }
        func countRelease(_ vote: Vote, of node: Int) -> Bool {
            machine.countRelease(vote, of: node, nil, policy).isOver
        }
    }

    @Test func acquiringBecomesHeldByAQuorum() {
        let stage = Stage()
        #expect(stage.phase == .acquiring)
        #expect(stage.count(.granted, of: 2) == nil)
        #expect(stage.phase == .acquiring)
        let grant = Grant(
            validUntil: start + .milliseconds(9_898), attempts: 1, votes: [.granted, .pending, .granted])
        #expect(stage.count(.granted, of: 0) == .granted(grant))
        #expect(stage.phase == .held)
    }

    @Test func acquiringBecomesEndedByTheLastRefusal() {
        let stage = Stage(wait: .zero)
        let refusal = Refusal(
            reason: .heldByAnother, attempts: 1, votes: [.heldByAnother, .heldByAnother, .pending])
        #expect(stage.refuse() == .refused(refusal))
        #expect(stage.phase == .ended)
        #expect(stage.deadline == .distantFuture)
    }

    @Test func acquiringBecomesWaitingByARefusalBeforeTheDeadlineAndThenAcquiringAgain() {
        let stage = Stage(wait: .seconds(60))
        guard case .retry = stage.refuse() else {
            Issue.record("no retry")
            return
        }
        #expect(stage.phase == .waiting(until: stage.machine.request.deadline))
        let again = start + .milliseconds(150)
        stage.machine.wait(until: again)
        #expect(stage.phase == .waiting(until: again))
        #expect(stage.deadline == again)
        #expect(stage.timer(at: again - Nanoseconds(1)) == nil)
        #expect(stage.timer(at: again) == .beginAttempt)
        stage.beginAttempt(2)
        #expect(stage.phase == .acquiring)
        #expect(stage.machine.attempt?.number == 2)
        #expect(stage.machine.attempt?.token == Token(number: 2))
        #expect(stage.machine.attempt?.start == again)
        #expect(stage.machine.attempt?.ballot.votes == [.pending, .pending, .pending])
        #expect(stage.machine.attempt?.asked.isEmpty == true)
    }

    @Test func acquiringBecomesEndedWhenItsValidityWouldEnd() {
        let stage = Stage()
        let end = start + .milliseconds(9_898)
        #expect(stage.deadline == end)
        #expect(stage.timer(at: end - Nanoseconds(1)) == nil)
        let refusal = Refusal(reason: .expired, attempts: 1, votes: [.pending, .pending, .pending])
        #expect(stage.timer(at: end) == .acquire(.refused(refusal)))
        #expect(stage.phase == .ended)
    }

    @Test func acquiringBecomesEndedWhenItIsAbandoned() {
        let stage = Stage(wait: .seconds(60))
        let refusal = Refusal(reason: .cancelled, attempts: 1, votes: [.pending, .pending, .pending])
        #expect(stage.abandon(.cancelled) == refusal)
        #expect(stage.phase == .ended)
        #expect(stage.abandon(.cancelled) == nil)
    }

    @Test func waitingBecomesEndedWhenItIsAbandoned() {
        let stage = Stage(wait: .seconds(60))
        _ = stage.refuse()
        #expect(stage.abandon(.shutDown)?.reason == .shutDown)
        #expect(stage.phase == .ended)
    }

    @Test func heldIsNotAbandoned() {
        let stage = Stage.held()
        #expect(stage.abandon(.cancelled) == nil)
        #expect(stage.phase == .held)
    }

    @Test func heldBecomesLostAndThenReleasingAndThenEnded() {
        let stage = Stage.held()
        let loss = stage.deadline
        #expect(loss == start + .milliseconds(8_898))
        #expect(stage.timer(at: loss - Nanoseconds(1)) == nil)
        let expected = Loss(
            reason: .notExtended, validUntil: start + .milliseconds(9_898), votes: [.granted, .granted, .pending])
        #expect(stage.timer(at: loss) == .lost(expected))
        #expect(stage.phase == .lost(.notExtended))
        #expect(stage.deadline == .distantFuture)

        #expect(stage.beginRelease())
        #expect(stage.phase == .releasing)
        #expect(!stage.beginRelease())
        #expect(!stage.countRelease(.granted, of: 0))
        #expect(stage.countRelease(.missing, of: 2))
        #expect(stage.phase == .ended)
        #expect(!stage.countRelease(.granted, of: 1))
        #expect(!stage.beginRelease())
    }

    @Test func heldBecomesReleasing() {
        let stage = Stage.held()
        #expect(stage.beginRelease())
        #expect(stage.phase == .releasing)
        #expect(stage.deadline == .distantFuture)
        #expect(stage.abandon(.cancelled) == nil)
    }

    @Test func aReleaseCountsOneVoteOfANodeTheLastOne() {
        let stage = Stage.held()
        _ = stage.beginRelease()
        #expect(!stage.countRelease(.failed(.timedOut), of: 0))
        #expect(!stage.countRelease(.granted, of: 0))
        #expect(!stage.countRelease(.granted, of: 0))
        #expect(stage.countRelease(.granted, of: 1))
    }

    @Test func heldExtendsItselfAtAThirdOfTheTTL() {
        let stage = Stage.held(extendsItself: true)
        let third = start + .seconds(10) / 3
        #expect(stage.deadline == third)
        let step = stage.timer(at: third)
        #expect(step == .extend(.broadcast(round: 1, ttl: .seconds(10))))
        #expect(stage.deadline == start + .milliseconds(4_898), "while it extends, only the risk and the loss are due")
        #expect(stage.timer(at: third) == nil)
    }

    @Test func votesOfAnExtensionThatIsNotUnderWayAreIgnored() {
        let stage = Stage.held()
        let nothing = stage.countExtension(.granted, of: 0, round: 1)
        #expect(nothing == nil)
        #expect(
            stage.extend(1)
                == .broadcast(round: 1, ttl: .seconds(10)))
        for round: UInt32 in [0, 2] {
            for node in 0..<3 {
                let outcome = stage.countExtension(.granted, of: node, round: round)
                #expect(outcome == nil)
            }
        }
        #expect(stage.phase == .held)
    }

    @Test func votesOfAnotherAttemptAreIgnored() {
        let stage = Stage()
        for number: UInt32 in [0, 2] {
            for node in 0..<3 {
                let step = stage.count(.granted, of: node, attempt: number)
                #expect(step == nil)
            }
        }
        #expect(stage.phase == .acquiring)
        #expect(stage.machine.attempt?.ballot.granted.isEmpty == true)
    }

    @Test func aVoteOfOneNodeCountsOnce() {
        let stage = Stage()
        for _ in 1...3 {
            #expect(stage.count(.granted, of: 0, attempt: 1) == nil)
        }
        #expect(stage.machine.attempt?.ballot.granted.count == 1)
    }
}

// MARK: - What no shell may ask for

@Suite struct IllegalTransitionTests {
    @Test func aLockThatIsStillAcquiringCannotBeReleased() async {
        await #expect(processExitsWith: .failure) {
            var machine = LockMachine(
                request: AcquireRequest(key: [1], ttl: .seconds(1), deadline: .distantFuture))
            _ = machine.beginRelease()
        }
    }

    @Test func aLockThatIsStillAcquiringCannotBeExtended() async {
        await #expect(processExitsWith: .failure) {
            var machine = LockMachine(
                request: AcquireRequest(key: [1], ttl: .seconds(1), deadline: .distantFuture))
            let policy = Policy(rules: StandardRules(), parameters: Parameters(nodes: 1))
            _ = machine.extend(
                ExtensionID(number: 1), ttl: .seconds(1), at: Instant(nanoseconds: 0), policy)
        }
    }

    @Test func aLockThatHasEndedCannotBeginAnAttempt() async {
        await #expect(processExitsWith: .failure) {
            var machine = LockMachine(
                request: AcquireRequest(key: [1], ttl: .seconds(1), deadline: .distantFuture))
            let policy = Policy(rules: StandardRules(), parameters: Parameters(nodes: 1))
            _ = machine.abandon(.cancelled, policy)
            machine.beginAttempt(at: Instant(nanoseconds: 0), fresh: Token(number: 1), policy)
        }
    }

    @Test func aLocksNumberIsUsedOnce() async {
        await #expect(processExitsWith: .failure) {
            var engine = Engine(Parameters(nodes: 1))
            var generator: any RandomNumberGenerator = SplitMix64(seed: 1)
            var directives: [Directive] = []
            let lock = engine.newLock()!
            let request = AcquireRequest(key: [1], ttl: .seconds(1), deadline: .distantFuture)
            for _ in 1...2 {
                engine.handle(
                    .acquire(lock, request), at: Instant(nanoseconds: 0), using: &generator, into: &directives)
            }
        }
    }
}
