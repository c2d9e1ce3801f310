package import RedlockCore

/// One Redis server: keys with expiry by its own wall clock, scripts, and what survives a restart.
package struct SimulatedNode: Sendable {
    /// A key, as Redis has it: the token is its value.
    package struct Entry: Sendable {
        package var token: Token
        /// Milliseconds on the node's wall clock; gone when the clock reads more.
        package var expiresAt: Int64
        /// Which attempt set it, of all attempts of the run.
        package var attempt: Int32
        /// Over which connection, and when; never for what no release can be held to: what a restart or a replica brought
        /// back, and what arrived over a connection that its client had given up.
        var connection: UInt32
        var setAt: Int64
    }

    enum Power: Sendable {
        case up
        /// The process is gone; the machine refuses connections.
        case down
        /// The machine is gone; nobody answers.
        case dark
    }

    /// How this node differs from Redis, for the mutants that live on the server's side.
    struct Defects: Sendable {
        var deletesWithoutCheck = false
        var setsOverOthers = false
        var raisesWithoutCheck = false
        var setsOnExtension = false
        var repairsOverOthers = false
        var countsGrants = false
        var acceptsLowerNumbers = false
        var raisesNumbersWithoutCheck = false
        var tellsNobody = false
        /// How often one of them made a difference.
        var activations = 0
    }

    /// What a command did to the key, for the oracles.
    package enum Effect: Sendable {
        case nothing
        case set(over: Entry?)
        case raised(Entry)
        case created
        case deleted(Entry)
        /// A number was raised while the key was this one's.
        case numbered(owner: Entry?)
    }

    package var clock: Clock
    package internal(set) var keys: [Entry?]
    /// The highest fencing number that was accepted for each resource; zero for none.
    package internal(set) var numbers: [Int64]
    var power = Power.up
    /// How many faults hold it still.
    var pauses = 0
    /// Counts restarts: a connection does not outlive one.
    var incarnation: UInt32 = 0
    /// What its wall clock read when the process was started: long ago.
    private(set) var startReading: Int64
    private(set) var beganAt = -Clock.never
    /// When it last lost what it had granted, or stopped without it being sure that it had not; never before the run.
    var forgotAt = -Clock.never
    var knowsRelease = false
    var knowsExtend = false
    var knowsAcquireFenced = false
    var knowsRaise = false
    var knowsContend = false
    /// When each key was last gone: deleted, or expired.
    private(set) var freedAt: [Int64]
    /// What every command takes, and every write, beyond the usual.
    var serviceTime: Int64 = 0
    var fsyncTime: Int64 = 0
    var busyUntil: Int64 = 0
    var stoppedAt: Int64 = 0
    /// How many faults keep it from running at all.
    var stops = 0
    var errors: [String] = []
    var defects = Defects()

    /// What each change replaced, oldest first; kept only where something may ask for the past.
    private var journal: [(time: Int64, resource: Int32, before: Entry?, number: Int64)] = []
    private let keepsJournal: Bool

    package init(clock: Clock, resources: Int, keepsJournal: Bool = false) {
        self.clock = clock
        self.keepsJournal = keepsJournal
        startReading = clock.reading(at: 0) - Self.longAgo
        keys = Array(repeating: nil, count: resources)
        numbers = Array(repeating: 0, count: resources)
        freedAt = Array(repeating: 0, count: resources)
    }

    private static let longAgo = WorldOptions.milliseconds(10 * 86_400_000)

    /// The process starts at this moment; or, as a replica that takes over, has been running for long.
    mutating func began(at time: Int64, longAgo isOld: Bool = false) {
        startReading = clock.reading(at: time) - (isOld ? Self.longAgo : 0)
        beganAt = time
    }

    /// What Redis reports: a difference of two readings of its wall clock, each in whole seconds.
    func uptime(at time: Int64) -> Nanoseconds {
        let second = WorldOptions.milliseconds(1_000)
        return .seconds(clock.reading(at: time) / second - startReading / second)
    }

    /// Keys are single letters, one a resource: the first is `a`.
    package static func key(of resource: Int) -> [UInt8] { [UInt8(ascii: "a") + UInt8(resource)] }
    package static func resource(of key: [UInt8]) -> Int { Int(key[0] - UInt8(ascii: "a")) }

    private static let nanosecondsPerMillisecond: Int64 = 1_000_000

    /// The node's wall clock in whole milliseconds, as Redis reads it.
    @inline(__always)
    package func wall(at time: Int64) -> Int64 {
        clock.reading(at: time) / Self.nanosecondsPerMillisecond
    }

    /// The key's entry, unless it has expired: Redis' `keyIsExpired` asks for a clock past the expiry, not at it.
    @inline(__always)
    package func live(_ resource: Int, at time: Int64) -> Entry? {
        guard let entry = keys[resource], wall(at: time) <= entry.expiresAt else { return nil }
        return entry
    }
}

// MARK: - Commands

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
        switch command.operation {
        case .acquire(let milliseconds), .contend(let milliseconds):
            if case .contend = command.operation, !Self.knows(&knowsContend, command) {
                return (Self.unknownScript, .nothing)
            }
            if let current {
                guard defects.setsOverOthers else {
                    if case .acquire = command.operation { return (.null, .nothing) }
                    return (.integer(current.expiresAt - wall(at: time)), .nothing)
                }
                defects.activations += 1
            }
            note(resource, at: time)
            keys[resource] = Entry(
                token: command.token, expiresAt: wall(at: time) + milliseconds, attempt: attempt,
                connection: connection, setAt: time)
            return (.ok, .set(over: current))
        case .acquireFenced(let milliseconds, let number):
            guard Self.knows(&knowsAcquireFenced, command) else { return (Self.unknownScript, .nothing) }
            let entry = Entry(
                token: command.token, expiresAt: wall(at: time) + milliseconds, attempt: attempt,
                connection: connection, setAt: time)
            return acquireFenced(entry, number: number, resource, over: current, at: time)
        case .raise(let number):
            guard Self.knows(&knowsRaise, command) else { return (Self.unknownScript, .nothing) }
            return raise(command, to: number, resource, current, at: time)
        case .extend(let milliseconds):
            guard Self.knows(&knowsExtend, command) else { return (Self.unknownScript, .nothing) }
            return extend(command, milliseconds, resource, current, attempt, connection, at: time)
        case .repair(let milliseconds):
            return repair(command, milliseconds, resource, current, attempt, connection, at: time)
        case .release, .releaseQuietly:
            guard Self.knows(&knowsRelease, command) else { return (Self.unknownScript, .nothing) }
            guard let current else { return (.integer(0), .nothing) }
            if current.token != command.token {
                guard defects.deletesWithoutCheck else { return (.integer(0), .nothing) }
                defects.activations += 1
            }
            forget(resource, at: time)
            return (.integer(Int64(1 + subscribers)), .deleted(current))
        case .readClock: preconditionFailure("answered above: it has no key")
        }
    }

    private func wallClock(at time: Int64) -> Reply {
        let microseconds = clock.reading(at: time) / 1_000
        return .list([.text(String(microseconds / 1_000_000)), .text(String(microseconds % 1_000_000))])
    }

    private mutating func extend(
        _ command: Command, _ milliseconds: Int64, _ resource: Int, _ current: Entry?, _ attempt: Int32,
        _ connection: UInt32, at time: Int64
    ) -> (reply: Reply, effect: Effect) {
        guard let current else {
            guard defects.setsOnExtension else { return (.integer(0), .nothing) }
            defects.activations += 1
            note(resource, at: time)
            keys[resource] = Entry(
                token: command.token, expiresAt: wall(at: time) + milliseconds, attempt: attempt,
                connection: connection, setAt: time)
            return (.integer(1), .created)
        }
        if current.token != command.token {
            guard defects.raisesWithoutCheck else { return (.integer(-1), .nothing) }
            defects.activations += 1
        }
        let expiresAt = wall(at: time) + milliseconds
        guard current.expiresAt < expiresAt else { return (.integer(1), .nothing) }
        note(resource, at: time)
        keys[resource]!.expiresAt = expiresAt
        return (.integer(1), .raised(current))
    }

    private mutating func repair(
        _ command: Command, _ milliseconds: Int64, _ resource: Int, _ current: Entry?, _ attempt: Int32,
        _ connection: UInt32, at time: Int64
    ) -> (reply: Reply, effect: Effect) {
        let expiresAt = wall(at: time) + milliseconds
        if let current, current.token == command.token {
            guard current.expiresAt < expiresAt else { return (.integer(1), .nothing) }
            note(resource, at: time)
            keys[resource]!.expiresAt = expiresAt
            return (.integer(1), .raised(current))
        }
        if current != nil {
            guard defects.repairsOverOthers else { return (.integer(-1), .nothing) }
            defects.activations += 1
        }
        // Without memory a script begins, and fails where it needs more.
        if let error = errors.last { return (.error(error), .nothing) }
        note(resource, at: time)
        keys[resource] = Entry(
            token: command.token, expiresAt: expiresAt, attempt: attempt, connection: connection, setAt: time)
        return (.integer(1), .set(over: current))
    }

    static let unknownScript = Reply.error("NOSCRIPT No matching script. Please use EVAL.")

    private static func knows(_ script: inout Bool, _ command: Command) -> Bool {
        if command.spelling == .source { script = true }
        return script
    }

    /// What an ailing server answers instead.
    private func refusal(of command: Command) -> String? {
        guard let error = errors.last else { return nil }
        // Without memory only what needs more is refused; the scripts delete and touch.
        guard error.utf8.starts(with: "OOM".utf8) else { return error }
        switch command.operation {
        case .acquire, .contend, .acquireFenced, .raise: return error
        case .extend, .repair, .release, .releaseQuietly, .readClock: return nil
        }
    }
}

// MARK: - What survives

extension SimulatedNode {
    /// To be called before every change of a key: notes what it was, for disks and replicas that are behind.
    mutating func note(_ resource: Int, at time: Int64) {
        if keepsJournal { journal.append((time, Int32(resource), keys[resource], numbers[resource])) }
    }

    /// The keys as they were at an earlier moment; deletions since then are undone too.
    mutating func restore(asOf moment: Int64) {
        while let last = journal.last, last.time > moment {
            keys[Int(last.resource)] = last.before
            numbers[Int(last.resource)] = last.number
            disown(Int(last.resource))
            journal.removeLast()
        }
    }

    mutating func forget(_ resource: Int, at time: Int64) {
        note(resource, at: time)
        freedAt[resource] = freeSince(resource, at: time) ?? time
        keys[resource] = nil
    }

    /// Since when the key is not there; nil while it is.
    func freeSince(_ resource: Int, at time: Int64) -> Int64? {
        guard let entry = keys[resource] else { return freedAt[resource] }
        return wall(at: time) <= entry.expiresAt
            ? nil : clock.time(of: (entry.expiresAt + 1) * Self.nanosecondsPerMillisecond)
    }

    mutating func disown(_ resource: Int) {
        keys[resource]?.connection = 0
        keys[resource]?.setAt = Clock.never
    }

    mutating func forgetAll(at time: Int64) {
        for resource in keys.indices { forgetWithNumber(resource, at: time) }
    }

    mutating func forgetWithNumber(_ resource: Int, at time: Int64) {
        forget(resource, at: time)
        numbers[resource] = 0
    }

    /// Redis looks for expired keys ten times a second: those that expired before that are gone for good.
    mutating func sweepExpired(at time: Int64) {
        for resource in keys.indices {
            guard let entry = keys[resource], wall(at: time) > entry.expiresAt + Self.sweepMilliseconds else {
                continue
            }
            forget(resource, at: time)
        }
    }

    private static let sweepMilliseconds: Int64 = 100

    mutating func forgetScripts() {
        knowsRelease = false
        knowsExtend = false
        knowsAcquireFenced = false
        knowsRaise = false
        knowsContend = false
    }
}
