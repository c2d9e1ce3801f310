// Hearing of releases: one more connection a node, while somebody waits, and the channels of what is waited for.

// MARK: - Subscriptions

extension Engine {
    /// Subscribes to the channel of a resource, on all nodes.
    mutating func subscribe(_ place: Int, _ turn: inout Turn) {
        listenersUnusedSince = nil
        for node in listeners.indices {
            if listeners[node].isReady { subscribe(place, node, &turn) } else { listen(node, &turn) }
        }
    }

    mutating func unsubscribe(_ place: Int, _ turn: inout Turn) {
        guard let watch = contentions[place].watch else { return }
        for node in watch.asked where listeners[node].isReady {
            turn.directives.append(.unsubscribe(key: contentions[place].key.bytes, node: node))
        }
        contentions.endWatch(place)
        if contentions.watched.isEmpty { listenersUnusedSince = turn.now }
    }

    private mutating func subscribe(_ place: Int, _ node: Int, _ turn: inout Turn) {
        guard !listeners[node].isDenied else { return }
        contentions.noteSubscribing(place, node)
        listeners[node].subscribes(to: contentions.id(of: place))
        turn.directives.append(.subscribe(key: contentions[place].key.bytes, node: node))
    }
}

// MARK: - Messages

extension Engine {
    mutating func pushed(_ node: Int, _ connection: ConnectionID, _ push: Push, _ turn: inout Turn) {
        guard listeners[node].phase == .ready(connection) else { return }
        switch push {
        case .message(let channel, let payload):
            guard let key = Channel.key(of: channel), let place = contentions.place(of: key),
                let message = Channel.Message(payload)
            else { return }
            tell(.heard(message, node: node), at: place, &turn)
        case .subscribed:
            if let place = contentions.place(of: listeners[node].answered()) {
                tell(.subscribed(node: node), at: place, &turn)
            }
        case .unsubscribed:
            break
        case .refused(let text):
            if let place = contentions.place(of: listeners[node].refused()) {
                tell(.unsubscribed(node: node), at: place, &turn)
            }
            reportDenied(node, text, &turn)
        }
    }

    /// What a vote says of a node, for when to try next.
    mutating func learn(
        _ vote: Vote, of node: Int, _ slot: Int, number: UInt32, remaining: Nanoseconds?, _ turn: inout Turn
    ) {
        // Nobody waits for anything: the contention, which may be far away, need not be looked at.
        guard !contentions.watched.isEmpty else { return }
        guard let place = contentions.place(of: locks.contention(of: slot)),
            contentions.frontSlot(at: place) == slot, let attempt = locks[slot].attempt, attempt.number == number,
            !locks[slot].isHeld
        else { return }
        tell(.voted(vote, node: node, remaining: remaining, askedAt: attempt.askedAt), at: place, &turn)
    }

    mutating func reportDenied(_ node: Int, _ reason: String, _ turn: inout Turn) {
        guard !denying.contains(node) else { return }
        denying.insert(node)
        report(.notificationsDenied(node: node, reason: reason), &turn)
    }
}

// MARK: - Connections

extension Engine {
    /// Dials a subscription connection, if there is use for it and the node's other connection stands.
    mutating func listen(_ node: Int, _ turn: inout Turn) {
        guard !contentions.watched.isEmpty, case .ready = sessions[node].phase, sessions[node].twin == nil,
            listeners[node].phase == .idle
        else { return }
        dialListener(node, &turn)
    }

    private mutating func dialListener(_ node: Int, _ turn: inout Turn) {
        let connection = newConnection()
        listeners[node].connect(connection, at: turn.now, policy)
        turn.directives.append(.listen(node: node, connection))
    }

    /// True when the connection is a listener's.
    mutating func listenerConnected(_ node: Int, _ connection: ConnectionID, _ turn: inout Turn) -> Bool {
        guard listeners[node].connected(connection, at: turn.now) else { return false }
        for place in contentions.watched { subscribe(place, node, &turn) }
        return true
    }

    mutating func listenerDisconnected(_ node: Int, _ connection: ConnectionID, _ turn: inout Turn) -> Bool {
        guard listeners[node].connection == connection else { return false }
        listeners[node].disconnected(at: turn.now, using: &turn.generator)
        forgetSubscriptions(node, &turn)
        return true
    }

    mutating func stopListening(_ node: Int, _ turn: inout Turn) {
        if let connection = listeners[node].connection {
            turn.directives.append(.stopListening(node: node, connection))
        }
        listeners[node].close(at: turn.now)
        forgetSubscriptions(node, &turn)
    }

    private mutating func forgetSubscriptions(_ node: Int, _ turn: inout Turn) {
        for place in contentions.watched { tell(.unsubscribed(node: node), at: place, &turn) }
    }

    var listenersDeadline: Instant {
        var deadline = listenersUnusedSince.map { $0 + Limits.listenerLinger } ?? .distantFuture
        for listener in listeners { deadline = min(deadline, listener.deadline) }
        return deadline
    }

    mutating func listenerTimer(_ turn: inout Turn) {
        if let since = listenersUnusedSince, since + Limits.listenerLinger <= turn.now {
            listenersUnusedSince = nil
            for node in listeners.indices { stopListening(node, &turn) }
        }
        for node in listeners.indices {
            switch listeners[node].onTimer(at: turn.now) {
            case .connect where contentions.watched.isEmpty: listeners[node].close(at: turn.now)
            case .connect: dialListener(node, &turn)
            case .giveUp(let connection):
                turn.directives.append(.stopListening(node: node, connection))
                _ = listenerDisconnected(node, connection, &turn)
            case nil: break
            }
        }
    }
}
