import RedlockCore

// What happens to clients: standing still, sleep, death, shutdown, clocks.

extension World {
    mutating func beginClient(_ fault: Fault, _ client: Int) {
        switch fault.kind {
        case .clientPause, .clientSuspend:
            if hasOpenHold(client) { mark(.clientPausedHolding) }
            if clients[client].pauses == 0 { clients[client].pausedSince = now }
            clients[client].pauses += 1
            if fault.kind == .clientSuspend, mutant?.clock == .blindToSuspend {
                clockMutations += 1
                measureAll()
                clients[client].clock.stop(at: now)
                clockChanged(of: client)
            }
        case .clientStop: stopMachine(client)
        case .clientCrash: crash(client)
        case .clientShutdown:
            guard !clients[client].isDown, !clients[client].isShuttingDown else { return }
            clients[client].isShuttingDown = true
            mark(.shutdown)
            if clients[client].pauses == 0 { feed(.shutdown, to: client) }
        case .clientClockJump:
            measureAll()
            clients[client].wall.jump(by: fault.amount, at: now)
            judgeLostNumbers("client \(client)")
            clockChanged(of: client)
        case .clientClockRate: setRate(ofClient: client, fault.amount)
        default: preconditionFailure("\(fault.kind) is no fault of a client")
        }
    }

    mutating func endClient(_ fault: Fault, _ client: Int) {
        switch fault.kind {
        case .clientPause, .clientSuspend:
            clients[client].pauses -= 1
            if clients[client].pauses == 0 {
                clients[client].pausedTime += now - clients[client].pausedSince
                resume(client)
            }
        case .clientStop: startMachine(client, wallIsRightAfter: fault.amount)
        case .clientCrash, .clientShutdown: restart(client)
        case .clientClockRate:
            setRate(ofClient: client, client < options.clientRates.count ? options.clientRates[client] : 0)
        default: break
        }
    }

    /// Its virtual machine is stopped: it does not run, and none of its clocks goes on.
    private mutating func stopMachine(_ client: Int) {
        breach(.bootClocks, "client \(client)")
        if hasOpenHold(client) { mark(.clientPausedHolding) }
        if clients[client].pauses == 0 { clients[client].pausedSince = now }
        clients[client].pauses += 1
        clients[client].stops += 1
        guard clients[client].stops == 1 else { return }
        measureAll()
        clients[client].stoppedAt = now
        clients[client].clock.stop(at: now)
        clients[client].wall.stop(at: now)
        clockChanged(of: client)
    }

    private mutating func startMachine(_ client: Int, wallIsRightAfter delay: Int64) {
        breach(.bootClocks, "client \(client)")
        clients[client].stops -= 1
        if clients[client].stops == 0 {
            measureAll()
            clients[client].clock.start(at: now)
            clients[client].wall.start(at: now)
            clients[client].wallIsBehind += now - clients[client].stoppedAt
            clockChanged(of: client)
            judgeLostNumbers("client \(client)")
            clients[client].unseenStop = (clients[client].stoppedAt, now - clients[client].stoppedAt)
            delay == 0 ? putWallRight(client) : queue.add(.wallPutRight, client, at: now + delay)
        }
        clients[client].pauses -= 1
        guard clients[client].pauses == 0 else { return }
        clients[client].pausedTime += now - clients[client].pausedSince
        resume(client)
    }

    /// As time synchronisation does it, in one step.
    mutating func putWallRight(_ client: Int) {
        guard clients[client].wallIsBehind > 0, clients[client].stops == 0 else { return }
        breach(.bootClocks, "client \(client)")
        measureAll()
        clients[client].wall.jump(by: clients[client].wallIsBehind, at: now)
        clients[client].wallIsBehind = 0
        clockChanged(of: client)
    }

    private mutating func setRate(ofClient client: Int, _ rate: Int64) {
        measureAll()
        if !clockRatesAgree { breach(.clockRates, "client \(client)") }
        clients[client].clock.setRate(rate, at: now)
        clients[client].wall.setRate(rate, at: now)
        if !clockRatesAgree { breach(.clockRates, "client \(client)") }
        clockChanged(of: client)
    }

    private func hasOpenHold(_ client: Int) -> Bool {
        believers.contains { $0.contains { holds[$0].client == client } }
    }

    /// The process runs again: its timer, what its sockets have, and its tasks, in one order or another.
    private mutating func resume(_ client: Int) {
        if clients[client].clock.isStopped {
            clients[client].clock.start(at: now)
            clockChanged(of: client)
        }
        let timerFirst = shellRandom[client].chance(perMille: 500)
        if timerFirst { fireDueTimer(client) }
        deliverWaiting(toClient: client)
        if !timerFirst { fireDueTimer(client) }
        let deferred = clients[client].deferred
        clients[client].deferred = []
        for item in deferred { queue.add(item.kind, Int(item.subject), item.number, at: now) }
    }

    private mutating func fireDueTimer(_ client: Int) {
        guard clients[client].timerIsDue else { return }
        clients[client].timerIsDue = false
        queue.add(.timer, client, clients[client].timerNumber, at: now)
    }

    /// The process dies. Its kernel closes the connections; nothing is released.
    private mutating func crash(_ client: Int) {
        guard !clients[client].isDown else { return }
        if hasOpenHold(client) { mark(.clientCrashedHolding) }
        abandonEverything(client, "crashed")
        hangUpAll(client)
        clients[client].isDown = true
        recordClient(client, "crashed")
    }

    private mutating func hangUpAll(_ client: Int) {
        for node in clients[client].view.indices {
            hangUp(client, node)
            hangUpListener(client, node)
        }
    }

    private mutating func abandonEverything(_ client: Int, _ reason: String) {
        for worker in workers.indices where workers[worker].client == client {
            closeHold(workers[worker].hold, reason)
            endAttempt(of: worker)
            workers[worker].phase = .gone
            workers[worker].lock = nil
            workers[worker].step &+= 1
            workers[worker].requests &+= 1
            workers[worker].extensionsPending = 0
        }
        clients[client].deferred = []
        clients[client].timerIsDue = false
        clients[client].timerNumber &+= 1
        clients[client].timerAt = Clock.never
    }

    /// A new process, or a new coordinator, in the old one's place.
    private mutating func restart(_ client: Int) {
        guard clients[client].isDown || clients[client].isShuttingDown else { return }
        if !clients[client].isDown {
            abandonEverything(client, "abandoned")
            hangUpAll(client)
        }
        clients[client].isDown = false
        clients[client].isShuttingDown = false
        clients[client].epoch += 1
        clients[client].progress = ProgressWatch()
        abandonEverything(client, "made anew")
        engines[client] = engine(of: client)
        clients[client].lastTurn = nil
        engineRandom[client] = Randomness(seed: schedule.seed, .engine, client, clients[client].epoch)
        recordClient(client, "runs")
        start(client)
    }

    private mutating func recordClient(_ client: Int, _ text: @autoclosure () -> String) {
        guard isTracing else { return }
        trace.append(TraceRecord(.client, at: now, client: client, text: text()))
    }
}
