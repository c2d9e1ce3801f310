/// All that Redlock decides for one process: the lock requests, the nodes, and what goes between them.
///
/// Events go in with the time, directives come out; nothing else happens. Whoever carries the directives out, the
/// production shell or the simulator, gets the same decisions for the same events, times and random numbers.
package struct Engine: Sendable {
    let policy: Policy
    var sessions: [NodeSession]
    var locks = LockTable()
    var numbers = FencingNumbers()
    var contentions = ContentionTable()
    /// Room for the steps of a contention, lent for each event.
    var spareSteps: [Contention.Step] = []
    var listeners: [Listener]
    /// Since when no resource is subscribed to; nil while one is, or no connection is open.
    var listenersUnusedSince: Instant?
    /// What an attempt takes from its start to its decision, as a rule.
    var roundTrip = Nanoseconds.milliseconds(1)
    /// Nodes that were reported for denying notifications.
    var denying = NodeSet()
    /// Slots of leases that were lost and are not released yet.
    var lostSlots: [Int] = []
    private var deadlines = DeadlineQueue()
    private var connections: UInt64 = 0
    private var rounds: UInt64 = 0
    private var shutdown = Shutdown.no
    /// Times at which this process did not run.
    private(set) var pauses = Pauses()
    var clientClocks = ClientClocks()

    private enum Shutdown {
        case no
        case draining
        case done
    }

    package init(_ parameters: Parameters, rules: any Rules = StandardRules()) {
        precondition(
            (1...Limits.nodes).contains(parameters.nodes), "1 to \(Limits.nodes) nodes, not \(parameters.nodes)")
        policy = Policy(rules: rules, parameters: parameters)
        sessions = [NodeSession](repeating: NodeSession(), count: parameters.nodes)
        listeners = [Listener](repeating: Listener(), count: parameters.nodes)
    }

    /// A name for a request that is about to be made; nil when ``Limits/locks`` requests are being served.
    package mutating func newLock() -> LockID? { locks.newLock() }

    /// When the engine next wants ``Event/timer``.
    ///
    /// To be asked after every turn: a call that comes much later than this is how a pause is noticed. So it is
    /// mutating; and so that it is asked in its place. If not, the engine would be copied for it, and each session.
    package var nextDeadline: Instant {
        mutating get {
            let next = earliestDeadline
            pauses.expectCall(at: next)
            return next
        }
    }

    private var earliestDeadline: Instant {
        mutating get {
            guard shutdown != .done else { return .distantFuture }
            var next = min(deadlines.first?.deadline ?? .distantFuture, contentions.deadline, listenersDeadline)
            for node in sessions.indices {
                next = min(next, sessions[node].deadline(isHolding: isHolding, policy))
            }
            return next
        }
    }

    /// Takes events that have come together, in order: they mean what they would mean one by one.
    ///
    /// - Parameter wall: What the client's wall clock reads at this instant, in microseconds since 1970; nil if the
    ///   shell does not say.
    package mutating func handle(
        _ events: [Event], at now: Instant, wall: Int64? = nil, using generator: inout any RandomNumberGenerator,
        into directives: inout [Directive]
    ) {
        pauses.noteCall(at: now)
        var turn = Turn(now: now)
        swap(&turn.generator, &generator)
        swap(&turn.directives, &directives)
        // First: what has come since then says nothing about the time before.
        if let wall, shutdown != .done { noteWallClock(wall, &turn) }
        for event in events { handle(event, &turn) }
        leaveRounds(&turn)
        swap(&turn.generator, &generator)
        swap(&turn.directives, &directives)
    }

    package mutating func handle(
        _ event: Event, at now: Instant, wall: Int64? = nil, using generator: inout any RandomNumberGenerator,
        into directives: inout [Directive]
    ) {
        handle([event], at: now, wall: wall, using: &generator, into: &directives)
    }

    private mutating func handle(_ event: Event, _ turn: inout Turn) {
        guard shutdown != .done else { return answerAfterShutdown(event, &turn) }
        switch event {
        case .start: for node in sessions.indices { connect(node, &turn) }
        case .acquire(let lock, let request): acquire(lock, request, &turn)
        case .extend(let lock, let caller, let ttl): extend(lock, caller, ttl: ttl, &turn)
        case .release(let lock): release(lock, &turn)
        case .cancel(let lock): abandon(lock, .cancelled, &turn)
        case .connected(let node, let connection, let greeting): connected(node, connection, greeting, &turn)
        case .complained(let node, let connection, let text): sessions[node].complained(connection, text)
        case .disconnected(let node, let connection, let reason, let kind):
            disconnected(node, connection, reason, kind, &turn)
        case .replies(let node, let connection, let replies):
            turn.departures.reserveCapacity(turn.departures.count + replies.count)
            for reply in replies where shutdown != .done {
                answered(node, connection, reply, &turn)
                conclude(&turn)
            }
        case .pushed(let node, let connection, let push): pushed(node, connection, push, &turn)
        case .timer: timer(&turn)
        case .shutdown: beginShutdown(&turn)
        }
        conclude(&turn)
    }

    /// What follows from an event, or from one reply of many: they are to mean the same together as one by one.
    private mutating func conclude(_ turn: inout Turn) {
        settleLocks(&turn)
        while let place = contentions.popVacated() {
            tell(.advance, at: place, &turn)
            settleLocks(&turn)
        }
        if shutdown == .draining { finishShutdownWhenDrained(&turn) }
    }

    private func leaveRounds(_ turn: inout Turn) {
        guard !turn.departures.isEmpty else { return }
        turn.directives.append(.leave(turn.departures))
        turn.departures = []
    }
}

/// The time and the chance of events that have come together, and what follows from them.
struct Turn {
    let now: Instant
    /// Lent for the turn, as the directives are: copied, both would be counted for each.
    var generator: any RandomNumberGenerator = NoChance()
    var directives: [Directive] = []
    /// Told at the end, in one directive.
    var departures: [Departure] = []
}

/// Stands where a generator was taken from.
private struct NoChance: RandomNumberGenerator {
    mutating func next() -> UInt64 { preconditionFailure("the generator was lent") }
}

// MARK: - Broadcasts

extension Engine {
    mutating func newRound() -> RoundID {
        rounds += 1
        return RoundID(number: rounds)
    }

    mutating func newConnection() -> ConnectionID {
        connections += 1
        return ConnectionID(number: connections)
    }

    /// Sends an acquire or what follows it to these nodes, as far as they can be asked. The others' votes are returned;
    /// the caller counts them when all have been asked, so that a decision never overtakes a send.
    mutating func broadcast(
        _ command: Command, to nodes: NodeSet, ballot: NodeSession.Ballot, _ turn: inout Turn
    ) -> (asked: NodeSet, failed: [(node: Int, failure: Vote.Failure)]) {
        let round = newRound()
        var sent = NodeSet()
        var asked = NodeSet()
        var failed: [(node: Int, failure: Vote.Failure)] = []
        for node in nodes {
            if let sample = sessions[node].sampleIfDue(before: command, at: turn.now, policy) {
                turn.directives.append(.send(sample, to: node))
            }
            if let look = sessions[node].lookIfDue(at: turn.now, policy) {
                turn.directives.append(.send(look, to: node))
            }
            switch sessions[node].submit(command, ballot: ballot, round: round, at: turn.now, policy) {
            case .send:
                sent.insert(node)
                asked.insert(node)
            case .queued:
                asked.insert(node)
            case .failed(let failure):
                failed.append((node, failure))
            }
        }
        if !asked.isEmpty {
            turn.directives.append(.broadcast(command, to: sent, round: round, awaiting: asked))
        }
        return (asked, failed)
    }

    var allNodes: NodeSet { NodeSet(first: sessions.count) }

    /// Sends a release to these nodes, or has them owed it. Returns the nodes from which an answer will come.
    mutating func broadcastRelease(
        of token: Token, key: [UInt8], to nodes: NodeSet, ballot: NodeSession.Ballot, notice: Command.Notice,
        _ turn: inout Turn
    ) -> NodeSet {
        let command = Command(.release, key: key, token: token, notice: notice)
        let round = newRound()
        var sent = NodeSet()
        for node in nodes {
            switch sessions[node].submitRelease(
                command, ballot: ballot, round: round, at: turn.now, policy)
            {
            case .send: sent.insert(node)
            case .owed(let droppedOldest): if droppedOldest { report(.releaseDropped(node: node), &turn) }
            }
        }
        if !sent.isEmpty {
            turn.directives.append(.broadcast(command, to: sent, round: round, awaiting: sent))
        }
        return sent
    }

    func report(_ report: @autoclosure () -> Report, _ turn: inout Turn) {
        if policy.parameters.reports { turn.directives.append(.report(report())) }
    }
}

// MARK: - What follows from a change

extension Engine {
    /// What follows from every change of a request: whoever changes one need not think of it.
    private mutating func settleLocks(_ turn: inout Turn) {
        while let (slot, standing) = locks.settleNext(at: turn.now, policy) {
            if let news = standing.news { tell(news, locks.lock(in: slot), slot, &turn) }
            if !standing.wantsLock { leaveContention(slot, &turn) }
            if standing.hasEnded { locks.end(slot) }
            deadlines.set(slot, to: standing.deadline)
        }
    }

    /// A lease is held: the nodes' clocks matter.
    var isHolding: Bool { locks.heldCount > 0 }
}

// MARK: - Time

extension Engine {
    private mutating func timer(_ turn: inout Turn) {
        for node in sessions.indices {
            sessionTimer(node, &turn)
            settleLocks(&turn)
        }
        listenerTimer(&turn)
        contentionTimer(&turn)
        locksTimer(&turn)
    }

    /// A request that stays due is set aside, so that the others have their call, and the shell has its thread back.
    private mutating func locksTimer(_ turn: inout Turn) {
        var calls = Limits.callsPerTimer * (locks.count + 1)
        var latest = -1
        var callsInARow = 0
        var setAside: [Int] = []
        while calls > 0, let due = deadlines.first, due.deadline <= turn.now {
            callsInARow = due.slot == latest ? callsInARow + 1 : 1
            latest = due.slot
            guard callsInARow <= Limits.callsPerTimer else {
                deadlines.set(due.slot, to: .distantFuture)
                setAside.append(due.slot)
                continue
            }
            calls -= 1
            lockTimer(due.slot, &turn)
            settleLocks(&turn)
        }
        // It is due again at once: the shell counts that.
        for slot in setAside where locks.isUsed(slot) { locks.noteChange(of: slot) }
        settleLocks(&turn)
    }
}

// MARK: - Shutdown

extension Engine {
    var isShuttingDown: Bool { shutdown != .no }

    /// Whether a request is due; see ``dueParts(at:)``.
    func isLockDue(at now: Instant) -> Bool { deadlines.first.map { $0.deadline <= now } ?? false }

    private mutating func beginShutdown(_ turn: inout Turn) {
        guard shutdown == .no else { return }
        shutdown = .draining
        for slot in locks.indices where locks.isUsed(slot) {
            let lock = locks.lock(in: slot)
            abandon(lock, .shutDown, &turn)
            endAtShutdown(lock, &turn)
        }
        for node in listeners.indices { stopListening(node, &turn) }
    }

    /// A lease lasts until its holder releases it, or its validity is over; no release is waited for longer than the
    /// node timeout. So this comes to an end.
    private mutating func finishShutdownWhenDrained(_ turn: inout Turn) {
        guard locks.count == 0, !sessions.contains(where: { $0.awaitsReleases }) else { return }
        for node in sessions.indices { close(node, &turn) }
        shutdown = .done
        leaveRounds(&turn)
        turn.directives.append(.closed)
    }

    /// Whoever asks gets an answer, still.
    private mutating func answerAfterShutdown(_ event: Event, _ turn: inout Turn) {
        switch event {
        case .acquire(let lock, _):
            locks.giveBack(lock)
            let votes = [Vote](repeating: .failed(.unreachable("shut down")), count: sessions.count)
            turn.directives.append(.answer(.refused(lock, Refusal(reason: .shutDown, attempts: 0, votes: votes))))
        case .extend(let lock, let caller, _):
            let refusal = ExtensionRefusal(reason: .released, votes: [])
            turn.directives.append(.answer(.notExtended(lock, refusal, callers: [caller])))
        case .start, .release, .cancel, .connected, .complained, .disconnected, .replies, .pushed, .timer, .shutdown:
            break
        }
    }
}
