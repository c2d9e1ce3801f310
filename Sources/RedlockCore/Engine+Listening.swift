// Hearing of releases: one more connection a node, while somebody waits, and the channels of what is waited for.

// MARK: - Watches

extension Engine {
    /// From here on, what others say about this resource is heard.
    mutating func beginWatch(_ place: Int, _ turn: inout Turn) {
        guard lines[place].watch == nil, lines.watched.count < Limits.watchedResources, !isShuttingDown else { return }
        lines.beginWatch(place, nodes: sessions.count)
        if let front = lines[place].front, locks[front].hasBegun {
            let attempt = locks[front].attempt
            for node in attempt.ballot.locked {
                lines[place].watch!.forecast.voted(
                    .granted, of: node, remaining: nil, askedAt: attempt.start, at: turn.now)
            }
        }
        listenersUnusedSince = nil
        for node in listeners.indices {
            if listeners[node].isReady { subscribe(place, node, &turn) } else { listen(node, &turn) }
        }
    }

    mutating func endWatch(_ place: Int, _ turn: inout Turn) {
        guard let watch = lines[place].watch else { return }
        for node in watch.asked where listeners[node].isReady {
            turn.directives.append(.unsubscribe(key: lines[place].key.bytes, node: node))
        }
        lines.endWatch(place)
        if lines.watched.isEmpty { listenersUnusedSince = turn.now }
    }

    private mutating func subscribe(_ place: Int, _ node: Int, _ turn: inout Turn) {
        guard !listeners[node].isDenied else { return }
        lines[place].watch!.asked.insert(node)
        listeners[node].subscribes(to: lines.id(of: place))
        turn.directives.append(.subscribe(key: lines[place].key.bytes, node: node))
    }
}

// MARK: - Messages

extension Engine {
    mutating func pushed(_ node: Int, _ connection: ConnectionID, _ push: Push, _ turn: inout Turn) {
        guard listeners[node].phase == .ready(connection) else { return }
        switch push {
        case .message(let channel, let payload):
            guard let key = Channel.key(of: channel), let place = lines.place(of: key),
                let message = Channel.Message(payload)
            else { return }
            if message == .released { lines[place].watch?.arbiter = node }
            lines[place].learn(at: turn.now, quorum: policy.quorum) { forecast in
                switch message {
                case .released: forecast.releasedEverywhere(at: turn.now)
                case .free: forecast.released(node, at: turn.now)
                case .taken(let time): forecast.taken(node, for: time, at: turn.now)
                }
            }
            reconsider(place, &turn)
        case .subscribed:
            guard let place = lines.place(of: listeners[node].answered()), lines[place].watch != nil else { return }
            subscribed(place, node, &turn)
        case .unsubscribed:
            break
        case .refused(let text):
            if let place = lines.place(of: listeners[node].refused()) { lines[place].watch?.asked.remove(node) }
            reportDenied(node, text, &turn)
        }
    }

    private mutating func subscribed(_ place: Int, _ node: Int, _ turn: inout Turn) {
        lines[place].watch!.confirmed.insert(node)
        let confirmed = lines[place].watch!.confirmed.count
        guard policy.rules.checksAgain(confirmed: confirmed, quorum: policy.quorum) else { return }
        lines[place].watch!.isUnchecked = true
        // What is free is tried in its turn anyway. A round trip, so that one attempt will do for those that confirm at
        // about the same time.
        if !lines[place].isFree(at: turn.now, quorum: policy.quorum) {
            let check = confirmed == sessions.count ? turn.now : turn.now + roundTrip
            lines[place].latest = min(lines[place].latest, check)
        }
        reconsider(place, &turn)
    }

    /// What a vote says of a node, for when to try next.
    mutating func learn(
        _ vote: Vote, of node: Int, _ slot: Int, number: UInt32, remaining: Nanoseconds?, at now: Instant
    ) {
        // Nobody waits for anything: the line, which may be far away, need not be looked at.
        guard !lines.watched.isEmpty else { return }
        guard let place = lines.place(of: locks.queuing(slot).line), lines[place].front == slot, lines[place].watch != nil
        else { return }
        let machine = locks[slot]
        guard machine.attempt.number == number, machine.phase != .held else { return }
        lines[place].learn(at: now, quorum: policy.quorum) {
            $0.voted(vote, of: node, remaining: remaining, askedAt: machine.attempt.askedAt, at: now)
        }
        // One that does not answer says nothing of who has the resource.
        if case .failed = vote, lines[place].watch!.arbiter == node { lines[place].watch!.arbiter = nil }
        // A vote that came after the decision changes when to try next; nobody begins an attempt in the middle of one.
        guard case .waiting = machine.phase else { return }
        locks[slot].wait(until: lines[place].nextAttempt(quorum: policy.quorum))
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
        guard !lines.watched.isEmpty, case .ready = sessions[node].phase, sessions[node].twin == nil,
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
        for place in lines.watched { subscribe(place, node, &turn) }
        return true
    }

    mutating func listenerDisconnected(_ node: Int, _ connection: ConnectionID, _ turn: inout Turn) -> Bool {
        guard listeners[node].connection == connection else { return false }
        listeners[node].disconnected(at: turn.now, using: &turn.generator)
        forgetSubscriptions(node)
        return true
    }

    mutating func stopListening(_ node: Int, _ turn: inout Turn) {
        if let connection = listeners[node].connection {
            turn.directives.append(.stopListening(node: node, connection))
        }
        listeners[node].close(at: turn.now)
        forgetSubscriptions(node)
    }

    private mutating func forgetSubscriptions(_ node: Int) {
        for place in lines.watched {
            lines[place].watch!.asked.remove(node)
            lines[place].watch!.confirmed.remove(node)
        }
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
            case .connect where lines.watched.isEmpty: listeners[node].close(at: turn.now)
            case .connect: dialListener(node, &turn)
            case .giveUp(let connection):
                turn.directives.append(.stopListening(node: node, connection))
                _ = listenerDisconnected(node, connection, &turn)
            case nil: break
            }
        }
    }
}
