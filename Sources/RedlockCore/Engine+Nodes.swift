// The way of a node through the engine: dialled, asked, silent, gone, dialled again.

extension Engine {
    mutating func connect(_ node: Int, _ turn: inout Turn) {
        let connection = newConnection()
        guard sessions[node].connect(connection, at: turn.now, policy) else { return }
        turn.directives.append(.connect(node: node, connection))
    }

    mutating func connected(_ node: Int, _ connection: ConnectionID, _ greeting: Greeting, _ turn: inout Turn) {
        let locks = locks
        guard !listenerConnected(node, connection, &turn) else { return }
        guard case .connecting(connection, _) = sessions[node].phase else { return }
        if let reason = greeting.unfitness {
            sessions[node].memory.metUnfit(greeting, dialledAt: sessions[node].dialledAt)
            return disconnect(node, connection, reason, .turnedAway, &turn)
        }
        identify(node, greeting, &turn)
        // Before commands that wait are sent: what the node grants now does not count.
        let setBack = noteServer(node, greeting, at: turn.now)
        guard
            let arrival = sessions[node].connected(
                connection, greeting, at: turn.now, isWanted: { Self.isWanted($0, in: locks) }, policy)
        else { return }
        report(.connected(node: node), &turn)
        if let setBack { report(.quarantined(node: node, setBack), &turn) }
        for news in arrival.news { report(news, of: node, &turn) }
        for command in arrival.send { turn.directives.append(.send(command, to: node)) }
        for entry in arrival.drop { leave(entry.round, node, &turn) }
        for (entry, failure) in arrival.failed {
            leave(entry.round, node, &turn)
            count(.failed(failure), of: node, for: entry.ballot, &turn)
        }
        if let setBack { distrust(node, setBack, .clockJumped, &turn) }
        listen(node, &turn)
    }

    /// Whether a command that waited for a connection should still be sent.
    private static func isWanted(_ ballot: NodeSession.Ballot, in locks: LockTable) -> Bool {
        func machine(_ lock: LockID) -> LockMachine? {
            locks.slot(of: lock).map { locks[$0] }
        }
        switch ballot {
        case .attempt(let lock, let number):
            guard let machine = machine(lock), machine.attemptNumber == number else { return false }
            return machine.isAcquiring || machine.isHeld
        case .raise(let lock, let number, let round):
            guard let machine = machine(lock), machine.attemptNumber == number else { return false }
            // Also while held: as long as it is unanswered, nobody knows whether the node guards the lease.
            return (machine.isAcquiring || machine.isHeld) && machine.attempt?.fencing?.raises == round
        case .extend(let lock, let round):
            guard case .held(let hold) = machine(lock)?.state else { return false }
            // Also of the round that was won without it: one more node for it.
            return hold.value.extending?.number == round || hold.value.guarding.round == round
        case .repair:
            return false
        case .release, .none:
            return true
        }
    }

    mutating func disconnected(
        _ node: Int, _ connection: ConnectionID, _ reason: String, _ kind: Outage, _ turn: inout Turn
    ) {
        guard !listenerDisconnected(node, connection, &turn) else { return }
        guard
            let (undecided, droppedReleases, isNews) = sessions[node].disconnected(
                connection, reason: reason, kind: kind, at: turn.now, policy, using: &turn.generator)
        else { return }
        noteLeft(node, at: turn.now)
        if isNews, case .backingOff(let until, _) = sessions[node].phase, !isShuttingDown {
            report(.disconnected(node: node, reason: reason, retryAt: until), &turn)
        }
        // What ends one connection may have ended the other, and nothing would tell.
        stopListening(node, &turn)
        for _ in 0..<droppedReleases { report(.releaseDropped(node: node), &turn) }
        for (entry, failure) in undecided {
            leave(entry.round, node, &turn)
            retell(entry.command, besides: node, &turn)
            count(.failed(failure), of: node, for: entry.ballot, &turn)
        }
    }

    mutating func disconnect(
        _ node: Int, _ connection: ConnectionID, _ reason: String, _ kind: Outage, _ turn: inout Turn
    ) {
        turn.directives.append(.disconnect(node: node, connection, discardUnsent: true))
        disconnected(node, connection, reason, kind, &turn)
    }

    mutating func answered(_ node: Int, _ connection: ConnectionID, _ reply: Reply, _ turn: inout Turn) {
        guard case .ready(connection) = sessions[node].phase else { return }
        guard sessions[node].isAsked else {
            return disconnect(node, connection, "it answered what was not asked", .unreachable, &turn)
        }
        if sessions[node].gathersLook(reply, at: turn.now, policy) { return }
        let wasStalled = sessions[node].isStalled
        let isWanted = !reply.asksForScript || sessions[node].oldestBallot.map { Self.isWanted($0, in: locks) } ?? true
        let (entry, answered) = sessions[node].answered(reply, isWanted: isWanted, at: turn.now, policy)
        if wasStalled, !sessions[node].isStalled { report(.answersAgain(node: node), &turn) }
        switch answered {
        case .inTime: take(reply, to: entry, isLate: false, of: node, &turn)
        case .late: take(reply, to: entry, isLate: true, of: node, &turn)
        case .resend(let command): turn.directives.append(.send(command, to: node))
        }
    }

    private mutating func take(
        _ reply: Reply, to entry: NodeSession.Entry, isLate: Bool, of node: Int, _ turn: inout Turn
    ) {
        if !isLate { leave(entry.round, node, &turn) }
        switch entry.command.operation {
        case .readClock:
            return noteClock(reply, of: node, sentAt: entry.sentAt, &turn)
        case .look:
            return noteLook(of: node, sentAt: entry.sentAt, &turn)
        case .release:
            noteSubscribers(node, entry.command, reply, &turn)
            if !isLate, reply.subscribers(on: .release) == nil { retell(entry.command, besides: node, &turn) }
        case .announce:
            guard !isLate, reply.isDenied else { break }
            reportDenied(node, "publish", &turn)
            retell(entry.command, besides: node, &turn)
        case .acquire, .acquireFenced, .raise, .contend, .extend, .repair:
            break
        }
        count(
            vote(reply, to: entry, of: node, at: turn.now), of: node, for: entry.ballot,
            remaining: reply.remaining(on: entry.command.operation), &turn)
        if reply.isOfReplica { noteReplica(node, &turn) }
    }

    mutating func sessionTimer(_ node: Int, _ turn: inout Turn) {
        let wasStalled = sessions[node].isStalled
        // Each command times out once.
        var calls = sessions[node].waitingCount + Limits.callsPerTimer
        while calls > 0, let step = sessions[node].onTimer(at: turn.now, isHolding: isHolding, policy) {
            calls -= 1
            switch step {
            case .quarantineOver:
                report(.quarantineOver(node: node), &turn)
            case .appoint:
                appoint(node, &turn)
            case .send(let command):
                turn.directives.append(.send(command, to: node))
            case .connect:
                connect(node, &turn)
            case .disconnect(let connection, let reason, let kind):
                disconnect(node, connection, reason, kind, &turn)
            case .timedOut(let entry):
                leave(entry.round, node, &turn)
                retell(entry.command, besides: node, &turn)
                count(.failed(.timedOut), of: node, for: entry.ballot, &turn)
            }
        }
        if !wasStalled, sessions[node].isStalled { report(.stalled(node: node), &turn) }
    }

    /// The last thing that happens to a node: what is unanswered stays so.
    mutating func close(_ node: Int, _ turn: inout Turn) {
        if let connection = sessions[node].connection {
            turn.directives.append(.disconnect(node: node, connection, discardUnsent: false))
            disconnected(node, connection, "shut down", .unreachable, &turn)
        }
        sessions[node].close()
    }

    private func leave(_ round: RoundID?, _ node: Int, _ turn: inout Turn) {
        if let round { turn.departures.append(Departure(round: round, node: node)) }
    }
}
