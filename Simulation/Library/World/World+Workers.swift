import RedlockCore

// What the tasks of a client do: lock, work, check, write, extend, unlock, think.

extension World {
    /// The worker's next step, after a while. What was planned before is void.
    mutating func plan(_ worker: Int, in delay: Int64) {
        workers[worker].step &+= 1
        queue.add(.work, worker, workers[worker].step, at: now + delay)
    }

    mutating func step(_ worker: Int, _ number: UInt32) {
        guard number == workers[worker].step, !clients[workers[worker].client].isDown else { return }
        switch workers[worker].phase {
        case .thinking: beginRequest(worker)
        case .held: work(worker)
        case .acquiring, .releasing, .gone: break
        }
    }

    // MARK: Asking

    /// A request with everything drawn at random.
    private mutating func beginRequest(_ worker: Int) {
        if let deadline = workers[worker].asksAgainUntil { return askAgain(worker, until: deadline) }
        let resource = Int(workRandom[worker].below(Int64(options.resources)))
        // Now and then a shorter ttl than usual.
        let shorter = workRandom[worker].chance(perMille: 100)
        let client = workers[worker].client
        let usual = options.ttl(of: client)
        let ttl = shorter ? max(usual / 2, WorldOptions.milliseconds(10)) : usual
        let wait = workRandom[worker].below(options.wait + 1)
        let extendsItself = workRandom[worker].chance(perMille: options.selfExtending)
        let gaveUp = workRandom[worker].chance(perMille: options.cancelled)
        let patience = 1 + workRandom[worker].below(options.nodeTimeout * 2)
        var limits = RequestLimits()
        if options.maximumHolds > 0, workRandom[worker].chance(perMille: options.maximumHolds) {
            limits.hold = workRandom[worker].within(WorldOptions.milliseconds(5)...3 * ttl)
        }
        if options.maximumAttempts > 0, workRandom[worker].chance(perMille: options.maximumAttempts) {
            limits.attempts = Int(workRandom[worker].within(1...3))
        }
        workers[worker].hasBody =
            extendsItself && options.bodies > 0 && workRandom[worker].chance(perMille: options.bodies)
        request(worker, resource, ttl: ttl, wait: wait, extendsItself: extendsItself, limits)
        if gaveUp, workers[worker].phase == .acquiring {
            queue.add(.cancel, worker, workers[worker].requests, at: now + patience)
        }
    }

    /// The most that a request asks for; zero for no limit.
    struct RequestLimits: Sendable {
        /// In nanoseconds.
        var hold: Int64 = 0
        var attempts = 0
    }

    /// As `withLock` goes on when the lease was over before the body began.
    private mutating func askAgain(_ worker: Int, until deadline: Instant) {
        workers[worker].asksAgainUntil = nil
        guard let last = workers[worker].request else { return }
        let left = deadline - engineTime(workers[worker].client)
        guard left > .zero else { return think(worker) }
        mark(.askedAgain)
        request(
            worker, workers[worker].resource, ttl: last.ttl.count, wait: left.count,
            extendsItself: last.extendsItself, RequestLimits(hold: last.maximumHold?.count ?? 0))
    }

    mutating func request(
        _ worker: Int, _ resource: Int, ttl: Int64, wait: Int64, extendsItself: Bool,
        _ limits: RequestLimits = RequestLimits()
    ) {
        let client = workers[worker].client
        guard let lock = engines[client].newLock() else { return }
        let time = engineTime(client)
        let request = AcquireRequest(
            key: SimulatedNode.key(of: resource), ttl: Nanoseconds(ttl), deadline: time + Nanoseconds(wait),
            maximumAttempts: limits.attempts > 0 ? limits.attempts : nil, extendsItself: extendsItself,
            maximumHold: limits.hold > 0 ? Nanoseconds(limits.hold) : nil,
            wallClock: isFenced(client) ? WallClockReading(microseconds: wallClock(of: client), at: time) : nil)
        workers[worker].resource = resource
        workers[worker].lock = lock
        workers[worker].request = request
        workers[worker].phase = .acquiring
        workers[worker].requests &+= 1
        tickets += 1
        workers[worker].ticket = tickets
        workers[worker].since = now
        workers[worker].isLost = false
        workers[worker].isFailing = false
        workers[worker].isInDoubt = false
        workers[worker].hasBegun = false
        workers[worker].attemptsMade = 0
        tallyWait(resource)
        feed(.acquire(lock, asPassedOn(request)), to: client)
    }

    mutating func cancel(_ worker: Int, _ number: UInt32) {
        guard workers[worker].requests == number, workers[worker].phase == .acquiring, let lock = workers[worker].lock
        else { return }
        mark(.cancelled)
        feed(.cancel(lock), to: workers[worker].client)
    }

    // MARK: Working

    private mutating func work(_ worker: Int) {
        if workers[worker].hasBody, !workers[worker].hasBegun, options.bodies > 0 {
            guard mayBegin(worker) else { return }
        }
        let left = workers[worker].holdUntil - now
        guard left > 0, !workers[worker].isLost else {
            // Who lets go while a write is under way has not understood what the lock is for.
            return workers[worker].writesPending > 0 ? plan(worker, in: Self.writeTime / 4) : release(worker)
        }
        let dice = workRandom[worker].below(100)
        if dice < 60, options.lateWrites > 0, workRandom[worker].chance(perMille: options.lateWrites) {
            writeAndForget(worker)
        } else if dice < 60 {
            checkAndWrite(worker, in: 10_000 + workRandom[worker].below(options.checkToWrite))
        } else if dice < 80, workers[worker].request?.extendsItself == false || options.otherExtensions > 0 {
            extend(worker, ttl: extensionTTL(of: worker))
        }
        guard workers[worker].phase == .held else { return }
        plan(worker, in: min(left, 1 + workRandom[worker].below(options.hold / 4 + 1)))
    }

    /// Looks at the clock before the body begins. If the lease is over, it is released, and the worker goes on asking.
    private mutating func mayBegin(_ worker: Int) -> Bool {
        workers[worker].hasBegun = true
        let time = engineTime(workers[worker].client)
        guard workers[worker].isLost || workers[worker].isInDoubt || workers[worker].validUntil <= time else {
            return true
        }
        workers[worker].asksAgainUntil = workers[worker].request?.deadline
        release(worker)
        return false
    }

    /// That of the acquire, or another, shorter or longer, up to the longest that this client asks for.
    private mutating func extensionTTL(of worker: Int) -> Int64 {
        let usual = workers[worker].request!.ttl.count
        guard options.otherExtensions > 0, workRandom[worker].chance(perMille: options.otherExtensions) else {
            return usual
        }
        let longest = options.ttl(of: workers[worker].client)
        return workRandom[worker].within(min(max(longest / 4, WorldOptions.milliseconds(5)), longest)...longest)
    }

    mutating func extend(_ worker: Int, ttl: Int64) {
        guard let lock = workers[worker].lock, workers[worker].phase == .held else { return }
        workers[worker].extensionsPending += 1
        extensionCount += 1
        feed(
            .extend(lock, ExtensionID(number: extensionCount << 8 | UInt64(worker)), ttl: Nanoseconds(ttl)),
            to: workers[worker].client)
    }

    mutating func release(_ worker: Int) {
        guard let lock = workers[worker].lock, workers[worker].phase == .held else { return }
        closeHold(workers[worker].hold, "released")
        workers[worker].phase = .releasing
        workers[worker].releaseAsked = now
        endAttempt(of: worker)
        feed(.release(lock), to: workers[worker].client)
        tallyWait(workers[worker].resource)
    }

    private mutating func think(_ worker: Int, beyond least: Int64 = 0) {
        workers[worker].phase = .thinking
        workers[worker].lock = nil
        workers[worker].since = now
        guard !options.scripted else { return }
        plan(worker, in: least + 1 + workRandom[worker].below(max(options.think, 1)))
    }
}

// MARK: - Answers

extension World {
    /// A caller is told something, as `Driver.answer` does it.
    mutating func answer(_ answer: Answer, _ client: Int) {
        switch answer {
        case .granted(let lock, let grant): granted(lock, grant, client)
        case .refused(let lock, let refusal): refused(lock, refusal, client)
        case .extended(let lock, let validUntil, let callers):
            outcome.extensions += 1
            mark(.extended)
            count(callers)
            guard let worker = worker(of: lock, client), workers[worker].phase == .held else { return }
            judgeExtension(worker, to: validUntil)
            workers[worker].validUntil = max(workers[worker].validUntil, validUntil)
            workers[worker].isFailing = false
            endDoubt(worker)
            extendHold(workers[worker].hold, to: workers[worker].validUntil)
            judgeMaximumHold(worker)
            tell(worker, "extended")
        case .notExtended(let lock, let refusal, let callers):
            mark(.extensionFailed)
            count(callers)
            guard let worker = worker(of: lock, client) else { return }
            workers[worker].isFailing = workers[worker].isFailing || refusal.reason == .notExtended
            judgePause(refusal.pause, client)
            tell(worker, "not extended: \(refusal.reason.words)" + Format.pause(refusal.pause))
        case .atRisk(let lock, let risk):
            mark(.atRisk)
            outcome.risks += 1
            judgePause(risk.pause, client)
            if let worker = worker(of: lock, client) {
                tell(worker, "at risk: \(risk.risk.words)" + Format.pause(risk.pause))
            }
        case .doubted(let lock, let validUntil):
            guard let worker = worker(of: lock, client) else { return }
            doubt(worker, until: validUntil)
            let end = Format.seconds(time(of: validUntil, client))
            tell(worker, "in doubt, valid until \(end)")
        case .recovered(let lock, _):
            mark(.recovered)
            if let worker = worker(of: lock, client) { tell(worker, "at risk no longer") }
        case .lost(let lock, let loss): lost(lock, loss, client)
        case .released(let lock):
            guard let worker = worker(of: lock, client), workers[worker].phase == .releasing || isOverAtShutdown(worker)
            else {
                return violate(.answers, "client \(client) was told of a release that nobody asked for")
            }
            if workers[worker].phase == .held { closeHold(workers[worker].hold, "shut down") }
            tell(worker, "released")
            think(worker)
        }
    }

    private mutating func granted(_ lock: LockID, _ grant: Grant, _ client: Int) {
        guard let worker = worker(of: lock, client), workers[worker].phase == .acquiring else {
            return violate(.answers, "client \(client) was granted a lock that it does not wait for")
        }
        let resource = workers[worker].resource
        outcome.grants += 1
        outcome.waits.append(now - workers[worker].since)
        outcome.grantsPerClient[client] += 1
        let votes = grant.votes.count { $0 == .granted }
        if votes == grant.votes.count / 2 + 1 { mark(.quorumExactly) }
        if votes == grant.votes.count { mark(.allNodesGranted) }
        if grant.attempts > 1 { mark(.refusedThenGranted) }
        workers[worker].phase = .held
        workers[worker].since = now
        workers[worker].validUntil = grant.validUntil
        workers[worker].holdUntil = now + 1 + workRandom[worker].below(options.hold)
        waits[resource] = Starvation()
        waits[resource].triedAt = now
        judgeTurn(worker)
        noteProgress(resource)
        tell(worker, grant.fencingToken.map { "granted, token \($0)" } ?? "granted")
        openHold(worker, grant.fencingToken)
        judgeMaximumHold(worker)
        judgeAttempts(worker, grant.attempts)
        judgeAge(worker)
        if options.visitsFirst { visit(worker) }
        guard !options.scripted else { return }
        plan(worker, in: 1 + workRandom[worker].below(options.hold / 4 + 1))
    }

    private mutating func refused(_ lock: LockID, _ refusal: Refusal, _ client: Int) {
        guard let worker = worker(of: lock, client), workers[worker].phase == .acquiring else {
            return violate(.answers, "client \(client) was refused a lock that it does not wait for")
        }
        if refusal.votes.contains(where: { if case .failed(.quarantined) = $0 { true } else { false } }) {
            mark(.quarantined)
        }
        outcome.refusals += 1
        switch refusal.reason {
        case .unavailable: mark(.unavailable)
        case .expired: mark(.expiredWhileAcquiring)
        case .heldByAnother, .cancelled, .shutDown: break
        }
        if workers[worker].request?.maximumAttempts == refusal.attempts { mark(.attemptsSpent) }
        judgeAttempts(worker, refusal.attempts)
        judgePause(refusal.pause, client)
        tell(worker, "refused: \(refusal.reason.words)" + Format.pause(refusal.pause))
        endAttempt(of: worker)
        tallyWait(workers[worker].resource)
        // Who asks again at once keeps everybody busy, himself included.
        think(worker, beyond: options.retryDelay + options.retryJitter)
        tallyWait(workers[worker].resource)
    }

    private mutating func lost(_ lock: LockID, _ loss: Loss, _ client: Int) {
        if let worker = worker(of: lock, client), workers[worker].phase == .releasing,
            workers[worker].releaseAsked == now, loss.clockGain != nil
        {
            // The wall clock is read along with the release, and may show that the lease was over before it.
            return
        }
        guard let worker = worker(of: lock, client), workers[worker].phase == .held, !workers[worker].isLost else {
            return violate(.answers, "client \(client) was told of the loss of a lock that it does not hold")
        }
        outcome.losses += 1
        if workers[worker].request?.extendsItself == true, loss.reason != .shutDown { outcome.extendingLosses += 1 }
        switch loss.reason {
        case .notExtended: mark(.lossTold)
        case .maximumHold:
            mark(.lossByMaximumHold)
            judgeEnd(worker, loss)
        case .expired: mark(.lossByExpiry)
        case .taken: mark(.lossByTaken)
        case .clockGained: mark(.lossTold)
        case .clockJumped, .keyGone: mark(.lossByClockJump)
        case .shutDown: mark(.shutdown)
        }
        judgePause(loss.pause, client)
        tell(worker, "lost: \(loss.reason.words)" + Format.pause(loss.pause))
        workers[worker].isLost = true
        closeHold(workers[worker].hold, "lost")
        guard !options.scripted else { return }
        // It stops what it does, and lets go.
        plan(worker, in: 1 + workRandom[worker].below(WorldOptions.milliseconds(5)))
    }

    /// A pause that a caller is told of is a lower bound: the client did not run for as long. Clocks that are up to
    /// twice as fast are allowed for.
    private mutating func judgePause(_ pause: Nanoseconds?, _ client: Int) {
        guard let pause, mutant?.clock != .wall else { return }
        guard pause.count / 2 <= clients[client].pausedTime else {
            return violate(
                .answers,
                "client \(client) was told that it did not run for \(Format.length(pause.count)), and it did not run for "
                    + Format.length(clients[client].pausedTime))
        }
    }

    private mutating func count(_ callers: [ExtensionID]) {
        for caller in callers {
            let worker = Int(caller.number & 0xff)
            workers[worker].extensionsPending -= 1
            if workers[worker].extensionsPending < 0 { violate(.answers, "an extension was answered twice") }
        }
    }

    private func worker(of lock: LockID, _ client: Int) -> Int? {
        let first = client * options.workersPerClient
        for worker in first..<(first + options.workersPerClient) where workers[worker].lock == lock { return worker }
        return nil
    }

    /// A shutdown takes from a holder what is not valid any more, and nothing else.
    private mutating func isOverAtShutdown(_ worker: Int) -> Bool {
        let client = workers[worker].client
        return clients[client].isShuttingDown && engineTime(client) >= workers[worker].validUntil
    }

    private mutating func tell(_ worker: Int, _ text: @autoclosure () -> String) {
        guard isTracing else { return }
        trace.append(
            TraceRecord(
                .answer, at: now, client: workers[worker].client, worker: worker, resource: workers[worker].resource,
                attempt: workers[worker].attempt, text: text()))
    }
}
