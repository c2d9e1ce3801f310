import RedlockCore

// The network: what is sent arrives in order, late, after retransmission, or not at all.

// MARK: - Sending

extension World {
    /// How long a message is under way, retransmissions included.
    private mutating func transit(_ link: Int, lane: Int) -> Int64 {
        if link * 2 + lane < plannedDelays.count, let planned = plannedDelays[link * 2 + lane].popLast() {
            return planned
        }
        var delay = links[link].delay
        if options.jitter > 0 { delay += linkRandom[link].below(options.jitter + 1) }
        if links[link].extraDelay > 0 { delay += linkRandom[link].below(links[link].extraDelay + 1) }
        if links[link].loss > 0 {
            var pause = Retransmission.first
            while linkRandom[link].chance(perMille: links[link].loss), pause < Retransmission.last {
                delay += pause
                pause *= 2
            }
        }
        return delay
    }

    mutating func sendToNode(_ slot: Int, _ message: Connection.ToNode) {
        let link = linkIndex(connections[slot].client, connections[slot].node)
        connections[slot].toNode.append(message, arrival: now + transit(link, lane: 0))
        scheduleToNode(slot)
    }

    mutating func sendToClient(_ slot: Int, _ message: Connection.ToClient, after delay: Int64 = 0) {
        let link = linkIndex(connections[slot].client, connections[slot].node)
        connections[slot].toClient.append(message, arrival: now + delay + transit(link, lane: 1))
        scheduleToClient(slot)
    }

    mutating func scheduleToNode(_ slot: Int, notBefore time: Int64 = 0) {
        guard !connections[slot].toNode.isScheduled, let next = connections[slot].toNode.messages.first else { return }
        connections[slot].toNode.isScheduled = true
        queue.add(.toNode, slot, connections[slot].generation, at: max(next.arrival, time, now))
    }

    mutating func scheduleToClient(_ slot: Int, notBefore time: Int64 = 0) {
        guard !connections[slot].toClient.isScheduled, let next = connections[slot].toClient.messages.first else {
            return
        }
        connections[slot].toClient.isScheduled = true
        queue.add(.toClient, slot, connections[slot].generation, at: max(next.arrival, time, now))
    }
}

// MARK: - The client's end

extension World {
    /// The client dials.
    mutating func dial(_ client: Int, _ nodeOfClient: Int, _ id: ConnectionID, isListener: Bool = false) {
        let node = clients[client].view[nodeOfClient]
        let slot: Int
        if let free = freeConnections.popLast() {
            slot = free
        } else {
            slot = connections.count
            connections.append(Connection())
        }
        connectionCount += 1
        connections[slot].isInUse = true
        connections[slot].client = client
        connections[slot].node = node
        connections[slot].nodeOfClient = nodeOfClient
        connections[slot].id = id
        connections[slot].serial = connectionCount
        connections[slot].isListener = isListener
        if isListener {
            links[linkIndex(client, node)].listener = slot
        } else {
            links[linkIndex(client, node)].connection = slot
        }
        sendToNode(slot, .hello)
    }

    mutating func send(_ command: Command, from client: Int, to nodeOfClient: Int, attempt: Int32) {
        let node = clients[client].view[nodeOfClient]
        let slot = links[linkIndex(client, node)].connection
        guard slot >= 0 else { return }
        outcome.commands += 1
        if isTracing, !command.key.isEmpty {
            trace.append(
                TraceRecord(
                    .send, at: now, client: client, node: node, resource: SimulatedNode.resource(of: command.key),
                    attempt: attempt, text: command.words))
        }
        sendToNode(slot, .command(command, attempt: attempt))
    }

    /// The client closes the connection for its commands.
    mutating func hangUp(_ client: Int, _ nodeOfClient: Int) {
        let link = linkIndex(client, clients[client].view[nodeOfClient])
        guard links[link].connection >= 0 else { return }
        closeByClient(links[link].connection)
        links[link].connection = -1
    }

    /// What the client has sent is delivered still, what comes back is dropped.
    mutating func closeByClient(_ slot: Int) {
        connections[slot].isClosedByClient = true
        if connections[slot].isClosedByNode { free(slot) } else { sendToNode(slot, .close) }
    }

    mutating func arriveAtClient(_ slot: Int) {
        connections[slot].toClient.isScheduled = false
        let client = connections[slot].client
        let link = linkIndex(client, connections[slot].node)
        let generation = connections[slot].generation
        while connections[slot].generation == generation, let next = connections[slot].toClient.messages.first {
            if next.arrival > now { return scheduleToClient(slot) }
            if links[link].blocksToClient > 0 {
                if connections[slot].toClient.blockedSince < 0 { connections[slot].toClient.blockedSince = now }
                return
            }
            connections[slot].toClient.blockedSince = -1
            if connections[slot].isClosedByClient {
                connections[slot].toClient.messages.removeAll()
                return
            }
            // The kernel keeps it until the process runs.
            if clients[client].pauses > 0 { return }
            _ = connections[slot].toClient.messages.popFirst()
            take(next.message, slot)
        }
    }

    private mutating func take(_ message: Connection.ToClient, _ slot: Int) {
        let client = connections[slot].client
        let id = connections[slot].id
        let nodeOfClient = connections[slot].nodeOfClient
        switch message {
        case .connected(let greeting):
            connections[slot].readyAt = now
            judge(greeting, of: connections[slot].node, knownTo: client, as: nodeOfClient)
            feed(.connected(node: nodeOfClient, id, greeting), to: client)
        case .reply(let reply):
            let replies = [reply] + popReplies(slot)
            if replies.count > 1 { mark(.answersTogether) }
            for reply in replies {
                // Only an acquire is answered so; with one worker it is the held lock's.
                if reply.isGrant, options.workersPerClient == 1, workers[client].phase == .held { mark(.lateGrant) }
                if isTracing {
                    trace.append(
                        TraceRecord(.reply, at: now, client: client, node: connections[slot].node, text: reply.words))
                }
            }
            feed(.replies(node: nodeOfClient, id, replies), to: client)
        case .push(let push):
            if isTracing {
                trace.append(
                    TraceRecord(.reply, at: now, client: client, node: connections[slot].node, text: push.words))
            }
            feed(.pushed(node: nodeOfClient, id, push), to: client)
        case .closed(let reason):
            let link = linkIndex(client, connections[slot].node)
            if connections[slot].isListener { links[link].listener = -1 } else { links[link].connection = -1 }
            free(slot)
            let kind = reason == Self.refusal ? Outage.refused : .unreachable
            feed(.disconnected(node: nodeOfClient, id, reason: reason, kind: kind), to: client)
        }
    }

    /// More that has come by now: it is read together.
    private mutating func popReplies(_ slot: Int) -> [Reply] {
        var replies: [Reply] = []
        while let next = connections[slot].toClient.messages.first, next.arrival <= now,
            case .reply(let reply) = next.message
        {
            _ = connections[slot].toClient.messages.popFirst()
            replies.append(reply)
        }
        return replies
    }

    mutating func free(_ slot: Int) {
        let generation = connections[slot].generation
        connections[slot] = Connection()
        connections[slot].generation = generation &+ 1
        freeConnections.append(slot)
    }
}
