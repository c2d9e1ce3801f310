// The way of a lock through the engine: what its machine decides is sent, answered and reported here.

// MARK: - Acquire

extension Engine {
    mutating func acquire(_ lock: LockID, _ request: AcquireRequest, _ turn: inout Turn) {
        locks.begin(lock, LockMachine(request: request))
        if isShuttingDown {
            abandon(lock, .shutDown, &turn)
        } else {
            join(Int(lock.slot), &turn)
        }
    }

    /// Time counts from here, before anything is sent.
    mutating func beginAttempt(_ slot: Int, _ approach: Contention.Approach, _ turn: inout Turn) {
        let lock = locks.lock(in: slot)
        let request = locks[slot].request
        let proposal = fencingProposal(for: request, at: turn.now)
        let arbiter = arbiter(approach, slot, at: turn.now)
        let fresh = Token(using: &turn.generator)
        let token = approach.takingOverFrom.map { policy.rules.handoverToken(released: $0, fresh: fresh) } ?? fresh
        locks[slot].beginAttempt(at: turn.now, fresh: token, proposing: proposal, policy)
        report(.attempt(lock, number: Int(locks[slot].attemptNumber)), &turn)

        let first = arbiter.map { NodeSet($0) } ?? allNodes
        locks[slot].holdBack(allNodes.subtracting(first))
        let milliseconds = request.ttl.millisecondsRoundedUp
        // The plain SET until there is contention. Then a script, which says how long the key still lives; that of the
        // fencing numbers always does.
        let operation: Command.Operation =
            if let proposal {
                .acquireFenced(milliseconds: milliseconds, number: proposal)
            } else if approach.isContended {
                .contend(milliseconds: milliseconds)
            } else {
                .acquire(milliseconds: milliseconds)
            }
        ask(first, operation, lock, slot, &turn)
    }

    /// Asks nodes for the lock. Where the resource has an arbiter, that node alone tells others that it is taken.
    mutating func ask(
        _ nodes: NodeSet, _ operation: Command.Operation, _ lock: LockID, _ slot: Int, _ turn: inout Turn
    ) {
        guard let token = locks[slot].attempt?.token else { return }
        let number = locks[slot].attemptNumber
        let quiet = quiet(of: nodes, slot, operation, at: turn.now)
        var command = Command(operation, key: locks[slot].request.key, token: token)
        var (asked, failed) = broadcast(
            command, to: nodes.subtracting(quiet), ballot: .attempt(lock, number: number), &turn)
        if !quiet.isEmpty {
            command.notice = .nothing
            let rest = broadcast(command, to: quiet, ballot: .attempt(lock, number: number), &turn)
            asked = asked.union(rest.asked)
            failed += rest.failed
        }
        locks[slot].noteAsked(asked, failed: failed)
        for (node, failure) in failed {
            countAttempt(.failed(failure), of: node, lock, number: number, &turn)
        }
    }

    private mutating func countAttempt(
        _ vote: Vote, of node: Int, _ lock: LockID, number: UInt32, remaining: Nanoseconds? = nil, _ turn: inout Turn
    ) {
        var vote = judged(vote, of: node, lock, attempt: number)
        report(.vote(lock, node: node, vote), &turn)
        guard let slot = locks.slot(of: lock) else { return }
        noteNumber(vote, slot)
        vote = noteSuccessor(vote, of: node, slot, number: number, remaining: remaining, &turn)
        learn(vote, of: node, slot, number: number, remaining: remaining, &turn)
        let step = locks[slot].count(
            vote, of: node, attempt: number, at: turn.now, using: &turn.generator, policy)
        if let step { carryOut(step, lock, slot, &turn) }
    }

    mutating func carryOut(_ step: LockMachine.AcquireStep, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        switch step {
        case .granted(let grant):
            report(.granted(lock, grant), &turn)
            turn.directives.append(.answer(.granted(lock, grant)))
            measureRoundTrip(slot, at: turn.now)
            tell(.granted, of: slot, &turn)
        case .ask(let nodes):
            askRest(nodes, lock, slot, &turn)
        case .raise(let raise):
            offer(raise, lock, slot, &turn)
        case .retry(var refusal):
            explain(&refusal, slot)
            noteAhead(&refusal, slot)
            if refusal.reason == .heldByAnother { measureRoundTrip(slot, at: turn.now) }
            tellRefused(refusal, isLast: false, slot, &turn)
            // Not in the report's closure: the table would be copied for it.
            let again = locks[slot].deadline(policy)
            report(.refused(lock, refusal, retryAt: again), &turn)
            releaseAttempt(slot, &turn)
        case .refused(var refusal):
            explain(&refusal, slot)
            noteAhead(&refusal, slot)
            tellRefused(refusal, isLast: true, slot, &turn)
            refuse(lock, slot, refusal, &turn)
        }
    }

    private mutating func tellRefused(_ refusal: Refusal, isLast: Bool, _ slot: Int, _ turn: inout Turn) {
        guard let attempt = locks[slot].attempt else { return }
        tell(
            .refused(refusal, isLast: isLast, owned: attempt.ballot.locked, askedAt: attempt.start), of: slot, &turn)
    }

    /// The caller gives up, or is given up.
    mutating func abandon(_ lock: LockID, _ reason: Refusal.Reason, _ turn: inout Turn) {
        guard let slot = locks.slot(of: lock) else { return }
        let isQueued = locks[slot].isQueued
        guard var refusal = locks[slot].abandon(reason, policy) else { return }
        if isQueued { noteAhead(&refusal, slot) }
        refuse(lock, slot, refusal, &turn)
    }

    /// The caller has its answer at once; nobody waits for the releases.
    mutating func refuse(_ lock: LockID, _ slot: Int, _ refusal: Refusal, _ turn: inout Turn) {
        report(.refused(lock, refusal, retryAt: nil), &turn)
        turn.directives.append(.answer(.refused(lock, refusal)))
        releaseAttempt(slot, &turn)
    }

    /// Releases what the attempt set, or may have set, or may yet set.
    private mutating func releaseAttempt(_ slot: Int, _ turn: inout Turn) {
        guard let attempt = locks[slot].attempt else { return }
        let nodes = policy.rules.nodesToRelease(
            asked: attempt.asked, granted: attempt.ballot.locked, repaired: NodeSet())
        _ = broadcastRelease(
            of: attempt.token, key: locks[slot].request.key, to: nodes, ballot: .none, notice: .node, &turn)
    }
}

// MARK: - Extend

extension Engine {
    mutating func extend(_ lock: LockID, _ caller: ExtensionID, ttl: Nanoseconds, _ turn: inout Turn) {
        guard let slot = locks.slot(of: lock) else {
            let refusal = ExtensionRefusal(reason: .released, votes: [])
            turn.directives.append(.answer(.notExtended(lock, refusal, callers: [caller])))
            return
        }
        let step = locks[slot].extend(caller, ttl: ttl, at: turn.now, policy)
        carryOut(step, lock, slot, callers: [caller], &turn)
    }

    mutating func carryOut(
        _ step: Hold.ExtendStep, _ lock: LockID, _ slot: Int, callers: [ExtensionID], _ turn: inout Turn
    ) {
        switch step {
        case .broadcast(let round, let ttl):
            guard let token = locks[slot].attempt?.token else { return }
            let command = Command(
                .extend(milliseconds: ttl.millisecondsRoundedUp), key: locks[slot].request.key, token: token)
            let (_, failed) = broadcast(command, to: allNodes, ballot: .extend(lock, round: round), &turn)
            locks[slot].noteNotExtended(failed)
            for (node, failure) in failed {
                countExtension(.failed(failure), of: node, lock, round: round, &turn)
            }
        case .wait:
            break
        case .refused(var refusal):
            explain(&refusal, slot)
            turn.directives.append(.answer(.notExtended(lock, refusal, callers: callers)))
        }
    }

    mutating func countExtension(
        _ vote: Vote, of node: Int, _ lock: LockID, round: UInt32, _ turn: inout Turn
    ) {
        report(.vote(lock, node: node, vote), &turn)
        guard let slot = locks.slot(of: lock) else { return }
        let sign = keySign(vote, of: node, slot, at: turn.now)
        let outcome = locks[slot].countExtension(
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
    }

    private mutating func continueQueuedExtension(_ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        guard let step = locks[slot].beginQueuedExtension(at: turn.now, policy) else { return }
        carryOut(step, lock, slot, callers: [], &turn)
    }
}

// MARK: - Loss

extension Engine {
    mutating func endAtShutdown(_ lock: LockID, _ turn: inout Turn) {
        guard let slot = locks.slot(of: lock) else { return }
        if let loss = locks[slot].shutDown() { tellLoss(loss, lock, slot, &turn) }
    }

    /// The keys stay: the holder's work may go on until the end of validity, and its release deletes them.
    mutating func tellLoss(_ loss: Loss, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        let reason: ExtensionRefusal.Reason = loss.reason == .expired ? .expired : .lost
        var loss = loss
        explain(&loss, slot)
        lostSlots.append(slot)
        tell(.lost, of: slot, &turn)
        endExtensions(reason, lock, slot, &turn)
        report(.lost(lock, loss), &turn)
        turn.directives.append(.answer(.lost(lock, loss)))
    }

    private mutating func endExtensions(
        _ reason: ExtensionRefusal.Reason, _ lock: LockID, _ slot: Int, _ turn: inout Turn
    ) {
        let callers = locks[slot].takeExtensionCallers()
        guard !callers.isEmpty else { return }
        var refusal = locks[slot].hold?.value.refusal(reason) ?? ExtensionRefusal(reason: reason, votes: [])
        explain(&refusal, slot)
        turn.directives.append(.answer(.notExtended(lock, refusal, callers: callers)))
    }
}

// MARK: - Release

extension Engine {
    mutating func release(_ lock: LockID, _ turn: inout Turn) {
        guard let slot = locks.slot(of: lock) else { return }
        let isValid = locks[slot].isValid(at: turn.now)
        let wasLost = locks[slot].lossReason != nil
        guard locks[slot].beginRelease() else { return }
        endExtensions(.released, lock, slot, &turn)
        guard let hold = locks[slot].hold else { return }
        let nodes = policy.rules.nodesToRelease(
            asked: hold.value.attempt.asked, granted: hold.value.attempt.ballot.locked,
            repaired: hold.value.guarding.repaired)
        let awaited = broadcastRelease(lock, slot, nodes, isValid: isValid, &turn)
        if wasLost {
            lostSlots.removeAll { $0 == slot }
            tell(.lostLeaseReleased(awaited), of: slot, &turn)
        }
        for node in sessions.indices where !awaited.contains(node) {
            countRelease(.failed(.unreachable("not asked")), of: node, lock, &turn)
        }
    }

    private mutating func countRelease(_ vote: Vote, of node: Int, _ lock: LockID, _ turn: inout Turn) {
        guard let slot = locks.slot(of: lock) else { return }
        let sign = keySign(ofRelease: vote, node, slot, at: turn.now)
        let (isOver, gone, early) = locks[slot].countRelease(vote, of: node, sign, policy)
        for node in gone { noteKeysGone(on: node, early: early, &turn) }
        guard isOver else { return }
        report(.released(lock), &turn)
        turn.directives.append(.answer(.released(lock)))
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
        let lock = locks.lock(in: slot)
        switch locks[slot].onTimer(at: turn.now, using: &turn.generator, policy) {
        case .endInQueue: if let place = locks.queuePlace(of: slot) { tell(.waitOver(place), of: slot, &turn) }
        case .beginAttempt: tell(.due, of: slot, &turn)
        case .acquire(let step): carryOut(step, lock, slot, &turn)
        case .extend(let step): carryOut(step, lock, slot, callers: [], &turn)
        case .repair(let repair): carryOut(repair, lock, slot, &turn)
        case .lost(let loss): tellLoss(loss, lock, slot, &turn)
        case .release: release(lock, &turn)
        case nil: break
        }
    }
}
