import RedlockCore

// The nodes' side of the network, and what happens when something that stood still goes on.

// MARK: - The node's end

extension World {
    mutating func arriveAtNode(_ slot: Int) {
        connections[slot].toNode.isScheduled = false
        let node = connections[slot].node
        let link = linkIndex(connections[slot].client, node)
        let generation = connections[slot].generation
        while connections[slot].generation == generation, let next = connections[slot].toNode.messages.first {
            if next.arrival > now { return scheduleToNode(slot) }
            if links[link].blocksToNode > 0 || nodes[node].power == .dark {
                if connections[slot].toNode.blockedSince < 0 { connections[slot].toNode.blockedSince = now }
                return
            }
            connections[slot].toNode.blockedSince = -1
            if nodes[node].power == .down { return refuse(slot, Self.refusal) }
            // The kernel keeps it until the process runs.
            if nodes[node].pauses > 0 { return }
            if let incarnation = connections[slot].incarnation, incarnation != nodes[node].incarnation {
                return refuse(slot, "connection reset by peer")
            }
            if nodes[node].busyUntil > now { return scheduleToNode(slot, notBefore: nodes[node].busyUntil) }
            _ = connections[slot].toNode.messages.popFirst()
            take(next.message, slot)
        }
    }

    private mutating func take(_ message: Connection.ToNode, _ slot: Int) {
        let node = connections[slot].node
        switch message {
        case .hello:
            connections[slot].incarnation = nodes[node].incarnation
            // Two ways more: the greeting follows the handshake.
            let link = linkIndex(connections[slot].client, node)
            sendToClient(slot, .connected(greeting(of: node)), after: 2 * links[link].delay)
        case .command(let command, let attempt):
            let reply = command.operation == .look ? look(at: node) : execute(command, attempt, slot)
            if !connections[slot].isClosedByClient {
                sendToClient(slot, .reply(reply), after: max(nodes[node].busyUntil - now, 0) + Self.usualService)
            }
        case .subscribe(let isWanted, let resource): setSubscription(isWanted, resource, slot)
        case .close:
            free(slot)
        }
    }

    /// It has no key, and does nothing to the node.
    private mutating func look(at node: Int) -> Reply {
        nodes[node].errors.last.map { .error($0) } ?? greeting(of: node).look
    }

    /// What one command takes a node that is well.
    private static var usualService: Int64 { 10_000 }

    /// The machine is there, the process is not.
    static var refusal: String { "connection refused" }

    /// The node's end is gone, and its kernel says so.
    mutating func refuse(_ slot: Int, _ reason: String) {
        connections[slot].isClosedByNode = true
        connections[slot].toNode.messages.removeAll()
        if connections[slot].isClosedByClient { return free(slot) }
        sendToClient(slot, .closed(reason))
    }

    /// The process died: its kernel closes what it had accepted.
    mutating func closeConnections(of node: Int) {
        for slot in connections.indices
        where connections[slot].isInUse && connections[slot].node == node && !connections[slot].isClosedByNode
            && connections[slot].incarnation != nil
        {
            refuse(slot, "the node closed the connection")
        }
    }

    /// Cuts the connections in use, the one for subscriptions every other time.
    mutating func reset(_ link: Int) {
        cut(links[link].connection, link)
        if links[link].listener >= 0, linkRandom[link].chance(perMille: 500) { cut(links[link].listener, link) }
    }

    /// Some of what is under way arrives, the rest never does.
    private mutating func cut(_ slot: Int, _ link: Int) {
        guard slot >= 0, !connections[slot].isClosedByNode else { return }
        mark(connections[slot].isListener ? .subscriptionLost : .connectionReset)
        let node = connections[slot].node
        let random = linkRandom[link].next()
        let replies = connections[slot].toClient.messages.count
        connections[slot].toClient.messages.truncate(to: Int(random >> 32) % (replies + 1))
        var survivors = Int(random & 0xffff) % (connections[slot].toNode.messages.count + 1)
        while survivors > 0, nodes[node].power == .up, nodes[node].pauses == 0, links[link].blocksToNode == 0,
            let next = connections[slot].toNode.messages.popFirst()
        {
            if case .command(let command, let attempt) = next.message, command.operation != .look {
                _ = execute(command, attempt, slot)
            }
            survivors -= 1
        }
        refuse(slot, "connection reset by peer")
    }
}

// MARK: - Waking up

extension World {
    /// A partition ended: TCP sends again when its back-off says so.
    mutating func unblock(_ link: Int, toNode: Bool, toClient: Bool) {
        for slot in connections.indices where connections[slot].isInUse {
            guard linkIndex(connections[slot].client, connections[slot].node) == link else { continue }
            if toNode { retryToNode(slot) }
            if toClient, connections[slot].toClient.blockedSince >= 0 {
                let since = connections[slot].toClient.blockedSince
                scheduleToClient(slot, notBefore: Retransmission.next(after: since, notBefore: now))
            }
        }
    }

    private mutating func retryToNode(_ slot: Int) {
        guard connections[slot].toNode.blockedSince >= 0 else { return }
        let since = connections[slot].toNode.blockedSince
        scheduleToNode(slot, notBefore: Retransmission.next(after: since, notBefore: now))
    }

    /// A node runs again, or has power again: what waited for it goes on.
    mutating func deliverWaiting(toNode node: Int) {
        for slot in connections.indices where connections[slot].isInUse && connections[slot].node == node {
            if connections[slot].toNode.blockedSince >= 0 {
                if links[linkIndex(connections[slot].client, node)].blocksToNode == 0 { retryToNode(slot) }
            } else {
                scheduleToNode(slot)
            }
        }
    }

    mutating func deliverWaiting(toClient client: Int) {
        for slot in connections.indices where connections[slot].isInUse && connections[slot].client == client {
            if connections[slot].toClient.blockedSince < 0 { scheduleToClient(slot) }
        }
    }
}
