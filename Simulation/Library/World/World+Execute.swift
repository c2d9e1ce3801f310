import RedlockCore

// A command reaches a node: executed there, and judged for whose key it touched.

extension World {
    mutating func execute(_ command: Command, _ attempt: Int32, _ slot: Int) -> Reply {
        let node = connections[slot].node
        makeRoom(node)
        let (reply, effect) = nodes[node].execute(
            command, attempt: attempt, connection: connections[slot].serial,
            subscribers: command.isRelease
                ? subscribers(to: SimulatedNode.resource(of: command.key), on: node).count : 0, at: now)
        publish(command, effect, from: slot)
        if nodes[node].serviceTime > 0 { nodes[node].busyUntil = now + nodes[node].serviceTime }
        note(UInt64(truncatingIfNeeded: reply.code), UInt64(node) << 32 | UInt64(UInt32(bitPattern: attempt)))
        noteExtension(command, reply, attempt, node)
        switch effect {
        case .nothing: noteError(reply, node)
        default:
            nodes[node].busyUntil += nodes[node].fsyncTime
            if nodes[node].fsyncTime > 0 {
                nodes[node].busyUntil = max(nodes[node].busyUntil, now + nodes[node].fsyncTime)
            }
            judge(effect, of: command, attempt, node, slot)
        }
        if isTracing, !command.key.isEmpty {
            let resource = SimulatedNode.resource(of: command.key)
            trace.append(
                TraceRecord(
                    .execute, at: now, client: connections[slot].client, node: node, resource: resource,
                    attempt: attempt, text: "\(command.words) → \(reply.words)"))
            if case .nothing = effect {} else { recordKey(node, resource) }
        }
        return reply
    }

    private mutating func noteError(_ reply: Reply, _ node: Int) {
        guard case .error(let text) = reply else { return }
        if text.utf8.starts(with: "NOSCRIPT".utf8) {
            mark(.unknownScript)
        } else {
            mark(.errorReply)
            lastErrorAt[node] = now
        }
    }

    private mutating func judge(
        _ effect: SimulatedNode.Effect, of command: Command, _ attempt: Int32, _ node: Int, _ slot: Int
    ) {
        switch effect {
        case .nothing: break
        case .set(let over):
            if let over {
                violate(.ownership, "SET of \(name(attempt)) replaced the key of \(name(over.attempt)) on node \(node)")
            }
            if attempt >= 0 {
                attempts[Int(attempt)].setOn.insert(node)
                attempts[Int(attempt)].goneFrom.remove(node)
            }
            if attempt >= 0, attempts[Int(attempt)].endedAt >= 0 { mark(.lateSetAfterRelease) }
            if case .repair = command.operation { mark(.repaired) }
            if connections[slot].isClosedByClient {
                mark(.setOnOldConnection)
                nodes[node].disown(SimulatedNode.resource(of: command.key))
            }
        case .created:
            violate(.ownership, "an extension of \(name(attempt)) set a key that was not there on node \(node)")
        case .raised(let entry):
            if entry.token != command.token {
                violate(
                    .ownership, "\(name(attempt)) raised the expiry of \(name(entry.attempt))'s key on node \(node)")
            }
        case .numbered(let owner):
            if owner?.token != command.token {
                violate(
                    .ownership,
                    "\(name(attempt)) raised the number of a lock on node \(node) that it did not have there")
            }
        case .deleted(let entry):
            if entry.token != command.token {
                violate(
                    .ownership,
                    "a release of \(name(attempt)) deleted the key of \(name(entry.attempt)) on node \(node)")
            }
        }
    }

    /// An attempt as reports name it.
    func name(_ attempt: Int32) -> String {
        guard attempt >= 0 else { return "an unknown attempt" }
        let record = attempts[Int(attempt)]
        return "client \(record.client) (attempt #\(attempt))"
    }

    mutating func recordKey(_ node: Int, _ resource: Int) {
        let entry = nodes[node].live(resource, at: now)
        let until = entry.map { nodes[node].clock.time(of: ($0.expiresAt + 1) * 1_000_000) }
        trace.append(
            TraceRecord(
                .key, at: now, node: node, resource: resource, attempt: entry?.attempt ?? -1, value: until ?? -1))
    }
}

extension Reply {
    /// The key was set.
    var isGrant: Bool {
        switch self {
        case .ok, .pair(1, _), .pair(2, _): true
        default: false
        }
    }

    /// For the hash of a run.
    fileprivate var code: Int64 {
        switch self {
        case .ok: -10
        case .null: -11
        case .integer(let number): number
        case .pair(let one, let other): one &* 31 &+ other
        case .text(let text): Int64(text) ?? -14
        case .list(let replies): replies.reduce(-15) { $0 &* 31 &+ $1.code }
        case .error: -12
        case .push: -14
        case .unexpected: -13
        }
    }

    var words: String {
        switch self {
        case .ok: "OK"
        case .null: "nil"
        case .integer(let number): String(number)
        case .pair(let one, let other): "[\(one), \(other)]"
        case .text(let text): text
        case .list(let replies): replies.map(\.words).joined(separator: " ")
        case .error(let text): text
        case .push(let push): push.words
        case .unexpected(let text): text
        }
    }
}

extension Command {
    /// The ttl that an acquire asks for, with a number or without; nil for the others.
    var acquiredMilliseconds: Int64? {
        switch operation {
        case .acquire(let milliseconds), .contend(let milliseconds), .acquireFenced(let milliseconds, _): milliseconds
        case .extend, .raise, .repair, .release, .announce, .readClock, .look: nil
        }
    }

    var words: String {
        switch operation {
        case .acquire(let milliseconds): "SET NX PX \(milliseconds)"
        case .acquireFenced(let milliseconds, let number): "SET NX PX \(milliseconds), number \(number)"
        case .raise(let number): "raise the number to \(number)"
        case .contend(let milliseconds): "contend \(milliseconds)\(notice == .nothing ? " quietly" : "")"
        case .extend(let milliseconds): "extend \(milliseconds)"
        case .repair(let milliseconds): "repair \(milliseconds)"
        case .release:
            switch notice {
            case .nothing: "release quietly"
            case .count: "release and count"
            case .node: "release"
            case .everywhere: "release and tell"
            }
        case .announce: "tell of a release"
        case .readClock: "TIME"
        case .look: "INFO"
        }
    }
}
