import RedlockCore

// The shell of a simulated client: what Sources/Redlock/Driver.swift does with sockets and Dispatch is done here with
// simulated connections and virtual time. Events in, directives out, one timer at the engine's next deadline.

extension World {
    /// What the client's clock reads now, as its engine is told.
    mutating func engineTime(_ client: Int) -> Instant {
        if mutant?.clock == .wall { clockMutations += 1 }
        return clientTime(client)
    }

    func clientTime(_ client: Int) -> Instant {
        let clock = mutant?.clock == .wall ? clients[client].wall : clients[client].clock
        return Instant(nanoseconds: clock.reading(at: now))
    }

    /// The moment at which the client's clock will read an instant.
    func time(of instant: Instant, _ client: Int) -> Int64 {
        let clock = mutant?.clock == .wall ? clients[client].wall : clients[client].clock
        return clock.time(of: instant.nanoseconds)
    }

    mutating func start(_ client: Int) {
        feed(.start, to: client)
        for worker in workers.indices where workers[worker].client == client {
            workers[worker].phase = .thinking
            if !options.scripted { plan(worker, in: 1 + workRandom[worker].below(max(options.think, 1))) }
        }
    }

    mutating func feed(_ event: Event, to client: Int) {
        let time = engineTime(client)
        let overdue = leasesOverdue(client, at: time)
        let isBlind = mutant?.clock == .withoutWall
        if isBlind { clockMutations += 1 }
        engines[client].handle(
            event, at: time, wall: isBlind ? nil : wallClock(of: client), using: &engineRandom[client],
            into: &directives)
        if !directives.isEmpty {
            // Nothing that a directive causes here is an event at once: answers become steps of workers, later.
            var carried: [Directive] = []
            swap(&carried, &directives)
            for directive in carried {
                recent.add(directive, of: client, at: now)
                carryOut(directive, client)
            }
            carried.removeAll(keepingCapacity: true)
            swap(&carried, &directives)
        }
        judgeOverdue(overdue)
        setTimer(client)
    }

    private mutating func carryOut(_ directive: Directive, _ client: Int) {
        switch directive {
        case .connect(let node, let connection): dial(client, node, connection)
        // The worse case: all that was sent had left the client's machine, and arrives.
        case .disconnect(let node, _, _): hangUp(client, node)
        case .broadcast(let command, let targets, _, _):
            if case .raise = command.operation {
                outcome.raises += 1
                mark(.numberRaised)
            }
            let attempt = attempt(of: command, client)
            for node in targets { send(command, from: client, to: node, attempt: attempt) }
        case .listen(let node, let connection): dial(client, node, connection, isListener: true)
        case .stopListening(let node, _): hangUpListener(client, node)
        case .subscribe(let key, let node): subscribe(true, key, client, node)
        case .unsubscribe(let key, let node): subscribe(false, key, client, node)
        case .send(let command, let node):
            send(command, from: client, to: node, attempt: attempt(of: command, client))
        case .leave: break
        case .report(let report): tell(report, client)
        case .answer(let answer): self.answer(answer, client)
        case .closed: clients[client].isDown = true
        }
    }

    // MARK: The timer

    /// A timer that is set already for an earlier moment is left alone: it finds out when it fires.
    mutating func setTimer(_ client: Int) {
        let deadline = engines[client].nextDeadline
        guard deadline.nanoseconds < clients[client].timerAt, deadline < .distantFuture else { return }
        clients[client].timerAt = deadline.nanoseconds
        clients[client].timerNumber &+= 1
        let moment = max(time(of: deadline, client), now)
        guard moment < Clock.never else { return }
        let lateness = shellRandom[client].below(Self.timerLateness)
        queue.add(.timer, client, clients[client].timerNumber, at: moment + lateness)
    }

    /// Dispatch timers on Linux come 0.1 to 1 ms late as a rule.
    private static var timerLateness: Int64 { 300_000 }

    /// After a change of the client's clock the moment of its next deadline is another.
    mutating func resetTimer(_ client: Int) {
        clients[client].timerAt = Clock.never
        setTimer(client)
    }

    mutating func timerFired(_ client: Int, _ number: UInt32) {
        guard number == clients[client].timerNumber, !clients[client].isDown else { return }
        guard clients[client].pauses == 0 else {
            clients[client].timerIsDue = true
            return
        }
        clients[client].timerAt = Clock.never
        let time = engineTime(client)
        guard engines[client].nextDeadline <= time else { return setTimer(client) }
        feed(.timer, to: client)
        judgeTimer(of: client, at: time)
    }
}

// MARK: - Attempts

extension World {
    /// Which attempt a command belongs to. An acquire is a new one: its token is noted, and checked to be fresh.
    private mutating func attempt(of command: Command, _ client: Int) -> Int32 {
        if command.acquiredMilliseconds != nil { return noteAttempt(command, client) }
        if command.key.isEmpty { return -1 }
        var index = attempts.count - 1
        while index >= 0 {
            if attempts[index].client == client, attempts[index].token == command.token {
                judgeRepair(command, of: index)
                if command.isRelease { endAttempt(index) }
                return Int32(index)
            }
            index -= 1
        }
        return -1
    }

    private mutating func noteAttempt(_ command: Command, _ client: Int) -> Int32 {
        let resource = SimulatedNode.resource(of: command.key)
        let owner = worker(withToken: command.token, client)
        if owner == nil, let open = openAttempt(withToken: command.token, client) { return open }
        guard let worker = owner ?? workerGivenUp(client) else {
            violate(.answers, "client \(client) sent an acquire that no request asked for")
            return -1
        }
        let last = workers[worker].attempt
        if last >= 0, attempts[Int(last)].token == command.token, attempts[Int(last)].epoch == clients[client].epoch {
            // The same SET again, held back until its connection was ready; unless the attempt is over.
            guard attempts[Int(last)].endedAt >= 0 || isNewAttempt(worker) else { return last }
            violate(.tokenReuse, "client \(client) used the token of attempt #\(last) for another attempt")
        }
        endAttempt(of: worker)
        let index = Int32(attempts.count)
        guard let milliseconds = command.acquiredMilliseconds else { return -1 }
        judgeToken(command.token, client)
        attempts.append(
            AttemptRecord(
                token: command.token, client: client, worker: worker, resource: resource, start: now,
                ttl: milliseconds * 1_000_000, epoch: clients[client].epoch,
                keysUntil: clientTime(client) + .milliseconds(milliseconds)))
        workers[worker].attempt = index
        workers[worker].attemptStart = clientTime(client)
        // Of several requests that are given up in one breath, nobody outside can tell whose attempt it is.
        if owner != nil || options.workersPerClient == 1 {
            workers[worker].attemptsMade += 1
            judgeAttempts(worker, workers[worker].attemptsMade)
        }
        workers[worker].attemptNumber = engines[client].attemptNumber(of: workers[worker].lock!) ?? 0
        outcome.attempts += 1
        noteTry(worker, resource)
        tallyWait(resource)
        if isTracing {
            trace.append(
                TraceRecord(.attempt, at: now, client: client, worker: worker, resource: resource, attempt: index))
        }
        return index
    }

    /// An attempt of which the rest was sent and given up in one breath: the engine may have begun the next already, and
    /// given up other requests too.
    private func openAttempt(withToken token: Token, _ client: Int) -> Int32? {
        let index = attempts.lastIndex {
            $0.token == token && $0.client == client && $0.epoch == clients[client].epoch && $0.endedAt < 0
        }
        return index.map { Int32($0) }
    }

    private func isNewAttempt(_ worker: Int) -> Bool {
        // A request that is gone by now sent the rest of an attempt, and gave up in one breath.
        guard let lock = workers[worker].lock, let number = engines[workers[worker].client].attemptNumber(of: lock)
        else { return false }
        return number != workers[worker].attemptNumber
    }

    private func worker(withToken token: Token, _ client: Int) -> Int? {
        let first = client * options.workersPerClient
        for worker in first..<(first + options.workersPerClient) {
            if let lock = workers[worker].lock, engines[client].token(of: lock) == token { return worker }
        }
        return nil
    }

    /// The engine sent a new attempt and gave the request up in one breath, for want of connections: the refusal follows.
    private func workerGivenUp(_ client: Int) -> Int? {
        let first = client * options.workersPerClient
        for worker in first..<(first + options.workersPerClient) where workers[worker].phase == .acquiring {
            if let lock = workers[worker].lock, engines[client].attemptNumber(of: lock) == nil { return worker }
        }
        return nil
    }

    /// The worker's attempt is over, one way or the other: its keys should be gone soon.
    mutating func endAttempt(of worker: Int) {
        endAttempt(Int(workers[worker].attempt))
    }

    private mutating func endAttempt(_ attempt: Int) {
        guard attempt >= 0, attempts[attempt].endedAt < 0 else { return }
        attempts[attempt].endedAt = now
        queue.add(.orphanCheck, attempt, at: now + orphanGrace)
    }
}
