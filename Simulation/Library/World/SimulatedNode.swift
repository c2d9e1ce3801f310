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
        /// Over which connection, and when; never for what no release can be held to: what a restart or a replica
        /// brought back, and what arrived over a connection that its client had given up.
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
        /// Numbers expire four weeks after they were accepted, by the node's clock.
        var expiresNumbers = false
        /// Old numbers are deleted, and the floor stays where it is.
        var forgetsWithoutFloor = false
        var tellsNobody = false
        /// How often one of them made a difference.
        var activations = 0
    }

    struct KnownScripts: Sendable {
        var release = false
        var extend = false
        var acquireFenced = false
        var raise = false
        var contend = false
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
    /// The fencing number that was accepted last for each resource; zero for none.
    package internal(set) var numbers: [Int64]
    /// What takes the place of a number that is not there: at or above all that were deleted.
    package internal(set) var floor: Int64 = 0
    /// What the wall clock read when each number was accepted, in milliseconds; for one defect.
    var numberedAt: [Int64]
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
    /// How it keeps its keys, and how it did when it last stopped.
    var persistence = WorldOptions.Persistence.aofAlways
    var persistenceAtStop = WorldOptions.Persistence.aofAlways
    /// When the log that was switched on last is written; it may be a moment to come.
    var logReadyAt = -Clock.never
    /// When its log was switched off; what was written since is not in it.
    var logEndedAt = -Clock.never
    /// Since when what it grants may be lost, or what it has is another's.
    var unsafeSince = -Clock.never
    /// The same when it last stopped.
    var unsafeSinceAtStop = -Clock.never
    /// It takes no writes.
    var isReplica = false
    /// A replica took its place since it was started, and is a primary.
    var wasPromoted = false
    /// How many faults keep it from saying what it is.
    var silences = 0
    /// The scripts that it has been sent since it was started.
    var scripts = KnownScripts()
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
    /// How it is short of memory, the last one counts; and whether it is for the command at hand.
    var shortages: [(policy: Fault.EvictionPolicy, perMille: Int64)] = []
    var isOutOfMemory = false
    var memoryRandom = Randomness(seed: 0, .node)
    /// What is wrong with its answers to INFO, the last one counts; and how many were wrong.
    var greetingDefects: [(defect: Fault.GreetingDefect, amount: Int64)] = []
    var wrongGreetings = 0
    var defects = Defects()

    /// What each change replaced, oldest first; kept only where something may ask for the past.
    private var journal: [(time: Int64, resource: Int32, before: Entry?, number: Int64, floor: Int64)] = []
    private let keepsJournal: Bool

    package init(clock: Clock, resources: Int, keepsJournal: Bool = false) {
        self.clock = clock
        self.keepsJournal = keepsJournal
        startReading = clock.reading(at: 0) - Self.longAgo
        keys = Array(repeating: nil, count: resources)
        numbers = Array(repeating: 0, count: resources)
        numberedAt = Array(repeating: 0, count: resources)
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

// MARK: - What survives

extension SimulatedNode {
    /// To be called before every change of a key: notes what it was, for disks and replicas that are behind.
    mutating func note(_ resource: Int, at time: Int64) {
        if keepsJournal { journal.append((time, Int32(resource), keys[resource], numbers[resource], floor)) }
    }

    /// The keys as they were at an earlier moment; deletions since then are undone too.
    mutating func restore(asOf moment: Int64) {
        while let last = journal.last, last.time > moment {
            keys[Int(last.resource)] = last.before
            numbers[Int(last.resource)] = last.number
            floor = last.floor
            disown(Int(last.resource))
            journal.removeLast()
        }
    }

    /// Whether it can say that every write is on the disk: a log that is being written for the first time is none.
    func keepsEveryWrite(at time: Int64) -> Bool { persistence == .aofAlways && logReadyAt <= time }

    /// What a start finds on the disk.
    enum Memory: Sendable {
        case whole
        case asOf(Int64)
        case nothing
    }

    func memory(losingPower: Bool, snapshotPeriod: Int64) -> Memory {
        func asOf(every period: Int64) -> Memory { .asOf(stoppedAt / period * period) }
        switch (persistence, persistenceAtStop) {
        case (.none, _): return .nothing
        case (.snapshot, _): return asOf(every: snapshotPeriod)
        case (_, .aofAlways): return .whole
        // A process that dies has handed its log to the kernel; power takes what was not synced.
        case (_, .aofEverySecond): return losingPower ? asOf(every: WorldOptions.milliseconds(1_000)) : .whole
        case (_, .snapshot), (_, .none): return logEndedAt >= 0 ? .asOf(logEndedAt) : .nothing
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
        floor = 0
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

    mutating func forgetScripts() { scripts = KnownScripts() }
}
