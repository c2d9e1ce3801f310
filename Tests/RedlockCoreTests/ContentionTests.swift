import Testing

@testable import RedlockCore

/// The contention for one resource alone: what each state can become, and what each event asks the engine to do.
@Suite("Contention") struct ContentionTests {
    private static let later = Instant(nanoseconds: 60_000_000_000)

    /// A contention and what it is told, at a time that only a test moves.
    private struct Scene {
        var contention = Contention(key: ResourceKey(bytes: [1]))
        var now = Instant(nanoseconds: 1_000_000_000)
        var generator: any RandomNumberGenerator = SplitMix64(seed: 1)
        var mayWatch = true
        var isShuttingDown = false
        let policy = Policy(rules: StandardRules(), parameters: Parameters(nodes: 3))

        mutating func tell(_ event: Contention.Event) -> [Contention.Step] {
            var steps: [Contention.Step] = []
            let met = Contention.Circumstances(
                now: now, roundTrip: .milliseconds(1), mayWatch: mayWatch, isShuttingDown: isShuttingDown)
            contention.on(event, met, using: &generator, policy, into: &steps)
            return steps
        }

        mutating func join(_ slot: Int, until deadline: Instant = later) -> [Contention.Step] {
            tell(.joined(slot: slot, deadline: deadline))
        }

        mutating func refuse(
            _ reason: Refusal.Reason = .heldByAnother, isLast: Bool = false, votes: [Vote]? = nil
        ) -> [Contention.Step] {
            let votes = votes ?? [Vote](repeating: .heldByAnother, count: 3)
            return tell(
                .refused(
                    Refusal(reason: reason, attempts: 1, votes: votes), isLast: isLast, owned: NodeSet(),
                    askedAt: now))
        }

        /// All nodes say that their keys live on for so long.
        mutating func hearRemaining(_ time: Nanoseconds) {
            for node in 0..<3 {
                _ = tell(.voted(.heldByAnother, node: node, remaining: time, askedAt: now))
            }
        }

        var state: Contention.State { contention.state }
    }

    private func approach(
        takingOverFrom token: Token? = nil, isContended: Bool = false, asksFirst: Int? = nil
    ) -> Contention.Approach {
        Contention.Approach(takingOverFrom: token, isContended: isContended, asksFirst: asksFirst)
    }

    private func token() -> Token {
        var generator: any RandomNumberGenerator = SplitMix64(seed: 2)
        return Token(using: &generator)
    }

    // MARK: Vacant

    @Test("vacant: who comes first asks at once, with a plain SET to all nodes")
    func vacantToAcquiring() {
        var scene = Scene()
        #expect(scene.join(7) == [.attempt(slot: 7, approach())])
        guard case .acquiring(let front, triesFree: false) = scene.state else { return #expect(Bool(false)) }
        #expect(front.slot == 7 && front.hasTried)
    }

    @Test("vacant: who comes second is queued, and asks nobody")
    func queued() {
        var scene = Scene()
        _ = scene.join(1)
        #expect(scene.join(2) == [.queued(slot: 2, 0)])
        #expect(scene.contention.front?.slot == 1)
    }

    @Test("vacant: with others waiting elsewhere, who comes after enough turns waits first")
    func vacantToWaiting() {
        var scene = Scene()
        _ = scene.tell(.rivals(true))
        for slot in 0..<Limits.turnsInARow {
            _ = scene.join(slot)
            _ = scene.tell(.granted)
            _ = scene.tell(.released(token()))
            _ = scene.tell(.advance)
        }
        let steps = scene.join(9)
        #expect(steps.first == .watch)
        guard case .waiting(let front, let until) = scene.state else { return #expect(Bool(false)) }
        #expect(front.slot == 9 && until > scene.now)
        #expect(!steps.contains { if case .attempt = $0 { true } else { false } })
    }

    @Test("vacant: nobody left, it is forgotten; remembered where others contend, and kept while a lost lease is out")
    func retires() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.tell(.granted)
        #expect(scene.tell(.released(token())) == [.vacated])
        #expect(scene.tell(.advance) == [.retire(lingers: false)])

        _ = scene.join(2)
        _ = scene.tell(.granted)
        #expect(scene.tell(.lost) == [.vacated])
        #expect(scene.tell(.advance) == [])
        #expect(scene.tell(.lostLeaseReleased(NodeSet())) == [.vacated])
        _ = scene.tell(.rivals(true))
        #expect(scene.tell(.advance) == [.retire(lingers: true)])
        scene.isShuttingDown = true
        #expect(scene.tell(.advance) == [.retire(lingers: false)])
    }

    // MARK: Acquiring

    @Test("acquiring: a refusal that is not the last makes it wait, and watch")
    func acquiringToWaiting() {
        var scene = Scene()
        _ = scene.join(1)
        let steps = scene.refuse()
        guard case .waiting(let front, let until) = scene.state else { return #expect(Bool(false)) }
        #expect(front.slot == 1 && until > scene.now)
        #expect(steps == [.watch, .wait(slot: 1, until: until)])
    }

    @Test(
        "acquiring: an outage, no room for a watch, or a deadline that is near: it waits without one",
        arguments: [0, 1, 2])
    func acquiringToWaitingUnwatched(_ why: Int) {
        var scene = Scene()
        scene.mayWatch = why != 1
        _ = scene.join(1, until: why == 2 ? scene.now + Limits.shortestWatchedWait : Self.later)
        #expect(!scene.refuse(why == 0 ? .unavailable : .heldByAnother).contains(.watch))
        #expect(!scene.contention.isWatched)
    }

    @Test("acquiring: the last refusal leaves what was planned to the next in the queue")
    func acquiringToVacant() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.join(2)
        #expect(scene.refuse(isLast: true) == [.vacated])
        #expect(scene.state == .vacant(.asPlanned))
        let steps = scene.tell(.advance)
        guard case .waiting(let front, let until) = scene.state else { return #expect(Bool(false)) }
        #expect(front.slot == 2 && until > scene.now)
        #expect(steps == [.wait(slot: 2, until: until)])
    }

    @Test("acquiring: without a queue nothing is planned after the last refusal")
    func acquiringToVacantAlone() {
        var scene = Scene()
        _ = scene.join(1)
        #expect(scene.refuse(isLast: true) == [.vacated])
        #expect(scene.state == .vacant(.atOnce(takingOverFrom: nil)))
    }

    @Test("acquiring: who gives up leaves the front to the next, at once")
    func acquiringLeft() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.join(2)
        #expect(scene.tell(.left(slot: 1, nil)) == [.vacated])
        #expect(scene.tell(.advance) == [.attempt(slot: 2, approach())])
    }

    @Test("acquiring: a grant makes it hold")
    func acquiringToHeld() {
        var scene = Scene()
        _ = scene.join(1)
        #expect(scene.tell(.granted) == [])
        #expect(scene.contention.isHeld)
    }

    // MARK: Waiting

    @Test("waiting: when it is due it asks, by the script")
    func waitingToAcquiring() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.refuse()
        #expect(scene.tell(.due) == [.attempt(slot: 1, approach(isContended: true))])
        guard case .acquiring = scene.state else { return #expect(Bool(false)) }
    }

    @Test("waiting: a release that is heard everywhere brings the attempt near; the node that told is asked first")
    func waitingHearsRelease() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.refuse()
        for node in 0..<3 { _ = scene.tell(.subscribed(node: node)) }
        // Confirmed by all, it looked once more at once.
        guard case .acquiring = scene.state else { return #expect(Bool(false)) }
        scene.hearRemaining(.seconds(20))
        _ = scene.refuse()
        guard case .waiting(_, let before) = scene.state else { return #expect(Bool(false)) }
        let steps = scene.tell(.heard(.released, node: 2))
        let expected: Contention.Step = .attempt(slot: 1, approach(isContended: true, asksFirst: 2))
        if case .waiting(_, let until) = scene.state {
            #expect(until < before && until <= scene.now + .milliseconds(1))
            #expect(scene.tell(.due) == [expected] || until > scene.now)
        } else {
            #expect(steps.last == expected)
        }
        #expect(scene.contention.arbiter == 2)
    }

    @Test("waiting: who gives up leaves its plan to the next")
    func waitingLeft() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.join(2)
        _ = scene.refuse()
        guard case .waiting(_, let until) = scene.state else { return #expect(Bool(false)) }
        #expect(scene.tell(.left(slot: 1, nil)) == [.vacated])
        #expect(scene.tell(.advance) == [.wait(slot: 2, until: until)])
    }

    // MARK: Held

    @Test("held: a release hands over to the next of this process, by its token")
    func heldHandsOver() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.join(2)
        _ = scene.tell(.granted)
        let token = token()
        #expect(scene.tell(.released(token)) == [.vacated])
        #expect(scene.contention.handsOver)
        #expect(scene.tell(.advance) == [.attempt(slot: 2, approach(takingOverFrom: token))])
    }

    @Test("held: after enough turns in a row the next lets other processes go first")
    func heldGivesWay() {
        var scene = Scene()
        _ = scene.tell(.rivals(true))
        for slot in 0...Limits.turnsInARow { _ = scene.join(slot) }
        for _ in 0..<Limits.turnsInARow {
            _ = scene.tell(.granted)
            _ = scene.tell(.released(token()))
            if scene.contention.handsOver { _ = scene.tell(.advance) }
        }
        #expect(scene.state == .vacant(.givingWay))
        _ = scene.tell(.advance)
        guard case .waiting = scene.state else { return #expect(Bool(false)) }
    }

    @Test("held: a shutdown hands nothing over")
    func heldAtShutdown() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.join(2)
        _ = scene.tell(.granted)
        scene.isShuttingDown = true
        _ = scene.tell(.released(token()))
        #expect(!scene.contention.handsOver)
    }

    @Test("held: a loss lets the next one ask, who is told of the lost lease")
    func heldLost() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.join(2)
        _ = scene.tell(.granted)
        _ = scene.tell(.lost)
        #expect(scene.tell(.advance) == [.attempt(slot: 2, approach())])
        var refusal = Refusal(reason: .heldByAnother, attempts: 1, votes: [])
        scene.contention.noteAhead(&refusal, nil)
        #expect(refusal.ahead == .lostHolder && refusal.changedHands)
    }

    // MARK: The end of a wait

    @Test("A wait that ends in the queue is told who holds; before anything is known it is told later")
    func waitOver() {
        var scene = Scene()
        _ = scene.join(1)
        #expect(scene.join(2, until: scene.now) == [.queued(slot: 2, 0), .overdue(slot: 2)])
        #expect(scene.tell(.granted) == [.refuse(slot: 2, nil)])
        #expect(scene.tell(.left(slot: 2, 0)) == [])
        #expect(scene.join(3, until: scene.now) == [.queued(slot: 3, 0), .refuse(slot: 3, nil)])
    }

    @Test("Overdue, they learn what the attempt under way came to, and are told once")
    func overdueAfterRefusal() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.join(2, until: scene.now)
        _ = scene.join(3)
        let votes: [Vote] = [.failed(.timedOut), .failed(.timedOut), .granted]
        let told = Refusal(reason: .unavailable, attempts: 0, votes: votes)
        #expect(scene.refuse(.unavailable, isLast: true, votes: votes) == [.refuse(slot: 2, told), .vacated])
        #expect(scene.tell(.left(slot: 2, 0)) == [])
        _ = scene.tell(.advance)
        #expect(scene.contention.front?.slot == 3)
    }

    @Test("Overdue, who comes to the front after all asks for itself")
    func overdueToFront() {
        var scene = Scene()
        _ = scene.join(1)
        _ = scene.join(2, until: scene.now)
        _ = scene.tell(.left(slot: 1, nil))
        #expect(scene.tell(.advance) == [.attempt(slot: 2, approach())])
        #expect(scene.tell(.granted) == [])
    }
}

/// Requests that wait in order, and leave from anywhere.
@Suite("The queue of waiters") struct WaiterQueueTests {
    private func waiter(_ slot: Int) -> Waiter {
        Waiter(slot: slot, deadline: .distantFuture, grantsBefore: 0)
    }

    private func slots(_ queue: WaiterQueue) -> [Int] {
        var slots: [Int] = []
        queue.forEach { slots.append(queue[$0].slot) }
        return slots
    }

    @Test("agrees with an array, whoever comes and goes", arguments: 0..<20)
    func agrees(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = WaiterQueue()
        var model: [(slot: Int, place: WaiterQueue.Place)] = []
        for slot in 0..<300 {
            if model.isEmpty || random.next() % 5 < 3 {
                model.append((slot, queue.append(waiter(slot))))
            } else {
                let leaving = model.remove(at: Int(random.next() % UInt64(model.count)))
                #expect(queue.remove(leaving.place).slot == leaving.slot)
            }
            #expect(slots(queue) == model.map(\.slot))
            #expect(queue.ends?.oldest == model.first?.place && queue.ends?.newest == model.last?.place)
            #expect(queue.isEmpty == model.isEmpty)
        }
    }

    @Test("takes no more room than the most that waited at a time")
    func room() {
        var queue = WaiterQueue()
        let first = queue.append(waiter(0))
        for slot in 1..<1_000 {
            let place = queue.append(waiter(slot))
            #expect(place == 1)
            _ = queue.remove(place)
        }
        _ = queue.remove(first)
        #expect(queue.isEmpty)
    }
}
