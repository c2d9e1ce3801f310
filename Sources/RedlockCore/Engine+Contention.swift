// Requests for one resource: what their contention decides is carried out here.

extension Engine {
    /// Tells the contention of a resource what happened, and does what follows.
    mutating func tell(_ event: Contention.Event, at place: Int, _ turn: inout Turn) {
        var steps: [Contention.Step] = []
        swap(&steps, &spareSteps)
        let met = Contention.Circumstances(
            now: turn.now, roundTrip: roundTrip,
            mayWatch: contentions.watched.count < Limits.watchedResources && !isShuttingDown,
            isShuttingDown: isShuttingDown)
        contentions.tell(event, at: place, met, using: &turn.generator, policy, into: &steps)
        for step in steps { carryOut(step, at: place, &turn) }
        if !steps.isEmpty { steps.empty() }
        swap(&steps, &spareSteps)
    }

    /// The same, of the resource that a request is for.
    mutating func tell(_ event: Contention.Event, of slot: Int, _ turn: inout Turn) {
        if let place = contentions.place(of: locks.contention(of: slot)) { tell(event, at: place, &turn) }
    }

    private mutating func carryOut(_ step: Contention.Step, at place: Int, _ turn: inout Turn) {
        switch step {
        case .attempt(let slot, let approach):
            locks.setQueuePlace(nil, of: slot)
            beginAttempt(slot, approach, &turn)
        case .wait(let slot, let instant):
            locks.setQueuePlace(nil, of: slot)
            locks[slot].wait(until: instant)
        case .queued(let slot, let queuePlace):
            locks.setQueuePlace(queuePlace, of: slot)
        case .overdue(let slot):
            locks[slot].becomeOverdue()
        case .refuse(let slot, let refusal):
            endInQueue(slot, refusal, at: place, &turn)
        case .watch:
            subscribe(place, &turn)
        case .vacated:
            contentions.noteVacated(place)
        case .retire(let lingers):
            if lingers {
                contentions.linger(place, until: turn.now + Limits.lineLinger)
            } else {
                removeContention(place, &turn)
            }
        }
    }

    /// A new request: it goes to the nodes, or behind those that were here before.
    mutating func join(_ slot: Int, _ turn: inout Turn) {
        let key = ResourceKey(bytes: locks[slot].request.key)
        let place = contentions.place(of: key) ?? contentions.make(for: key)
        locks[slot].share(key: contentions[place].key.bytes)
        locks.setContention(contentions.id(of: place), of: slot)
        tell(.joined(slot: slot, deadline: locks[slot].request.deadline), at: place, &turn)
    }

    /// A request does not want the lock any more, or has lost it.
    mutating func leaveContention(_ slot: Int, _ turn: inout Turn) {
        guard let place = contentions.place(of: locks.contention(of: slot)) else { return }
        let queuePlace = locks.queuePlace(of: slot)
        guard queuePlace != nil || contentions.frontSlot(at: place) == slot else { return }
        locks.setQueuePlace(nil, of: slot)
        tell(.left(slot: slot, queuePlace), at: place, &turn)
    }

    /// The wait of a queued request is over.
    private mutating func endInQueue(_ slot: Int, _ refusal: Refusal?, at place: Int, _ turn: inout Turn) {
        var refusal =
            refusal ?? contentions[place].front.map {
                Refusal(reason: .heldByAnother, attempts: 0, votes: locks[$0.slot].hold?.value.evidence ?? [])
            }!
        contentions[place].noteAhead(&refusal, locks.queuePlace(of: slot))
        locks[slot].endInQueue()
        refuse(locks.lock(in: slot), slot, refusal, &turn)
    }

    /// Says what of this process stands before a request that is refused.
    func noteAhead(_ refusal: inout Refusal, _ slot: Int) {
        guard let place = contentions.place(of: locks.contention(of: slot)) else { return }
        contentions[place].noteAhead(&refusal, locks.queuePlace(of: slot))
    }

    mutating func contentionTimer(_ turn: inout Turn) {
        while let place = contentions.popLingering(at: turn.now) { removeContention(place, &turn) }
    }

    private mutating func removeContention(_ place: Int, _ turn: inout Turn) {
        unsubscribe(place, &turn)
        contentions.remove(place)
    }

    mutating func measureRoundTrip(_ slot: Int, at now: Instant) {
        guard let start = locks[slot].attempt?.start else { return }
        let sample = min(now - start, policy.parameters.nodeTimeout)
        roundTrip = max(roundTrip + (sample - roundTrip) / 8, .microseconds(20))
    }
}

// MARK: - Who tells of a release

// Contention between processes, without split votes: one node tells a release for all, and whoever hears it there asks
// that node first, the arbiter, and the others only if it grants. What the arbiter says is a vote like all others: a
// lock is still what a quorum granted. Who has not heard it asks all nodes at once.

extension Engine {
    /// The node that tells of a release, among those that have the key. Nil when none of them can be asked.
    ///
    /// The last one: a shell writes to the nodes in their order, and whoever is woken should not come before the others
    /// were told to release.
    func teller(among nodes: NodeSet, at now: Instant) -> Int? {
        var last: Int?
        for node in nodes where sessions[node].isUsable(at: now) && !denying.contains(node) { last = node }
        return last
    }

    /// The release of a lock that was held. Returns the nodes from which an answer will come.
    ///
    /// Of a lease that was lost, or has lapsed, each node tells for itself: another may have the others.
    mutating func broadcastRelease(
        _ lock: LockID, _ slot: Int, _ nodes: NodeSet, isValid: Bool, _ turn: inout Turn
    ) -> NodeSet {
        guard let hold = locks[slot].hold else { return NodeSet() }
        let token = hold.value.attempt.token
        var handsOver = false
        let teller = isValid ? teller(among: hold.value.guarding.nodes, at: turn.now) : nil
        if let place = contentions.place(of: locks.contention(of: slot)) {
            tell(.released(token), at: place, &turn)
            handsOver = contentions.handsOver(at: place)
            if let teller, !handsOver { tell(.told(by: teller), at: place, &turn) }
        }
        func release(_ nodes: NodeSet, _ notice: Command.Notice) -> NodeSet {
            broadcastRelease(
                of: token, key: hold.value.request.key, to: nodes,
                ballot: .release(lock), notice: notice, &turn)
        }
        guard let teller else { return release(nodes, handsOver ? .nothing : .node) }
        let told = release(NodeSet(teller), handsOver ? .count : .everywhere)
        return told.union(release(nodes.subtracting(NodeSet(teller)), .nothing))
    }

    /// Who tells nobody that its key was taken: all but the arbiter, for that is where those look who heard the same.
    func quiet(of nodes: NodeSet, _ slot: Int, _ operation: Command.Operation, at now: Instant) -> NodeSet {
        guard operation.tells, let place = contentions.place(of: locks.contention(of: slot)),
            let arbiter = contentions.arbiter(at: place), sessions[arbiter].isUsable(at: now)
        else { return NodeSet() }
        return nodes.subtracting(NodeSet(arbiter))
    }

    /// The node that was to tell of a release did not: another does, so that nobody has to wait for the clock.
    mutating func retell(_ command: Command, besides node: Int, _ turn: inout Turn) {
        guard command.notice == .everywhere,
            let teller = teller(among: allNodes.subtracting(NodeSet(node)), at: turn.now)
        else { return }
        let command = Command(.announce, key: command.key, token: command.token, notice: .everywhere)
        guard sessions[teller].submitAnnouncement(command, at: turn.now, policy) == .send else { return }
        turn.directives.append(.send(command, to: teller))
    }

    /// A node says how many are subscribed to the channel of what it has deleted, if it was to tell or count them.
    mutating func noteSubscribers(_ node: Int, _ command: Command, _ reply: Reply, _ turn: inout Turn) {
        if case .integer(-1) = reply, command.notice != .count { reportDenied(node, "publish", &turn) }
        guard command.notice != .nothing, !isShuttingDown,
            let subscribers = reply.subscribers(on: command.operation)
        else { return }
        // Nobody waits here, and nobody was known to wait anywhere: nothing is new.
        guard subscribers > 0 || contentions.rivalled > 0 else { return }
        let key = ResourceKey(bytes: command.key)
        if let place = contentions.place(of: key) {
            let isOurs = contentions[place].watch?.asked.contains(node) == true
            tell(.rivals(subscribers > (isOurs ? 1 : 0)), at: place, &turn)
        } else if subscribers > 0 {
            // This process has just had its turn.
            let place = contentions.make(for: key, turns: 1)
            tell(.rivals(true), at: place, &turn)
            contentions.noteVacated(place)
        }
    }
}

// MARK: - Who asks whom first

extension Engine {
    /// The node to ask before the others; nil to ask all at once: also for who has no time to ask twice, as what a caller
    /// is told last is what all nodes say.
    func arbiter(_ approach: Contention.Approach, _ slot: Int, at now: Instant) -> Int? {
        guard let arbiter = approach.asksFirst, sessions[arbiter].isUsable(at: now), sessions.count > 1,
            locks[slot].mayAskTwice(at: now, policy)
        else { return nil }
        return arbiter
    }

    /// The arbiter has granted, or does not answer: now the others.
    mutating func askRest(_ nodes: NodeSet, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        guard let attempt = locks[slot].attempt else { return }
        let milliseconds = locks[slot].request.ttl.millisecondsRoundedUp
        let operation: Command.Operation =
            if let fencing = attempt.fencing {
                .acquireFenced(milliseconds: milliseconds, number: fencing.number)
            } else {
                .contend(milliseconds: milliseconds)
            }
        ask(nodes, operation, lock, slot, &turn)
    }
}
