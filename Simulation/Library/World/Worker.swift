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
    /// Time may have passed that its clock did not count: the lease is not valid until a quorum has extended it.
    var isInDoubt = false
    /// What its clock read when the attempt was sent first, and attempts of the request so far.
    var attemptStart = Instant(nanoseconds: 0)
    var attemptsMade = 0
    /// It looks at the clock before it works, and has done so.
    var hasBody = false
    var hasBegun = false
    /// It found its lease over before it began, and asks again until this instant.
    var asksAgainUntil: Instant?
    /// Its last extension failed.
    var isFailing = false
    /// It entered its phase at this moment.
    var since: Int64 = 0
    /// Extensions that it waits for.
    var extensionsPending = 0
    var releaseAsked: Int64 = 0
    var writesPending = 0
}
