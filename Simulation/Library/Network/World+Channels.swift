import RedlockCore

// Channels: who is subscribed where, and what they are told.

extension World {
    mutating func subscribe(_ isWanted: Bool, _ key: [UInt8], _ client: Int, _ nodeOfClient: Int) {
        let slot = links[linkIndex(client, clients[client].view[nodeOfClient])].listener
        guard slot >= 0 else { return }
        outcome.commands += 1
        sendToNode(slot, .subscribe(isWanted, resource: SimulatedNode.resource(of: key)))
    }

    /// The client closes its subscription connection: nothing that comes over it is heard any more.
    mutating func hangUpListener(_ client: Int, _ nodeOfClient: Int) {
        let link = linkIndex(client, clients[client].view[nodeOfClient])
        guard links[link].listener >= 0 else { return }
        closeByClient(links[link].listener)
        links[link].listener = -1
    }

    /// The node takes a subscription, and says so.
    mutating func setSubscription(_ isWanted: Bool, _ resource: Int, _ slot: Int) {
        let bit = UInt32(1) << UInt32(resource)
        if isWanted { connections[slot].subscriptions |= bit } else { connections[slot].subscriptions &= ~bit }
        guard !connections[slot].isClosedByClient else { return }
        let channel = Channel.name(of: SimulatedNode.key(of: resource))
        sendToClient(slot, .push(isWanted ? .subscribed(channel: channel) : .unsubscribed(channel: channel)))
    }

    /// The connections that the node has subscribed to a resource's channel.
    func subscribers(to resource: Int, on node: Int) -> [Int] {
        let bit = UInt32(1) << UInt32(resource)
        return connections.indices.filter { slot in
            connections[slot].subscriptions & bit != 0 && connections[slot].isInUse && connections[slot].node == node
                && !connections[slot].isClosedByNode && connections[slot].incarnation == nodes[node].incarnation
        }
    }

    /// Tells the channel what a command did to the key; clients of another make tell nobody.
    mutating func publish(_ command: Command, _ effect: SimulatedNode.Effect, from slot: Int) {
        let message: Channel.Message
        switch (command.operation, command.notice, effect) {
        case (.release, .node, .deleted): message = .free
        case (.release, .everywhere, .deleted), (.announce, _, _): message = .released
        case (.contend(let ttl), .node, .set), (.acquireFenced(let ttl, _), .node, .set):
            message = .taken(.milliseconds(ttl))
        default: return
        }
        let node = connections[slot].node
        guard connections[slot].client >= options.foreignClients else { return }
        guard !nodes[node].defects.tellsNobody else { return nodes[node].defects.activations += 1 }
        let channel = Channel.name(of: command.key)
        for subscriber in subscribers(to: SimulatedNode.resource(of: command.key), on: node)
        where !connections[subscriber].isClosedByClient {
            if message == .free || message == .released { mark(.releaseHeard) }
            sendToClient(subscriber, .push(.message(channel: channel, payload: message.payload)))
        }
    }
}

extension Push {
    var words: String {
        switch self {
        case .subscribed: "subscribed"
        case .unsubscribed: "unsubscribed"
        case .message(_, let payload): "told: \(String(decoding: payload, as: UTF8.self))"
        case .refused(let text): text
        }
    }
}
