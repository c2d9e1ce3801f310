package import RedlockCore

// What a node does with the library's commands, as Redis would.

extension SimulatedNode {
    /// Executes a command of the library, and says what it did.
    ///
    /// - Parameter subscribers: How many connections are subscribed to the key's channel.
    package mutating func execute(
        _ command: Command, attempt: Int32, connection: UInt32, subscribers: Int = 0, at time: Int64
    ) -> (reply: Reply, effect: Effect) {
        if let error = refusal(of: command) { return (.error(error), .nothing) }
        if command.operation == .readClock { return (wallClock(at: time), .nothing) }
        let resource = Self.resource(of: command.key)
        let current = live(resource, at: time)
        // Redis deletes an expired key when it comes by it: a clock that is set back later does not bring it back.
        if current == nil, keys[resource] != nil { forget(resource, at: time) }
        guard knows(command) else { return (Self.unknownScript, .nothing) }
        func entry(_ milliseconds: Int64) -> Entry {
            Entry(
                token: command.token, expiresAt: wall(at: time) + milliseconds, attempt: attempt,
                connection: connection, setAt: time)
        }
        switch command.operation {
        case .acquire(let milliseconds):
            return set(entry(milliseconds), resource, over: current, at: time) { _ in .null }
        case .contend(let milliseconds):
            if let error = memoryError { return (.error(error), .nothing) }
            let now = wall(at: time)
            return set(entry(milliseconds), resource, over: current, at: time) { .integer($0.expiresAt - now) }
        case .acquireFenced(let milliseconds, let number):
            return acquireFenced(entry(milliseconds), number: number, resource, over: current, at: time)
        case .raise(let number): return raise(command, to: number, resource, current, at: time)
        case .extend(let milliseconds): return extend(entry(milliseconds), resource, current, at: time)
        case .repair(let milliseconds): return repair(entry(milliseconds), resource, current, at: time)
        case .announce: return (.integer(Int64(subscribers)), .nothing)
        case .release:
            return release(command, resource, current, subscribers: subscribers, at: time)
        case .readClock, .look: preconditionFailure("answered elsewhere: it has no key")
        }
    }

    /// A script is known once its text was sent. A repair comes with its text each time, and the rest is no script.
    private mutating func knows(_ command: Command) -> Bool {
        func knows(_ script: inout Bool) -> Bool {
            if command.spelling == .source { script = true }
            return script
        }
        return switch command.operation {
        case .acquire, .repair, .announce, .readClock, .look: true
        case .contend: knows(&scripts.contend)
        case .acquireFenced: knows(&scripts.acquireFenced)
        case .raise: knows(&scripts.raise)
        case .extend: knows(&scripts.extend)
        case .release: knows(&scripts.release)
        }
    }

    private func wallClock(at time: Int64) -> Reply {
        let microseconds = clock.reading(at: time) / 1_000
        return .list([.text(String(microseconds / 1_000_000)), .text(String(microseconds % 1_000_000))])
    }

    private mutating func set(
        _ entry: Entry, _ resource: Int, over current: Entry?, at time: Int64, refusal: (Entry) -> Reply
    ) -> (reply: Reply, effect: Effect) {
        if let current {
            guard defects.setsOverOthers else { return (refusal(current), .nothing) }
            defects.activations += 1
        }
        note(resource, at: time)
        keys[resource] = entry
        return (.ok, .set(over: current))
    }

    private mutating func extend(
        _ entry: Entry, _ resource: Int, _ current: Entry?, at time: Int64
    ) -> (reply: Reply, effect: Effect) {
        guard let current else {
            guard defects.setsOnExtension else { return (.integer(0), .nothing) }
            defects.activations += 1
            note(resource, at: time)
            keys[resource] = entry
            return (.integer(1), .created)
        }
        if current.token != entry.token {
            guard defects.raisesWithoutCheck else { return (.integer(-1), .nothing) }
            defects.activations += 1
        }
        return raiseExpiry(of: current, to: entry.expiresAt, resource, at: time)
    }

    private mutating func repair(
        _ entry: Entry, _ resource: Int, _ current: Entry?, at time: Int64
    ) -> (reply: Reply, effect: Effect) {
        if let current, current.token == entry.token {
            return raiseExpiry(of: current, to: entry.expiresAt, resource, at: time)
        }
        if current != nil {
            guard defects.repairsOverOthers else { return (.integer(-1), .nothing) }
            defects.activations += 1
        }
        if let error = memoryError { return (.error(error), .nothing) }
        note(resource, at: time)
        keys[resource] = entry
        return (.integer(1), .set(over: current))
    }

    /// Never lowered.
    private mutating func raiseExpiry(
        of current: Entry, to expiresAt: Int64, _ resource: Int, at time: Int64
    ) -> (reply: Reply, effect: Effect) {
        guard current.expiresAt < expiresAt else { return (.integer(1), .nothing) }
        note(resource, at: time)
        keys[resource]!.expiresAt = expiresAt
        return (.integer(1), .raised(current))
    }

    private mutating func release(
        _ command: Command, _ resource: Int, _ current: Entry?, subscribers: Int, at time: Int64
    ) -> (reply: Reply, effect: Effect) {
        guard let current else { return (.integer(0), .nothing) }
        if current.token != command.token {
            guard defects.deletesWithoutCheck else { return (.integer(0), .nothing) }
            defects.activations += 1
        }
        forget(resource, at: time)
        return (.integer(Int64(1 + (command.notice == .nothing ? 0 : subscribers))), .deleted(current))
    }

    private static let readOnly = "READONLY You can't write against a read only replica."
    private static let outOfMemory = "OOM command not allowed when used memory > 'maxmemory'."
    private static let unknownScript = Reply.error("NOSCRIPT No matching script. Please use EVAL.")

    /// What an ailing server answers instead.
    private func refusal(of command: Command) -> String? {
        if isReplica, !command.key.isEmpty, command.operation != .announce { return Self.readOnly }
        if let error = errors.last, !Self.isOutOfMemory(error) { return error }
        // Without memory a script begins, and fails where it needs more.
        guard case .acquire = command.operation else { return nil }
        return memoryError
    }

    private static func isOutOfMemory(_ error: String) -> Bool { error.utf8.starts(with: "OOM".utf8) }

    /// What a command is answered that needs memory; nil if there is some.
    var memoryError: String? {
        if let error = errors.last, Self.isOutOfMemory(error) { return error }
        return isOutOfMemory ? Self.outOfMemory : nil
    }
}
