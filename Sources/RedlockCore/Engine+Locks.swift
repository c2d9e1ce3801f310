// The way of a lock through the engine: what its machine decides is sent, answered and reported here.

// MARK: - Acquire

extension Engine {
    mutating func acquire(_ lock: LockID, _ request: AcquireRequest, _ turn: inout Turn) {
        begin(lock, LockMachine(request: request))
        if isShuttingDown {
            abandon(lock, .shutDown, &turn)
        } else {
            join(Int(lock.slot), &turn)
        }
    }

    mutating func beginAttempt(_ lock: LockID, _ turn: inout Turn) {
        guard let slot = slot(of: lock) else { return }
        let request = slots[slot].machine!.request
        let proposal = fencingProposal(for: request, at: turn.now)
        let arbiter = arbiter(for: slot, at: turn.now)
        let (token, operation) = prepareAttempt(
            slot, fresh: Token(using: &turn.generator), proposing: proposal, at: turn.now)
        slots[slot].machine!.beginAttempt(at: turn.now, fresh: token, proposing: proposal, policy)
        let number = slots[slot].machine!.attempt.number
        report(.attempt(lock, number: Int(number)), &turn)

        let first = arbiter.map { NodeSet($0) } ?? allNodes
        slots[slot].machine!.holdBack(allNodes.subtracting(first))
        ask(first, operation, lock, slot, &turn)
    }

    /// Asks nodes for the lock. Where a line has an arbiter, that node alone tells others that it is taken.
    mutating func ask(
        _ nodes: NodeSet, _ operation: Command.Operation, _ lock: LockID, _ slot: Int, _ turn: inout Turn
    ) {
        let number = slots[slot].machine!.attempt.number
        let quiet = quiet(of: nodes, slot, operation, at: turn.now)
        var command = Command(
            operation, key: slots[slot].machine!.request.key, token: slots[slot].machine!.attempt.token)
        var (asked, failed) = broadcast(
            command, to: nodes.subtracting(quiet), ballot: .attempt(lock, number: number), &turn)
        if !quiet.isEmpty {
            command.notice = .nothing
            let rest = broadcast(command, to: quiet, ballot: .attempt(lock, number: number), &turn)
            asked = asked.union(rest.asked)
            failed += rest.failed
        }
        slots[slot].machine!.noteAsked(asked, failed: failed)
        settle(slot)
        for (node, failure) in failed {
            countAttempt(.failed(failure), of: node, lock, number: number, &turn)
        }
    }

    private mutating func countAttempt(
        _ vote: Vote, of node: Int, _ lock: LockID, number: UInt32, remaining: Nanoseconds? = nil, _ turn: inout Turn
    ) {
        var vote = judged(vote, of: node, lock, attempt: number)
        report(.vote(lock, node: node, vote), &turn)
        guard let slot = slot(of: lock) else { return }
        noteNumber(vote, slot)
        vote = noteSuccessor(vote, of: node, slot, number: number, remaining: remaining, &turn)
        guard self.slot(of: lock) != nil else { return }
        learn(vote, of: node, slot, number: number, remaining: remaining, at: turn.now)
        let step = slots[slot].machine!.count(
            vote, of: node, attempt: number, at: turn.now, using: &turn.generator, policy)
        if let step { carryOut(step, lock, slot, &turn) }
        guardChanged(lock, slot, &turn)
    }

    mutating func carryOut(_ step: LockMachine.AcquireStep, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        switch step {
        case .granted(let grant):
            report(.granted(lock, grant), &turn)
            turn.directives.append(.answer(.granted(lock, grant)))
            noteGrant(slot, &turn)
        case .ask(let nodes):
            askRest(nodes, lock, slot, &turn)
        case .raise(let raise):
            offer(raise, lock, slot, &turn)
        case .retry(var refusal):
            explain(&refusal, slot)
            noteAhead(&refusal, slot)
            let again = planRetry(slot, refusal, &turn)
            report(.refused(lock, refusal, retryAt: again), &turn)
            releaseAttempt(slot, &turn)
        case .refused(var refusal):
            explain(&refusal, slot)
            noteAhead(&refusal, slot)
            noteLastRefusal(slot, refusal, &turn)
            refuse(lock, slot, refusal, &turn)
        }
        settle(slot)
    }

    /// The caller gives up, or is given up.
    mutating func abandon(_ lock: LockID, _ reason: Refusal.Reason, _ turn: inout Turn) {
        guard let slot = slot(of: lock) else { return }
        let phase = slots[slot].machine!.phase
        guard var refusal = slots[slot].machine!.abandon(reason, policy) else { return }
        if phase == .queued { noteAhead(&refusal, slot, isQueued: true) }
        if case .waiting = phase { continueAsPlanned(slot) }
        refuse(lock, slot, refusal, &turn)
        settle(slot)
    }

    /// The caller has its answer at once; nobody waits for the releases.
    mutating func refuse(_ lock: LockID, _ slot: Int, _ refusal: Refusal, _ turn: inout Turn) {
        report(.refused(lock, refusal, retryAt: nil), &turn)
        turn.directives.append(.answer(.refused(lock, refusal)))
        releaseAttempt(slot, &turn)
    }

    /// Releases what the attempt set, or may have set, or may yet set.
    private mutating func releaseAttempt(_ slot: Int, _ turn: inout Turn) {
        let machine = slots[slot].machine!
        guard machine.hasBegun else { return }
        let nodes = policy.rules.nodesToRelease(
            asked: machine.attempt.asked, granted: machine.attempt.ballot.locked, repaired: NodeSet())
        _ = broadcastRelease(
            of: machine.attempt.token, key: machine.request.key, to: nodes, ballot: .none, notice: .node, &turn)
    }
}

// MARK: - Extend

extension Engine {
    mutating func extend(_ lock: LockID, _ caller: ExtensionID, ttl: Nanoseconds, _ turn: inout Turn) {
        guard let slot = slot(of: lock) else {
            let refusal = ExtensionRefusal(reason: .released, votes: [])
            turn.directives.append(.answer(.notExtended(lock, refusal, callers: [caller])))
            return
        }
        let step = slots[slot].machine!.extend(caller, ttl: ttl, at: turn.now, policy)
        carryOut(step, lock, slot, callers: [caller], &turn)
    }

    mutating func carryOut(
        _ step: LockMachine.ExtendStep, _ lock: LockID, _ slot: Int, callers: [ExtensionID], _ turn: inout Turn
    ) {
        switch step {
        case .broadcast(let round, let ttl):
            let command = Command(
                .extend(milliseconds: ttl.millisecondsRoundedUp), key: slots[slot].machine!.request.key,
                token: slots[slot].machine!.attempt.token)
            let (_, failed) = broadcast(command, to: allNodes, ballot: .extend(lock, round: round), &turn)
            slots[slot].machine!.noteNotExtended(failed)
            settle(slot)
            for (node, failure) in failed {
                countExtension(.failed(failure), of: node, lock, round: round, &turn)
            }
        case .wait:
            settle(slot)
        case .refused(var refusal):
            explain(&refusal, slot)
            turn.directives.append(.answer(.notExtended(lock, refusal, callers: callers)))
        }
    }

    mutating func countExtension(
        _ vote: Vote, of node: Int, _ lock: LockID, round: UInt32, _ turn: inout Turn
    ) {
        report(.vote(lock, node: node, vote), &turn)
        guard let slot = slot(of: lock) else { return }
        let sign = keySign(vote, of: node, slot, at: turn.now)
        let outcome = slots[slot].machine!.countExtension(
            vote, of: node, round: round, at: turn.now, using: &turn.generator, policy)
        switch outcome {
        case nil: break
        case .extended(let validUntil, let votes, let callers):
            report(.extended(lock, validUntil: validUntil, votes: votes), &turn)
            turn.directives.append(.answer(.extended(lock, validUntil: validUntil, callers: callers)))
            continueQueuedExtension(lock, slot, &turn)
        case .failed(var refusal, let callers):
            explain(&refusal, slot)
            report(.notExtended(lock, refusal), &turn)
            turn.directives.append(.answer(.notExtended(lock, refusal, callers: callers)))
            continueQueuedExtension(lock, slot, &turn)
        case .lost(var loss, let callers):
            explain(&loss, slot)
            var refusal = ExtensionRefusal(reason: .lost, votes: loss.votes)
            refusal.pause = loss.pause
            turn.directives.append(.answer(.notExtended(lock, refusal, callers: callers)))
            tellLoss(loss, lock, slot, &turn)
        }
        if let sign { noteKey(sign, of: node, lock, round: round, &turn) }
        guardChanged(lock, slot, &turn)
        settle(slot)
    }

    private mutating func continueQueuedExtension(_ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        guard let step = slots[slot].machine!.beginQueuedExtension(at: turn.now, policy) else { return }
        carryOut(step, lock, slot, callers: [], &turn)
    }
}

// MARK: - Loss

extension Engine {
    mutating func endAtShutdown(_ lock: LockID, _ turn: inout Turn) {
        guard let slot = slot(of: lock) else { return }
        if let loss = slots[slot].machine!.shutDown() { tellLoss(loss, lock, slot, &turn) }
        settle(slot)
    }

    /// The keys stay: the holder's work may go on until the end of validity, and its release deletes them.
    mutating func tellLoss(_ loss: Loss, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        let reason: ExtensionRefusal.Reason = loss.reason == .expired ? .expired : .lost
        var loss = loss
        explain(&loss, slot)
        noteLostLease(slot)
        endExtensions(reason, lock, slot, &turn)
        report(.lost(lock, loss), &turn)
        turn.directives.append(.answer(.lost(lock, loss)))
    }

    private mutating func endExtensions(
        _ reason: ExtensionRefusal.Reason, _ lock: LockID, _ slot: Int, _ turn: inout Turn
    ) {
        let callers = slots[slot].machine!.takeExtensionCallers()
        guard !callers.isEmpty else { return }
        var refusal = slots[slot].machine!.extensionRefusal(reason)
        explain(&refusal, slot)
        turn.directives.append(.answer(.notExtended(lock, refusal, callers: callers)))
    }
}

// MARK: - Release

extension Engine {
    mutating func release(_ lock: LockID, _ turn: inout Turn) {
        guard let slot = slot(of: lock) else { return }
        let isValid = slots[slot].machine!.isValid(at: turn.now)
        let phase = slots[slot].machine!.phase
        guard slots[slot].machine!.beginRelease() else { return }
        if case .lost = phase { forgetLostLease(slot, &turn) }
        endExtensions(.released, lock, slot, &turn)
        let nodes = policy.rules.nodesToRelease(
            asked: slots[slot].machine!.attempt.asked, granted: slots[slot].machine!.attempt.ballot.locked,
            repaired: slots[slot].machine!.hold!.guarding.repaired)
        let awaited = broadcastRelease(lock, slot, nodes, isValid: isValid, &turn)
        noteRelease(slot, of: awaited, &turn)
        settle(slot)
        for node in sessions.indices where !awaited.contains(node) {
            countRelease(.failed(.unreachable("not asked")), of: node, lock, &turn)
        }
    }

    private mutating func countRelease(_ vote: Vote, of node: Int, _ lock: LockID, _ turn: inout Turn) {
        guard let slot = slot(of: lock) else { return }
        let sign = keySign(ofRelease: vote, node, slot, at: turn.now)
        let isOver = slots[slot].machine!.countRelease(vote, of: node, policy)
        if let sign { noteKey(sign, of: node, lock, round: LockMachine.KeyAnswers.release, &turn) }
        guard isOver else { return }
        report(.released(lock), &turn)
        turn.directives.append(.answer(.released(lock)))
        settle(slot)
    }
}

// MARK: - Votes and time

extension Engine {
    /// Whoever the vote is for counts it.
    ///
    /// - Parameter remaining: How long the key of another still lives there, if the node said so.
    mutating func count(
        _ vote: Vote, of node: Int, for ballot: NodeSession.Ballot, remaining: Nanoseconds? = nil, _ turn: inout Turn
    ) {
        switch ballot {
        case .attempt(let lock, let number):
            countAttempt(vote, of: node, lock, number: number, remaining: remaining, &turn)
        case .raise(let lock, let attempt, let round):
            countRaise(vote, of: node, lock, attempt: attempt, round: round, &turn)
        case .extend(let lock, let round): countExtension(vote, of: node, lock, round: round, &turn)
        case .repair(let lock, let round): countRepair(vote, of: node, lock, round: round, &turn)
        case .release(let lock): countRelease(vote, of: node, lock, &turn)
        case .none: break
        }
    }

    mutating func lockTimer(_ slot: Int, _ turn: inout Turn) {
        let lock = lock(in: slot)
        switch slots[slot].machine!.onTimer(at: turn.now, using: &turn.generator, policy) {
        case .endInQueue: endInQueue(lock, slot, &turn)
        case .beginAttempt: beginAttempt(lock, &turn)
        case .acquire(let step): carryOut(step, lock, slot, &turn)
        case .extend(let step): carryOut(step, lock, slot, callers: [], &turn)
        case .repair(let repair): carryOut(repair, lock, slot, &turn)
        case .lost(let loss): tellLoss(loss, lock, slot, &turn)
        case .release: release(lock, &turn)
        case nil: break
        }
        guardChanged(lock, slot, &turn)
        settle(slot)
    }
}
