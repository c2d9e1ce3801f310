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
            loseKeys(node, isSeen: true) { $0.restore(asOf: $1 - fault.amount) }
            nodes[node].incarnation += 1
            nodes[node].began(at: now, longAgo: true)
            nodes[node].forgotAt = now
            nodes[node].forgetScripts()
            closeConnections(of: node)
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
        nodes[node].began(at: now)
        if persistence != .aofAlways { nodes[node].forgotAt = stoppedAt }
        loseKeys(node, isSeen: true) { [options] state, time in
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

    /// Changes a node's memory from outside. If a lock goes that should have lived on, an assumption is broken; unless
    /// clients can see that it may be so, by the process being another, and have the node wait.
    private mutating func loseKeys(_ node: Int, isSeen: Bool = false, _ change: (inout SimulatedNode, Int64) -> Void) {
        let before = nodes[node].keys.indices.map { nodes[node].live($0, at: now) }
        let numbers = before.indices.map { nodes[node].highest($0) }
        change(&nodes[node], now)
        for resource in before.indices {
            let after = nodes[node].live(resource, at: now)
            if let entry = before[resource], after?.token != entry.token || after!.expiresAt < entry.expiresAt {
                if !isSeen || !options.toleratesAmnesia { breach(.memory, "node \(node)") }
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
