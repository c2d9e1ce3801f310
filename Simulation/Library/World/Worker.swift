import RedlockCore

/// A task in a client's process: locks, works, writes, extends, unlocks, thinks, and starts again.
struct Worker: Sendable {
    enum Phase: Sendable {
        case thinking
        case acquiring
        case held
        case releasing
        /// Its process is down.
        case gone
    }

    let client: Int
    var phase = Phase.thinking
    var resource = 0
    var lock: LockID?
    /// Numbers its steps: a step that was planned for an earlier state is void.
    var step: UInt32 = 0
    var request: AcquireRequest?
    /// Requests so far; the answers are counted against them.
    var requests: UInt32 = 0
    /// Numbers requests in the order in which they were made.
    var ticket: UInt64 = 0
    /// The attempt that is being voted on, or that holds.
    var attempt: Int32 = -1
    /// The same, counted within the request.
    var attemptNumber = 0
    /// Its open belief, of all of the run.
    var hold = -1
    /// When it means to release.
    var holdUntil: Int64 = 0
    /// The lease as its holder sees it.
    var validUntil = Instant(nanoseconds: 0)
    var isLost = false
    /// Its last extension failed.
    var isFailing = false
    /// It entered its phase at this moment.
    var since: Int64 = 0
    /// Extensions that it waits for.
    var extensionsPending = 0
    var releaseAsked: Int64 = 0
    var writesPending = 0
}

/// A process with an engine; what the engine itself does not know about it.
struct SimulatedClient: Sendable {
    /// Monotonic, and counts suspend.
    var clock: Clock
    var wall: Clock
    /// How many faults hold it still.
    var pauses = 0
    var isDown = false
    /// Told to shut down, and not made anew yet.
    var isShuttingDown = false
    /// Counts its lives.
    var epoch = 0
    /// What its clock had to wait for: when it wakes.
    var deferred: [EventQueue.Item] = []
    var timerIsDue = false
    /// The moment for which a timer is set, and its number.
    var timerAt = Clock.never
    var timerNumber: UInt32 = 0
    /// Worlds' node numbers in the order of the client's own list.
    var view: [Int]

    var isRunning: Bool { pauses == 0 && !isDown }
}

/// One attempt of one request: the token that went out, and what became of it.
struct AttemptRecord: Sendable {
    let token: Token
    let client: Int
    let worker: Int
    let resource: Int
    let start: Int64
    let ttl: Int64
    let epoch: Int
    /// Where the keys end that it asked for last, on its client's clock.
    var keysUntil: Instant
    /// When it was over: refused, released, lost or died; -1 before.
    var endedAt: Int64 = -1
}
