import RedlockCore

// What happens to nodes: death and return, standing still, errors, clocks, memory.

extension World {
    mutating func beginNode(_ fault: Fault, _ node: Int, _ index: Int) {
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
        case .nodeEvict: loseKeys(node) { $0.forgetWithNumber(Int(fault.amount) % $0.keys.count, at: $1) }
        case .nodeFailover:
            replace(node, lag: fault.amount)
            nodes[node].wasPromoted = true
        case .nodeReplica:
            replace(node, lag: fault.amount)
            nodes[node].isReplica = true
        case .nodeSettings: setPersistence(node, WorldOptions.Persistence(rawValue: fault.text) ?? .none)
        case .nodeInfoDenied: nodes[node].silences += 1
        case .nodeMemory:
            nodes[node].shortages.append((Fault.EvictionPolicy(rawValue: fault.text) ?? .noEviction, fault.amount))
            if nodes[node].power == .up, nodes[node].pauses == 0 { makeRoom(node) }
        case .nodeGreeting:
            nodes[node].greetingDefects.append(
                (Fault.GreetingDefect(rawValue: fault.text) ?? .noUptime, fault.amount))
        case .nodeRestore: restoreMachine(node, age: fault.amount)
        case .scriptFlush: nodes[node].forgetScripts()
        case .nodeBadNumber: nodes[node].setNumbers(to: fault.amount, at: now)
        case .nodeForgetNumbers: nodes[node].forgetNumbers(olderThan: fault.amount, at: now)
        default: preconditionFailure("\(fault.kind) is no fault of a node")
        }
    }

    mutating func endNode(_ fault: Fault, _ node: Int) {
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
        case .nodeBadNumber: mendNumbers(node)
        case .nodeReplica: promote(node)
        case .nodeSettings: setPersistence(node, options.persistence)
        case .nodeInfoDenied: nodes[node].silences -= 1
        case .nodeMemory:
            lastErrorAt[node] = now
            if let place = nodes[node].shortages.firstIndex(where: {
                $0.policy.rawValue == fault.text && $0.perMille == fault.amount
            }) {
                nodes[node].shortages.remove(at: place)
            }
        case .nodeGreeting:
            if let place = nodes[node].greetingDefects.firstIndex(where: {
                $0.defect.rawValue == fault.text && $0.amount == fault.amount
            }) {
                nodes[node].greetingDefects.remove(at: place)
            }
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
        // A log that was not written to its end is found as it was before.
        nodes[node].persistenceAtStop = nodes[node].logReadyAt > now ? .none : nodes[node].persistence
        if nodes[node].keepsEveryWrite(at: now) { nodes[node].unsafeSince = -Clock.never }
        nodes[node].unsafeSinceAtStop = nodes[node].unsafeSince
        recordNode(node, power == .down ? "killed" : "without power")
    }

    private mutating func restart(_ node: Int, after kind: Fault.Kind) {
        nodes[node].stops -= 1
        guard nodes[node].stops == 0 else { return }
        let stoppedAt = nodes[node].stoppedAt
        let persistence = nodes[node].persistence
        let wasSafe = nodes[node].persistenceAtStop == .aofAlways && persistence == .aofAlways
        nodes[node].forgetScripts()
        nodes[node].busyUntil = now
        nodes[node].began(at: now)
        nodes[node].wasPromoted = false
        if !wasSafe { nodes[node].forgotAt = stoppedAt }
        loseKeys(node, isSeen: true) { [options] state, time in
            switch state.memory(losingPower: kind == .nodePowerLoss, snapshotPeriod: options.snapshotPeriod) {
            case .nothing: state.forgetAll(at: time)
            case .asOf(let moment): state.restore(asOf: moment)
            case .whole: break
            }
        }
        nodes[node].logEndedAt = -Clock.never
        nodes[node].logReadyAt = -Clock.never
        nodes[node].unsafeSince = persistence == .aofAlways ? -Clock.never : now
        nodes[node].power = .up
        if nodes[node].keys.contains(where: { $0 != nil }) { mark(.nodeRestartedWithKeys) }
        recordNode(node, "up")
        deliverWaiting(toNode: node)
    }

    /// A replica has the node's address from now on.
    private mutating func replace(_ node: Int, lag: Int64) {
        loseKeys(node, isSeen: true) { $0.restore(asOf: $1 - lag) }
        nodes[node].incarnation += 1
        nodes[node].began(at: now, longAgo: true)
        nodes[node].forgotAt = now
        nodes[node].unsafeSince = now
        nodes[node].wasPromoted = false
        nodes[node].isReplica = false
        nodes[node].forgetScripts()
        closeConnections(of: node)
    }

    private mutating func promote(_ node: Int) {
        guard nodes[node].isReplica else { return }
        nodes[node].isReplica = false
        nodes[node].wasPromoted = true
        nodes[node].forgotAt = now
        for client in options.shortSighted { breach(.longestTTL, "client \(client)") }
        recordNode(node, "promoted")
    }

    /// The virtual machine goes on from a snapshot of its memory. The process is the same, and clients cannot see it; only
    /// their connections are unknown to it.
    private mutating func restoreMachine(_ node: Int, age: Int64) {
        guard nodes[node].power == .up else { return }
        loseKeys(node) { $0.restore(asOf: max($1 - age, $0.beganAt)) }
        closeConnections(of: node)
        recordNode(node, "restored from a snapshot")
    }

    /// A log that is switched on has all that the node holds, once it is written.
    private mutating func setPersistence(_ node: Int, _ persistence: WorldOptions.Persistence) {
        let before = nodes[node].persistence
        nodes[node].persistence = persistence
        guard nodes[node].power == .up, before != persistence else { return }
        let wasWritten = nodes[node].logReadyAt <= now
        switch (before.keepsLog, persistence.keepsLog) {
        case (false, true): nodes[node].logReadyAt = now + options.logTime
        case (true, false):
            if wasWritten { nodes[node].logEndedAt = now }
            nodes[node].logReadyAt = -Clock.never
        case (true, true), (false, false): break
        }
        if persistence.keepsLog, nodes[node].logReadyAt <= now { nodes[node].logEndedAt = -Clock.never }
        if before == .aofAlways, wasWritten { nodes[node].unsafeSince = now }
        if nodes[node].keepsEveryWrite(at: now) { nodes[node].unsafeSince = -Clock.never }
        recordNode(node, "keeps keys as \(persistence.rawValue) does")
    }

    /// Changes a node's memory from outside. If a lock goes that should have lived on, an assumption is broken; unless
    /// clients can see that it may be so, by the process being another, and have the node wait.
    mutating func loseKeys(_ node: Int, isSeen: Bool = false, _ change: (inout SimulatedNode, Int64) -> Void) {
        let before = nodes[node].keys.indices.map { nodes[node].live($0, at: now) }
        let numbers = before.indices.map { nodes[node].highest($0) }
        change(&nodes[node], now)
        for resource in before.indices {
            let after = nodes[node].live(resource, at: now)
            if let entry = before[resource], after?.token != entry.token || after!.expiresAt < entry.expiresAt {
                if !isSeen || !options.toleratesAmnesia { breach(.memory, "node \(node)") }
                for client in options.shortSighted { breach(.longestTTL, "client \(client)") }
            }
            if nodes[node].highest(resource) < numbers[resource] { numberLost(node, resource, numbers[resource]) }
            if isTracing { recordKey(node, resource) }
        }
    }

    /// As the doctor advises: a bad number becomes the highest of the plausible ones.
    private mutating func mendNumbers(_ node: Int) {
        for resource in nodes[node].numbers.indices {
            let spare = options.nodes - StandardRules().quorum(of: options.nodes)
            let plausible = StandardRules().highestPlausible(among: nodes.map { $0.highest(resource) }, spare: spare)
            if nodes[node].numbers[resource] > plausible { nodes[node].mendNumber(resource, to: plausible, at: now) }
        }
    }

    private mutating func jump(_ node: Int, by amount: Int64) {
        // Where there is no key, none ends early.
        let hasKeys = nodes[node].keys.indices.contains { nodes[node].live($0, at: now) != nil }
        if amount > 0, hasKeys { breach(.clockSteps, "node \(node)") }
        if amount < 0 { setBack -= amount }
        if amount < 0, nodes[node].power == .up, nodes[node].pauses == 0 { nodes[node].sweepExpired(at: now) }
        nodes[node].clock.jump(by: amount, at: now)
        if amount > 0 { watchGuard() }
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
