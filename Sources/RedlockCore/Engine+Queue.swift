// One contender a process: requests for the same key queue here, and only the first goes to the nodes.

// MARK: - Joining and leaving

extension Engine {
    /// A new request: it goes to the nodes, or behind those that were here before.
    mutating func join(_ slot: Int, _ turn: inout Turn) {
        let key = LineKey(bytes: locks[slot].request.key)
        let place = lines.place(of: key) ?? lines.make(for: key)
        locks[slot].share(key: lines[place].key.bytes)
        lines[place].uses += 1
        locks.withQueuing(slot) {
            $0.line = lines.id(of: place)
            $0.grantsBefore = lines[place].grants
        }
        let isFirst = lines[place].isIdle
        append(slot, to: place)
        if isFirst {
            if mustGiveWay(place) { lines[place].succession = .givingWay }
            succeed(lines.id(of: place), &turn)
        } else {
            if locks[slot].request.deadline <= turn.now { endInQueue(locks.lock(in: slot), slot, &turn) }
        }
    }

    private mutating func append(_ slot: Int, to place: Int) {
        locks.withQueuing(slot) { $0.older = lines[place].newest }
        if let newest = lines[place].newest { locks.withQueuing(newest) { $0.newer = slot } } else { lines[place].oldest = slot }
        lines[place].newest = slot
    }

    /// Takes a request out of the queue, from wherever in it.
    mutating func leaveQueue(_ slot: Int) {
        guard let place = lines.place(of: locks.queuing(slot).line) else { return }
        let (older, newer) = (locks.queuing(slot).older, locks.queuing(slot).newer)
        guard older != nil || lines[place].oldest == slot else { return }
        if let older { locks.withQueuing(older) { $0.newer = newer } } else { lines[place].oldest = newer }
        if let newer { locks.withQueuing(newer) { $0.older = older } } else { lines[place].newest = older }
        locks.withQueuing(slot) {
            $0.older = nil
            $0.newer = nil
        }
    }

    /// The front neither asks nor holds any more: the next one's turn comes at the end of the event.
    mutating func vacate(_ slot: Int) {
        guard let place = lines.place(of: locks.queuing(slot).line), lines[place].front == slot else { return }
        lines[place].front = nil
        lines.vacated.append(lines.id(of: place))
    }

    /// The next in line takes the front.
    mutating func succeed(_ line: LineID, _ turn: inout Turn) {
        guard let place = lines.place(of: line), lines[place].front == nil else { return }
        guard let oldest = lines[place].oldest, let newest = lines[place].newest else { return retire(place, &turn) }
        let next = policy.rules.next(oldest: oldest, newest: newest)
        leaveQueue(next)
        lines[place].front = next
        let succession = lines[place].succession
        lines[place].succession = .atOnce
        switch succession {
        case .atOnce: beginAttempt(locks.lock(in: next), &turn)
        case .asPlanned: reconsider(place, &turn)
        case .givingWay: giveWay(place, &turn)
        }
    }

    /// Nobody is left. What others contend for is remembered for a while; so is a lost lease, until it is released.
    mutating func retire(_ place: Int, _ turn: inout Turn) {
        guard lines[place].isIdle, lines[place].lostLeases == 0 else { return }
        lines[place].evidence = nil
        lines[place].overdue = []
        lines[place].succession = .atOnce
        if isShuttingDown {
            endWatch(place, &turn)
        } else if lines[place].watch != nil || lines[place].hasRivals {
            return lines.linger(place, until: turn.now + Limits.lineLinger)
        }
        lines.remove(place)
    }

    mutating func lineTimer(_ turn: inout Turn) {
        while let place = lines.popLingering(at: turn.now) {
            endWatch(place, &turn)
            lines.remove(place)
        }
    }
}

// MARK: - The end of a wait

extension Engine {
    /// The wait of a request behind others is over: it is told what is known of those ahead, now or once that is known.
    mutating func endInQueue(_ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        guard let place = lines.place(of: locks.queuing(slot).line) else { return }
        guard var refusal = evidence(place) else {
            locks[slot].becomeOverdue()
            lines[place].overdue.append(lock)
            return
        }
        noteAhead(&refusal, slot, isQueued: true)
        locks[slot].endInQueue()
        refuse(lock, slot, refusal, &turn)
    }

    /// What can be said truly to somebody who has asked no node: this process holds it, or what became of its last try.
    private func evidence(_ place: Int) -> Refusal? {
        if let front = lines[place].front, locks[front].phase == .held {
            return Refusal(reason: .heldByAnother, attempts: 0, votes: locks[front].evidenceOfHold)
        }
        guard let evidence = lines[place].evidence else { return nil }
        return Refusal(reason: evidence.reason, attempts: 0, votes: evidence.votes)
    }

    /// Says what of this process stands before a request that is refused.
    ///
    /// - Parameter isQueued: Whether others were ahead of it.
    func noteAhead(_ refusal: inout Refusal, _ slot: Int, isQueued: Bool = false) {
        guard let place = lines.place(of: locks.queuing(slot).line) else { return }
        if isQueued {
            let isHeld = lines[place].front.map { locks[$0].phase } == .held
            refusal.ahead = isHeld ? .holder : .contender
        } else if refusal.reason == .heldByAnother, lines[place].lostLeases > 0 {
            refusal.ahead = .lostHolder
        }
        refusal.changedHands = lines[place].grants != locks.queuing(slot).grantsBefore
    }

    private mutating func answerOverdue(_ place: Int, _ turn: inout Turn) {
        guard !lines[place].overdue.isEmpty else { return }
        let overdue = lines[place].overdue
        lines[place].overdue = []
        for lock in overdue {
            guard let slot = locks.slot(of: lock), locks[slot].phase == .queued else { continue }
            endInQueue(lock, slot, &turn)
        }
    }
}

// MARK: - What the front meets

extension Engine {
    /// The token and the form of an attempt that begins now.
    ///
    /// The plain SET until there is contention. Then a script, which says how long the key still lives; that of the
    /// fencing numbers always does.
    mutating func prepareAttempt(
        _ slot: Int, fresh: Token, proposing number: Int64?, at now: Instant
    ) -> (token: Token, operation: Command.Operation) {
        guard let place = lines.place(of: locks.queuing(slot).line) else { preconditionFailure("a request is in a line") }
        let released = lines[place].released.take()
        lines[place].triesFree = lines[place].isFree(at: now, quorum: policy.quorum)
        if lines[place].watch != nil { lines[place].watch!.isUnchecked = false }
        let token = released.map { policy.rules.handoverToken(released: $0, fresh: fresh) } ?? fresh
        let milliseconds = locks[slot].request.ttl.millisecondsRoundedUp
        if let number { return (token, .acquireFenced(milliseconds: milliseconds, number: number)) }
        let isContended = released == nil && (locks[slot].hasBegun || lines[place].watch != nil)
        return (token, isContended ? .contend(milliseconds: milliseconds) : .acquire(milliseconds: milliseconds))
    }

    mutating func noteGrant(_ slot: Int, _ turn: inout Turn) {
        measureRoundTrip(slot, at: turn.now)
        guard let place = lines.place(of: locks.queuing(slot).line) else { return }
        lines[place].granted()
        answerOverdue(place, &turn)
    }

    /// The front was refused and will try again. Returns when.
    mutating func planRetry(_ slot: Int, _ refusal: Refusal, _ turn: inout Turn) -> Instant {
        if refusal.reason == .heldByAnother { measureRoundTrip(slot, at: turn.now) }
        guard let place = lines.place(of: locks.queuing(slot).line) else { preconditionFailure("a request is in a line") }
        let machine = locks[slot]
        if refusal.reason == .heldByAnother, machine.request.deadline > turn.now + Limits.shortestWatchedWait {
            beginWatch(place, &turn)
        }
        lines[place].plan(
            after: refusal, at: turn.now, window: wakeWindow, using: &turn.generator, policy)
        locks[slot].wait(until: lines[place].nextAttempt(quorum: policy.quorum))
        answerOverdue(place, &turn)
        return locks[slot].deadline(policy)
    }

    /// The front was refused for good: who is behind waits on in its place.
    mutating func noteLastRefusal(_ slot: Int, _ refusal: Refusal, _ turn: inout Turn) {
        guard let place = lines.place(of: locks.queuing(slot).line) else { return }
        if lines[place].oldest != nil {
            lines[place].plan(after: refusal, at: turn.now, window: wakeWindow, using: &turn.generator, policy)
            answerOverdue(place, &turn)
            lines[place].succession = .asPlanned
        }
    }

    /// The front gives up between two attempts.
    mutating func continueAsPlanned(_ slot: Int) {
        guard let place = lines.place(of: locks.queuing(slot).line), lines[place].front == slot else { return }
        lines[place].succession = .asPlanned
    }

    /// The front tries when its line says so: now, perhaps.
    mutating func reconsider(_ place: Int, _ turn: inout Turn) {
        guard let front = lines[place].front else { return }
        switch locks[front].phase {
        case .queued, .waiting: break
        case .acquiring, .held, .lost, .releasing, .ended: return
        }
        locks[front].wait(until: lines[place].nextAttempt(quorum: policy.quorum))
        if locks[front].deadline(policy) <= turn.now {
            beginAttempt(locks.lock(in: front), &turn)
        } else {
        }
    }

    private mutating func measureRoundTrip(_ slot: Int, at now: Instant) {
        let sample = min(now - locks[slot].attempt.start, policy.parameters.nodeTimeout)
        roundTrip = max(roundTrip + (sample - roundTrip) / 8, .microseconds(20))
    }

    var wakeWindow: Nanoseconds { roundTrip * Limits.wakeRoundTrips }
}

// MARK: - Handing over and giving way

extension Engine {
    /// Whether this process has had its turns, and others wait.
    func mustGiveWay(_ place: Int) -> Bool {
        lines[place].hasRivals && lines[place].turns >= Limits.turnsInARow
    }

    /// The holder lets go. True when the next of this process takes over at once, and nobody needs to be told.
    mutating func prepareRelease(_ slot: Int) -> Bool {
        guard let place = lines.place(of: locks.queuing(slot).line), lines[place].front == slot else { return false }
        guard lines[place].oldest != nil, !isShuttingDown else { return false }
        guard !mustGiveWay(place) else {
            lines[place].succession = .givingWay
            return false
        }
        lines[place].released = locks[slot].attempt.token
        return true
    }

    /// The holder is told of a loss, and may go on for a while: who asks now may meet its keys.
    mutating func noteLostLease(_ slot: Int) {
        lostSlots.append(slot)
        guard let place = lines.place(of: locks.queuing(slot).line) else { return }
        lines[place].lostLeases += 1
    }

    /// A lease that was lost is released.
    mutating func forgetLostLease(_ slot: Int, _ turn: inout Turn) {
        lostSlots.removeAll { $0 == slot }
        guard let place = lines.place(of: locks.queuing(slot).line) else { return }
        lines[place].lostLeases -= 1
        retire(place, &turn)
    }

    /// Somebody of this process has let go of what he had lost: whoever asks now need not be told by the nodes.
    mutating func noteRelease(_ slot: Int, of nodes: NodeSet, _ turn: inout Turn) {
        guard let place = lines.place(of: locks.queuing(slot).line), lines[place].front != slot else { return }
        lines[place].learn(at: turn.now, quorum: policy.quorum) { forecast in
            for node in nodes { forecast.released(node, at: turn.now) }
        }
        reconsider(place, &turn)
    }

    /// A node says how many are subscribed to the channel of what it has deleted, if it was to tell or count them.
    mutating func noteSubscribers(_ node: Int, _ command: Command, _ reply: Reply, _ turn: inout Turn) {
        if case .integer(-1) = reply, command.notice != .count { reportDenied(node, "publish", &turn) }
        guard command.notice != .nothing, !isShuttingDown,
            let subscribers = reply.subscribers(on: command.operation)
        else { return }
        // Nobody waits here, and nobody was known to wait anywhere: nothing is new.
        guard subscribers > 0 || lines.rivalled > 0 else { return }
        let key = LineKey(bytes: command.key)
        if let place = lines.place(of: key) {
            let isOurs = lines[place].watch?.asked.contains(node) == true
            lines.noteRivals(subscribers > (isOurs ? 1 : 0), at: place)
        } else if subscribers > 0 {
            let place = lines.make(for: key)
            lines.noteRivals(true, at: place)
            lines[place].turns = 1
            retire(place, &turn)
        }
    }

    /// Lets other processes go first: the front tries when they had their chance, or have had the resource.
    private mutating func giveWay(_ place: Int, _ turn: inout Turn) {
        beginWatch(place, &turn)
        lines[place].giveWay(at: turn.now, window: wakeWindow, using: &turn.generator, policy)
        reconsider(place, &turn)
    }
}
