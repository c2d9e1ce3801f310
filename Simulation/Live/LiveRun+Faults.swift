internal import Dispatch
internal import PosixLock
internal import RedlockCore
internal import RedlockSimulation

// What each fault does to real processes and connections.

extension LiveRun {
    struct Action {
        let at: Int64
        let perform: (LiveRun) -> Void
    }

    /// All that happens by the clock, in order.
    func timeline() -> [Action] {
        var actions: [Action] = []
        for (index, fault) in schedule.faults.enumerated() {
            actions.append(Action(at: fault.at) { $0.begin(index) })
            if fault.duration > 0 { actions.append(Action(at: fault.end) { $0.end(index) }) }
            if fault.kind == .nodeClockStrobe {
                // As in the simulated world: to and fro, eight times.
                for count in 1..<8 {
                    let amount = count % 2 == 0 ? fault.amount : -fault.amount
                    actions.append(
                        Action(at: fault.at + fault.duration / 8 * Int64(count)) { run in
                            for node in fault.nodes { run.onNode(node) { run.jump(node, by: amount) } }
                        })
                }
            }
        }
        for step in schedule.script { actions.append(Action(at: step.at) { $0.perform(step) }) }
        // A scenario is over at its end, whatever is still cut then; a soak's faults all end.
        if options.scripted { actions.removeAll { $0.at > schedule.endAt } }
        // The end of one fault comes before the beginning of another at the same moment.
        return actions.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    private func perform(_ step: Schedule.Step) {
        noteLateness(step.at)
        let client = step.worker / options.workersPerClient
        let worker = step.worker % options.workersPerClient
        let ttl = step.ttl > 0 ? step.ttl : options.ttl(of: client)
        onClient(client) { [self] in
            guard clients[client].isRunning else { return }
            switch step.action {
            case .acquire:
                clients[client].tell(
                    .acquire(
                        worker: worker, resource: step.resource, ttl: ttl, wait: step.wait,
                        extendsItself: step.extendsItself))
            case .extend: clients[client].tell(.extend(worker: worker, ttl: ttl))
            case .release: clients[client].tell(.release(worker: worker))
            case .cancel: clients[client].tell(.cancel(worker: worker))
            case .write: clients[client].tell(.write(worker: worker, delay: step.delay))
            }
        }
    }

    private func begin(_ index: Int) {
        let fault = schedule.faults[index]
        noteLateness(fault.at)
        tally.countFault()
        history.add(LiveRecord(.faultBegan(index), at: MachineClock.now()))
        switch fault.kind.target {
        case .node: for node in fault.nodes { onNode(node) { [self] in try begin(fault, node: node) } }
        case .client: for client in fault.clients { onClient(client) { [self] in try begin(fault, client: client) } }
        case .link: forEachLink(of: fault) { begin(fault, $0, $1) }
        }
    }

    private func end(_ index: Int) {
        let fault = schedule.faults[index]
        noteLateness(fault.end)
        switch fault.kind.target {
        case .node: for node in fault.nodes { onNode(node) { [self] in try end(fault, node: node) } }
        case .client: for client in fault.clients { onClient(client) { [self] in try end(fault, client: client) } }
        case .link: forEachLink(of: fault) { end(fault, $0, $1) }
        }
        history.add(LiveRecord(.faultEnded(index), at: MachineClock.now()))
    }

    /// In order for each, and without the others waiting.
    func onNode(_ node: Int, _ body: @escaping () throws -> Void) { enqueue(nodeQueues[node], body) }
    private func onClient(_ client: Int, _ body: @escaping () throws -> Void) { enqueue(clientQueues[client], body) }

    private func enqueue(_ queue: DispatchQueue, _ body: @escaping () throws -> Void) {
        // The run waits for all queues before it ends.
        nonisolated(unsafe) let body = body
        nonisolated(unsafe) let run = self
        queue.async {
            do { try unsafe body() } catch { unsafe run.fail(error) }
        }
    }

    private func noteLateness(_ due: Int64) {
        let late = MachineClock.now() - start - due
        lateness.withLock { $0 = max($0, late) }
    }

    private func note(_ node: Int, _ text: String) {
        history.add(LiveRecord(.node(node, text), at: MachineClock.now()))
    }

    // MARK: Nodes

    private func begin(_ fault: Fault, node: Int) throws {
        switch fault.kind {
        case .nodeKill:
            nodes[node].kill(losingPower: false)
            note(node, "killed")
        case .nodePowerLoss:
            // Nobody says goodbye: what the kernel tells of the end of the process is kept back.
            for client in clients { client.proxy.block(node) }
            nodes[node].kill(losingPower: true)
            note(node, "without power")
        case .nodePause: nodes[node].pause()
        case .nodeSlow: for client in clients { client.proxy.change(node) { $0.service += fault.amount } }
        case .fsyncStall: nodes[node].stallSync(by: fault.amount)
        case .nodeErrors: nodes[node].beginErrors(fault.text)
        case .nodeClockJump, .nodeClockStrobe: jump(node, by: fault.amount)
        case .nodeClockRate: setRate(node, fault.amount)
        case .nodeFlush:
            loseKeys(of: node, isSeen: false)
            loseNumbers(of: node)
            nodes[node].flush()
        case .nodeEvict:
            loseKeys(of: node, isSeen: false)
            loseNumbers(of: node)
            nodes[node].evict()
        case .nodeFailover, .nodeReplica:
            loseKeys(of: node, isSeen: true)
            loseNumbers(of: node)
            nodes[node].failOver(promoting: fault.kind == .nodeFailover)
            let port = nodes[node].port
            for client in clients { client.proxy.change(node) { $0.port = port } }
            note(node, "a replica took its place")
        case .nodeSettings:
            nodes[node].setPersistence(WorldOptions.Persistence(rawValue: fault.text) ?? .none)
            note(node, "keeps keys as \(fault.text) does")
        case .nodeInfoDenied: nodes[node].setInfoDenied(true)
        case .nodeMemory:
            let policy = Fault.EvictionPolicy(rawValue: fault.text) ?? .noEviction
            if policy != .noEviction { loseKeys(of: node, isSeen: false) }
            if policy.evictsNumbers { loseNumbers(of: node) }
            nodes[node].beginShortage(policy)
        case .scriptFlush: nodes[node].flushScripts()
        case .nodeBadNumber: nodes[node].setNumbers(to: fault.amount, resources: options.resources)
        case .nodeForgetNumbers: nodes[node].forgetNumbers(olderThan: fault.amount)
        default: break
        }
    }

    private func end(_ fault: Fault, node: Int) throws {
        switch fault.kind {
        case .nodeKill, .nodePowerLoss:
            let losesPower = fault.kind == .nodePowerLoss
            // Before it is up: from its first answer on, others can get what it forgot.
            try nodes[node].restart { away in
                note(node, "up")
                if nodes[node].wasReplaced || nodes[node].forgets(losingPower: losesPower) {
                    let hadKeys = away < options.ttl + options.ttl / 10
                    if hadKeys { loseKeys(of: node, isSeen: true) }
                    loseNumbers(of: node)
                }
            }
            if losesPower { for client in clients { client.proxy.unblock(node) } }
        case .nodePause: nodes[node].resume()
        case .nodeSlow: for client in clients { client.proxy.change(node) { $0.service -= fault.amount } }
        case .fsyncStall: nodes[node].stallSync(by: -fault.amount)
        case .nodeErrors: nodes[node].endErrors(fault.text)
        case .nodeBadNumber: mendNumbers(node)
        case .nodeReplica:
            loseKeys(of: node, isSeen: true)
            nodes[node].promote()
            note(node, "promoted")
        case .nodeSettings: nodes[node].setPersistence(options.persistence)
        case .nodeInfoDenied: nodes[node].setInfoDenied(false)
        case .nodeMemory: nodes[node].endShortage(Fault.EvictionPolicy(rawValue: fault.text) ?? .noEviction)
        case .nodeClockRate: setRate(node, LiveNode.baseRate(of: node, options))
        default: break
        }
    }

    /// A node forgets keys that are in force. When it is another process, clients can see that, and have it wait;
    /// unless they were told not to.
    private func loseKeys(of node: Int, isSeen: Bool) {
        for client in options.shortSighted { breach(.longestTTL, "client \(client)") }
        if isSeen, options.toleratesAmnesia {
            history.add(LiveRecord(.forgot(node), at: MachineClock.now()))
        } else {
            breach(.memory, "node \(node)")
        }
    }

    private func loseNumbers(of node: Int) {
        guard options.fencedClients > 0 else { return }
        lostNumber.withLock { $0 = max($0, tally.highestToken) }
        judgeLostNumbers("node \(node)")
    }

    /// Lost numbers do no harm while every client proposes higher ones by its clock. An attempt that is under way may
    /// have read that clock a ttl ago.
    private func judgeLostNumbers(_ subject: String) {
        let lost = lostNumber.withLock { $0 }
        guard lost > 0 else { return }
        let wall = MachineClock.now() + MachineClock.wallOffset()
        let lowest = clients.prefix(options.fencedClients).map { (wall + ($0.clock?.skew ?? 0)) / 1_000 }.min()
        if let lowest, lowest <= lost + options.ttl / 1_000 { breach(.numbers, subject) }
    }

    func jump(_ node: Int, by amount: Int64) {
        if amount > 0 { breach(.clockSteps, "node \(node)") }
        nodes[node].jump(by: amount)
        note(node, "clock set by \(Format.length(amount))")
    }

    /// As the doctor advises: a bad number becomes the highest of the plausible ones.
    private func mendNumbers(_ node: Int) {
        for resource in 0..<options.resources {
            let numbers = nodes.map { $0.number(of: resource) }
            let spare = options.nodes - StandardRules().quorum(of: options.nodes)
            let highest = StandardRules().highestPlausible(among: numbers, spare: spare)
            if nodes[node].number(of: resource) > highest { nodes[node].setNumber(of: resource, to: String(highest)) }
        }
    }

    private func setRate(_ node: Int, _ rate: Int64) {
        // Before and after: what it did until now counts as well.
        let limit = options.driftPartsPerMillion * 1_000
        if abs(rate) > limit || abs(nodes[node].clock?.rate ?? 0) > limit {
            breach(.clockRates, "node \(node)")
        }
        nodes[node].clock?.setRate(rate)
        note(node, "clock off by \(Format.decimal(rate, per: 1_000)) ppm")
    }

    // MARK: Clients

    private func begin(_ fault: Fault, client: Int) throws {
        switch fault.kind {
        case .clientPause, .clientSuspend: clients[client].pause()
        case .clientCrash: clients[client].kill()
        case .clientShutdown: clients[client].beginShutdown()
        case .clientClockJump:
            clients[client].clock?.jump(by: fault.amount)
            judgeLostNumbers("client \(client)")
        default: break
        }
    }

    private func end(_ fault: Fault, client: Int) throws {
        switch fault.kind {
        case .clientPause, .clientSuspend: clients[client].resume()
        case .clientCrash, .clientShutdown:
            clients[client].endShutdown()
            try clients[client].start()
            if !options.scripted { clients[client].tell(.work) }
        default: break
        }
    }

    // MARK: Links

    private func forEachLink(of fault: Fault, _ act: (LinkProxy, Int) -> Void) {
        for client in fault.clients {
            for node in fault.nodes { act(clients[client].proxy, node) }
        }
    }

    private func begin(_ fault: Fault, _ proxy: LinkProxy, _ node: Int) {
        switch fault.kind {
        case .linkDelay: proxy.change(node) { $0.extraDelay += fault.amount }
        case .linkLoss: proxy.change(node) { $0.loss += fault.amount }
        case .linkReset: proxy.reset(node)
        case .partition: proxy.block(node, fault.direction)
        default: break
        }
    }

    private func end(_ fault: Fault, _ proxy: LinkProxy, _ node: Int) {
        switch fault.kind {
        case .linkDelay: proxy.change(node) { $0.extraDelay -= fault.amount }
        case .linkLoss: proxy.change(node) { $0.loss -= fault.amount }
        case .partition: proxy.unblock(node, fault.direction)
        default: break
        }
    }
}
