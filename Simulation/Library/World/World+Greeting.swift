import RedlockCore

// What nodes say of themselves when they are greeted, and whether it is true.

extension World {
    func facts(of node: Int) -> NodeFacts {
        NodeFacts(
            runID: "\(node).\(nodes[node].incarnation)", uptime: nodes[node].uptime(at: now),
            durability: options.persistence == .aofAlways ? .everyWrite : .no)
    }

    /// A client that knew another server at this address goes by its own clock. One that meets the node for the first
    /// time believes that it remembers for as long as it says that it has been running. If that is longer than it does,
    /// for its clock was set or it is a replica that took over, no client can know. Nor can it when a replica took over
    /// from a server that keeps every write, and was started again before it was met: that is how a mere restart looks.
    mutating func judge(_ facts: NodeFacts, of node: Int, knownTo client: Int, as nodeOfClient: Int) {
        let age = now - nodes[node].forgotAt
        guard options.toleratesAmnesia, age < 2 * options.ttl else { return }
        let isDurable = facts.durability == .everyWrite
        let isBelieved: Bool
        if let known = engines[client].facts(of: nodeOfClient) {
            isBelieved = isDurable && known.runID != facts.runID && nodes[node].beganAt > nodes[node].forgotAt
        } else {
            let claimed = facts.uptime.count - WorldOptions.milliseconds(1_000)
            isBelieved = isDurable || claimed - claimed / 1_000_000 * options.driftPartsPerMillion > age
        }
        if isBelieved { breach(.uptime, "node \(node)") }
    }

    /// Whether a node's vote would count for somebody. One that forgot a short while ago is in quarantine with all who
    /// have met it since, and whoever has not will have to meet it first.
    mutating func mayVote(_ node: Int, at moment: Int64) -> Bool {
        // A clock that was set back since the start: every client that meets the server bars it.
        let isSetBack = options.guardsClocks && nodes[node].uptime(at: moment) < .zero
        guard isSetBack || options.toleratesAmnesia && moment - nodes[node].forgotAt < 3 * options.ttl else {
            return true
        }
        let runID = facts(of: node).runID
        for client in clients.indices where !clients[client].isDown {
            guard let nodeOfClient = clients[client].view.firstIndex(of: node),
                engines[client].facts(of: nodeOfClient)?.runID == runID
            else { continue }
            let time = Instant(nanoseconds: clients[client].clock.reading(at: moment))
            if engines[client].quarantine(of: nodeOfClient, at: time) == nil { return true }
        }
        return false
    }
}

// MARK: - Telling

extension World {
    /// What a client finds out about nodes, for traces.
    mutating func tell(_ report: Report, _ client: Int) {
        let text: String
        let node: Int
        switch report {
        case .quarantined(let place, let quarantine):
            node = place
            let length = (quarantine.until - engineTime(client)).count
            text =
                "has node \(clients[client].view[place]) wait for \(Format.length(length)): "
                + quarantine.reason.words
        case .quarantineOver(let place):
            node = place
            text = "has node \(clients[client].view[place]) vote again"
        default: return
        }
        trace.append(
            TraceRecord(.client, at: now, client: client, node: clients[client].view[node], text: text))
    }
}
