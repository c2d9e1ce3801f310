import RedlockCore

// What a world is made of, out of its schedule.

extension World {
    mutating func makeNodes() {
        let keepsJournal =
            options.persistence != .aofAlways
            || schedule.faults.contains {
                [.nodeFailover, .nodeSettings, .nodeReplica, .nodeRestore].contains($0.kind)
            }
        for index in 0..<options.nodes {
            var random = Randomness(seed: schedule.seed, .clock, index)
            // Wall clocks of nodes agree to within seconds, and need not.
            let offset = 1_700_000_000_000_000_000 + random.within(-5_000_000_000...5_000_000_000)
            let rate = index < options.nodeRates.count ? options.nodeRates[index] : 0
            var node = SimulatedNode(
                clock: Clock(reading: offset, rate: rate), resources: options.resources, keepsJournal: keepsJournal)
            node.persistence = options.persistence
            node.memoryRandom = Randomness(seed: schedule.seed, .node, index)
            node.defects = mutant?.defects ?? node.defects
            nodes.append(node)
        }
        lastErrorAt = Array(repeating: -1, count: options.nodes)
    }

    mutating func makeClients() {
        for index in 0..<options.clients {
            var random = Randomness(seed: schedule.seed, .clock, 1_000 + index)
            let rate = index < options.clientRates.count ? options.clientRates[index] : 0
            let view = index < options.views.count ? options.views[index] : Array(0..<options.nodes)
            var skew: Int64 = 0
            if options.wallSkew > 0 {
                var random = Randomness(seed: schedule.seed, .clock, 2_000 + index)
                skew = random.within(-options.wallSkew...options.wallSkew)
            }
            clients.append(
                SimulatedClient(
                    clock: Clock(reading: random.within(0...1_000_000_000_000), rate: rate),
                    wall: Clock(reading: 1_700_000_000_000_000_000 + skew, rate: rate),
                    view: view))
            engines.append(engine(of: index))
            engineRandom.append(Randomness(seed: schedule.seed, .engine, index, 0))
            shellRandom.append(Randomness(seed: schedule.seed, .shell, index))
            for node in 0..<options.nodes {
                var random = Randomness(seed: schedule.seed, .network, 10_000 + index * options.nodes + node)
                let isNear = (node < (options.nodes + index % 2) / 2) == (index % 2 == 0)
                let spread = options.delay + random.below(options.delay + 1)
                links.append(Link(delay: options.twoSites ? options.delay * (isNear ? 1 : 3) : spread))
                linkRandom.append(Randomness(seed: schedule.seed, .network, index * options.nodes + node))
            }
        }
        for index in 0..<options.workers {
            workers.append(Worker(client: index / options.workersPerClient))
            workRandom.append(Randomness(seed: schedule.seed, .workload, index))
        }
        outcome.grantsPerClient = Array(repeating: 0, count: options.clients)
    }

    func engine(of client: Int) -> Engine {
        let view = client < options.views.count ? options.views[client].count : options.nodes
        var parameters = Parameters(nodes: view)
        parameters.nodeTimeout = Nanoseconds(options.nodeTimeout(of: client))
        parameters.connectTimeout = Nanoseconds(options.connectTimeout)
        parameters.silenceTimeout = Nanoseconds(options.asSeen(by: client).silenceTimeout)
        parameters.driftPartsPerMillion = options.drift(of: client)
        parameters.retryDelay = Nanoseconds(options.retryDelay)
        if options.lossMargin >= 0 { parameters.lossMargin = Nanoseconds(options.lossMargin) }
        parameters.quarantine = Nanoseconds(options.quarantineLength(of: client))
        parameters.longestTTL = Nanoseconds(options.longestTTL(of: client))
        parameters.trustsDurableNodes = options.trustsDurableNodes(client)
        parameters.looks = Parameters.Looks(replies: 1) { Greeting(look: $0[0]) }
        parameters.reports = isTracing
        parameters.guardsClocks = options.guardsClocks
        parameters.retryJitter = Nanoseconds(options.retryJitter)
        parameters.fallbackDelay = Nanoseconds(options.fallbackDelay(of: client))
        return Engine(parameters, rules: mutant?.rules ?? StandardRules())
    }

    mutating func plan() {
        for index in schedule.faults.indices {
            queue.add(.faultBegin, index, at: schedule.faults[index].at)
        }
        for index in schedule.script.indices { queue.add(.script, index, at: schedule.script[index].at) }
        queue.add(.heal, 0, at: schedule.healAt)
        queue.add(.end, 0, at: max(schedule.endAt, schedule.lastFaultEnd))
    }

    /// Assumptions that the world's options break from the start.
    mutating func judgeOptions() {
        if !clockRatesAgree { breach(.clockRates, "the clocks") }
        if let first = clients.first?.view, clients.contains(where: { $0.view != first }) {
            breach(.oneNodeList, "the configuration")
        }
    }

    var clockRatesAgree: Bool {
        let fastest = nodes.reduce(Int64.min) { max($0, $1.clock.rate) }
        return clients.indices.allSatisfy { fastest - clients[$0].clock.rate <= options.drift(of: $0) * 1_000 }
    }

    func linkIndex(_ client: Int, _ node: Int) -> Int { client * options.nodes + node }
}
