import RedlockCore

// What nodes say of themselves when they are greeted, and whether it is true.

extension World {
    func facts(of node: Int) -> NodeFacts {
        let run = "\(node).\(nodes[node].incarnation)"
        return NodeFacts(
            runID: run, uptime: nodes[node].uptime(at: now),
            durability: nodes[node].keepsEveryWrite(at: now) ? .everyWrite : .no, isReplica: nodes[node].isReplica,
            lineage: nodes[node].wasPromoted
                ? NodeFacts.Lineage(present: run + " promoted", beforePromotion: run)
                : NodeFacts.Lineage(present: run))
    }

    mutating func greeting(of node: Int) -> Greeting {
        if nodes[node].silences > 0 { return .unknown("INFO: NOPERM") }
        var facts = facts(of: node)
        guard let (defect, amount) = nodes[node].greetingDefects.last else { return .server(facts) }
        nodes[node].wrongGreetings += 1
        switch defect {
        // As the library's reader words them: its tests show that it takes such answers so.
        case .noRunID: return .malformed("INFO lacks run_id")
        case .noUptime: return .malformed("INFO lacks uptime_in_seconds")
        case .uptimeNoNumber: return .malformed("INFO says uptime_in_seconds is 'long'")
        case .unknownRole: return .malformed("INFO says role is 'leader'")
        case .longUptime: facts.uptime = facts.uptime + Nanoseconds(amount)
        case .changingRunID: facts.runID += "~\(nodes[node].wrongGreetings)"
        case .changingRole: facts.isReplica = facts.isReplica || nodes[node].wrongGreetings % 2 == 1
        }
        return .server(facts)
    }

    /// Whether a client that knows this server by its run id knows the process that runs now.
    private func isRun(_ runID: String, of node: Int) -> Bool {
        let present = facts(of: node).runID
        return runID == present || runID.utf8.starts(with: (present + "~").utf8)
    }

    /// A client goes by what it saw itself. One that meets the node for the first time believes that it remembers for as
    /// long as it says that it has been running; if that is longer than it does, because its clock was set, no client
    /// can know. Nor can it when a node stopped to keep every write, or became another, and was started again, all
    /// between two looks. A client that trusts durable nodes believes more.
    mutating func judge(_ greeting: Greeting, of node: Int, knownTo client: Int, as nodeOfClient: Int) {
        let age = now - nodes[node].forgotAt
        guard options.toleratesAmnesia, age < 2 * options.ttl, !nodes[node].wasPromoted,
            case .server(let facts) = greeting
        else { return }
        let isDurable = facts.durability == .everyWrite
        let isBelieved: Bool
        if let known = engines[client].facts(of: nodeOfClient) {
            let isRestart = known.runID != facts.runID && nodes[node].beganAt > nodes[node].forgotAt
            // By the client's clock, which may be slow.
            let gap = Limits.durabilityGap.count / 1_000_000 * (1_000_000 + options.drift(of: client))
            let isUnseen = nodes[node].stoppedAt - nodes[node].unsafeSinceAtStop <= gap
            isBelieved = isDurable && isRestart && (isUnseen || options.trustsDurableNodes(client))
        } else {
            let claimed = facts.uptime.count - WorldOptions.milliseconds(1_000)
            isBelieved =
                isDurable && options.trustsDurableNodes(client)
                || claimed - claimed / 1_000_000 * options.drift(of: client) > age
        }
        if isBelieved { breach(.uptime, "node \(node)") }
    }

    /// Whether a node's vote would count for somebody. One that forgot a short while ago is in quarantine with all who
    /// have met it since, and whoever has not will have to meet it first.
    mutating func mayVote(_ node: Int, at moment: Int64) -> Bool {
        guard !nodes[node].isReplica else { return false }
        // A clock that was set back since the start: every client that meets the server bars it.
        let isSetBack = options.guardsClocks && nodes[node].uptime(at: moment) < .zero
        guard isSetBack || options.toleratesAmnesia && moment - nodes[node].forgotAt < 3 * options.ttl else {
            return true
        }
        for client in clients.indices where !clients[client].isDown {
            guard let nodeOfClient = clients[client].view.firstIndex(of: node),
                let known = engines[client].facts(of: nodeOfClient), isRun(known.runID, of: node),
                // It asks no replica, and meets the server again when that is promoted.
                !known.isReplica
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

// MARK: - Looks

extension Greeting {
    /// As the reply to a look; simulated nodes need no more than one.
    var look: Reply {
        if case .malformed(let reason) = self { return .list([.text(reason)]) }
        guard case .server(let facts) = self else { return .error("NOPERM INFO") }
        return .list([
            .text(facts.runID), .integer(facts.uptime.count), .integer(facts.durability == .everyWrite ? 1 : 0),
            .integer(facts.isReplica ? 1 : 0), .text(facts.lineage?.present ?? ""),
            .text(facts.lineage?.beforePromotion ?? ""),
        ])
    }

    /// Nil if the node cannot tell now.
    init?(look: Reply) {
        if case .error(let text) = look {
            guard text.utf8.starts(with: "NOPERM".utf8) || text.utf8.starts(with: "NOAUTH".utf8) else { return nil }
            self = .unknown(text)
            return
        }
        if case .list(let parts) = look, parts.count == 1, case .text(let reason) = parts[0] {
            self = .malformed(reason)
            return
        }
        guard case .list(let parts) = look, parts.count == 6, case .text(let runID) = parts[0],
            case .integer(let uptime) = parts[1], case .text(let present) = parts[4],
            case .text(let earlier) = parts[5]
        else { return nil }
        self = .server(
            NodeFacts(
                runID: runID, uptime: Nanoseconds(uptime), durability: parts[2] == .integer(1) ? .everyWrite : .no,
                isReplica: parts[3] == .integer(1),
                lineage: NodeFacts.Lineage(present: present, beforePromotion: earlier.isEmpty ? nil : earlier)))
    }
}
