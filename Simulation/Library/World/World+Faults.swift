import RedlockCore

// What each fault does when it begins, and when it is over.

extension World {
    mutating func begin(_ index: Int) {
        let fault = schedule.faults[index]
        recordFault(index, .fault)
        if fault.duration > 0 {
            activeFaults += 1
            queue.add(.faultEnd, index, at: fault.end)
        }
        switch fault.kind.target {
        case .node:
            measureAll()
            for node in fault.nodes { beginNode(fault, node, index) }
        case .client: for client in fault.clients { beginClient(fault, client) }
        case .link: forEachLink(of: fault) { $0.beginLink(fault, $1) }
        }
        restartWaits()
    }

    mutating func end(_ index: Int) {
        let fault = schedule.faults[index]
        recordFault(index, .faultEnd)
        activeFaults -= 1
        switch fault.kind.target {
        case .node:
            measureAll()
            for node in fault.nodes { endNode(fault, node) }
        case .client: for client in fault.clients { endClient(fault, client) }
        case .link: forEachLink(of: fault) { $0.endLink(fault, $1) }
        }
        restartWaits()
    }

    /// No fault begins from here on; the workers' world is to become well.
    mutating func heal() {
        restartWaits()
    }

    private mutating func recordFault(_ index: Int, _ kind: TraceRecord.Kind) {
        guard isTracing else { return }
        trace.append(TraceRecord(kind, at: now, value: Int64(index), text: schedule.faults[index].sentence))
    }

    private mutating func forEachLink(of fault: Fault, _ act: (inout World, Int) -> Void) {
        for client in fault.clients {
            for node in fault.nodes { act(&self, linkIndex(client, node)) }
        }
    }
}

// MARK: - Nodes

extension World {
    private mutating func beginNode(_ fault: Fault, _ node: Int, _ index: Int) {
        switch fault.kind {
        case .nodeKill: stop(node, .down)
        case .nodePowerLoss: stop(node, .dark)
        case .nodePause: nodes[node].pauses += 1
        case .nodeSlow: nodes[node].serviceTime += fault.amount
        case .fsyncStall: nodes[node].fsyncTime += fault.amount
        case .nodeErrors:
            nodes[node].errors.append(fault.text)
            lastErrorAt[node] = now
        case .nodeClockJump: jump(node, by: fault.amount)
        case .nodeClockRate: setRate(node, fault.amount)
        case .nodeClockStrobe: queue.add(.strobe, index, 0, at: now)
        case .nodeFlush: loseKeys(node) { $0.forgetAll(at: $1) }
        case .nodeEvict: loseKeys(node) { $0.forget(Int(fault.amount) % $0.keys.count, at: $1) }
        case .nodeFailover:
            loseKeys(node) { $0.restore(asOf: $1 - fault.amount) }
            nodes[node].incarnation += 1
            nodes[node].forgetScripts()
            closeConnections(of: node)
        case .scriptFlush: nodes[node].forgetScripts()
        default: preconditionFailure("\(fault.kind) is no fault of a node")
        }
    }

    private mutating func endNode(_ fault: Fault, _ node: Int) {
        switch fault.kind {
        case .nodeKill, .nodePowerLoss: restart(node, after: fault.kind)
        case .nodePause:
            nodes[node].pauses -= 1
            if nodes[node].pauses == 0 { deliverWaiting(toNode: node) }
        case .nodeSlow: nodes[node].serviceTime -= fault.amount
        case .fsyncStall: nodes[node].fsyncTime -= fault.amount
        case .nodeErrors:
            lastErrorAt[node] = now
            if let place = nodes[node].errors.firstIndex(of: fault.text) { nodes[node].errors.remove(at: place) }
        case .nodeClockRate: setRate(node, node < options.nodeRates.count ? options.nodeRates[node] : 0)
        default: break
        }
    }

    private mutating func stop(_ node: Int, _ power: SimulatedNode.Power) {
        nodes[node].stops += 1
        guard nodes[node].power == .up else { return }
        nodes[node].power = power
        if power == .down { closeConnections(of: node) }
        nodes[node].incarnation += 1
        nodes[node].stoppedAt = now
        recordNode(node, power == .down ? "killed" : "without power")
    }

    private mutating func restart(_ node: Int, after kind: Fault.Kind) {
        nodes[node].stops -= 1
        guard nodes[node].stops == 0 else { return }
        let stoppedAt = nodes[node].stoppedAt
        let second = WorldOptions.milliseconds(1_000)
        let persistence = options.persistence
        nodes[node].forgetScripts()
        nodes[node].busyUntil = now
        loseKeys(node) { [options] state, time in
            switch persistence {
            case .aofAlways: break
            // A process that dies has handed its log to the kernel; power takes what was not synced.
            case .aofEverySecond: if kind == .nodePowerLoss { state.restore(asOf: stoppedAt / second * second) }
            case .snapshot: state.restore(asOf: stoppedAt / options.snapshotPeriod * options.snapshotPeriod)
            case .none: state.forgetAll(at: time)
            }
        }
        nodes[node].power = .up
        if nodes[node].keys.contains(where: { $0 != nil }) { mark(.nodeRestartedWithKeys) }
        recordNode(node, "up")
        deliverWaiting(toNode: node)
    }

    /// Changes a node's memory from outside. If a lock goes that should have lived on, an assumption is broken.
    private mutating func loseKeys(_ node: Int, _ change: (inout SimulatedNode, Int64) -> Void) {
        let before = nodes[node].keys.indices.map { nodes[node].live($0, at: now) }
        change(&nodes[node], now)
        for resource in before.indices {
            let after = nodes[node].live(resource, at: now)
            if let entry = before[resource], after?.token != entry.token || after!.expiresAt < entry.expiresAt {
                breach(.memory, "node \(node)")
            }
            if isTracing { recordKey(node, resource) }
        }
    }

    private mutating func jump(_ node: Int, by amount: Int64) {
        if amount > 0 { breach(.clockSteps, "node \(node)") } else { setBack -= amount }
        if amount < 0, nodes[node].power == .up, nodes[node].pauses == 0 { nodes[node].sweepExpired(at: now) }
        nodes[node].clock.jump(by: amount, at: now)
        if isTracing { for resource in nodes[node].keys.indices { recordKey(node, resource) } }
        recordNode(node, "clock set by \(Format.length(amount))")
    }

    private mutating func setRate(_ node: Int, _ rate: Int64) {
        if !clockRatesAgree { breach(.clockRates, "node \(node)") }
        nodes[node].clock.setRate(rate, at: now)
        if !clockRatesAgree { breach(.clockRates, "node \(node)") }
        if isTracing { for resource in nodes[node].keys.indices { recordKey(node, resource) } }
        recordNode(node, "clock off by \(Format.decimal(rate, per: 1_000)) ppm")
    }

    /// To and fro, eight times in the fault's duration.
    mutating func strobe(_ index: Int, _ count: UInt32) {
        let fault = schedule.faults[index]
        measureAll()
        for node in fault.nodes { jump(node, by: count % 2 == 0 ? fault.amount : -fault.amount) }
        if count < 7 { queue.add(.strobe, index, count + 1, at: now + fault.duration / 8) }
    }

    private mutating func recordNode(_ node: Int, _ text: @autoclosure () -> String) {
        guard isTracing else { return }
        trace.append(TraceRecord(.node, at: now, node: node, text: text()))
    }
}

// MARK: - Clients

extension World {
    private mutating func beginClient(_ fault: Fault, _ client: Int) {
        switch fault.kind {
        case .clientPause, .clientSuspend:
            if hasOpenHold(client) { mark(.clientPausedHolding) }
            clients[client].pauses += 1
            if fault.kind == .clientSuspend, mutant?.clock == .blindToSuspend {
                clockMutations += 1
                measureAll()
                clients[client].clock.stop(at: now)
                clockChanged(of: client)
            }
        case .clientCrash: crash(client)
        case .clientShutdown:
            guard !clients[client].isDown, !clients[client].isShuttingDown else { return }
            clients[client].isShuttingDown = true
            mark(.shutdown)
            if clients[client].pauses == 0 { feed(.shutdown, to: client) }
        case .clientClockJump:
            measureAll()
            clients[client].wall.jump(by: fault.amount, at: now)
            clockChanged(of: client)
        case .clientClockRate: setRate(ofClient: client, fault.amount)
        default: preconditionFailure("\(fault.kind) is no fault of a client")
        }
    }

    private mutating func endClient(_ fault: Fault, _ client: Int) {
        switch fault.kind {
        case .clientPause, .clientSuspend:
            clients[client].pauses -= 1
            if clients[client].pauses == 0 { resume(client) }
        case .clientCrash, .clientShutdown: restart(client)
        case .clientClockRate:
            setRate(ofClient: client, client < options.clientRates.count ? options.clientRates[client] : 0)
        default: break
        }
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
        for node in clients[client].view.indices { hangUp(client, node) }
        clients[client].isDown = true
        recordClient(client, "crashed")
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
            for node in clients[client].view.indices { hangUp(client, node) }
        }
        clients[client].isDown = false
        clients[client].isShuttingDown = false
        clients[client].epoch += 1
        abandonEverything(client, "made anew")
        engines[client] = engine(of: client)
        engineRandom[client] = Randomness(seed: schedule.seed, .engine, client, clients[client].epoch)
        recordClient(client, "runs")
        start(client)
    }

    private mutating func recordClient(_ client: Int, _ text: @autoclosure () -> String) {
        guard isTracing else { return }
        trace.append(TraceRecord(.client, at: now, client: client, text: text()))
    }
}

// MARK: - Links

extension World {
    private mutating func beginLink(_ fault: Fault, _ link: Int) {
        switch fault.kind {
        case .linkDelay: links[link].extraDelay += fault.amount
        case .linkLoss: links[link].loss += fault.amount
        case .linkReset: reset(link)
        case .partition:
            if fault.direction != .toClient { links[link].blocksToNode += 1 }
            if fault.direction != .toNode { links[link].blocksToClient += 1 }
        default: preconditionFailure("\(fault.kind) is no fault of a link")
        }
    }

    private mutating func endLink(_ fault: Fault, _ link: Int) {
        switch fault.kind {
        case .linkDelay: links[link].extraDelay -= fault.amount
        case .linkLoss: links[link].loss -= fault.amount
        case .partition:
            if fault.direction != .toClient { links[link].blocksToNode -= 1 }
            if fault.direction != .toNode { links[link].blocksToClient -= 1 }
            unblock(
                link, toNode: fault.direction != .toClient && links[link].blocksToNode == 0,
                toClient: fault.direction != .toNode && links[link].blocksToClient == 0)
        default: break
        }
    }
}
