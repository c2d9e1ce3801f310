internal import RedlockSimulation

/// A lease as its holder believed in it, put together from what the holder reported. Times are those of
/// ``MachineClock``.
struct LiveHold: Sendable {
    /// A grant's name among all processes of a run.
    struct ID: Hashable, Sendable {
        let client: Int
        let epoch: Int
        let number: Int
    }

    let id: ID
    let worker: Int
    let resource: Int
    /// Read by the holder, after it was told.
    let grantedAt: Int64
    /// When the attempt that was granted began, or a little earlier.
    var beganAt: Int64
    /// Zero for none.
    let fencingToken: Int64
    var validUntil: Int64
    /// When the holder ceased to believe, if before `validUntil`.
    var closedAt = Int64.max
    var closing = "its end came"
    /// The number of the attempt whose token it is; -1 when that is not known.
    var attempt: Int32 = -1
    /// Found invalid by its holder.
    var refusedAt = Int64.max

    var end: Int64 { min(validUntil, closedAt) }
    var isEmpty: Bool { end <= grantedAt }

    mutating func close(at time: Int64, _ reason: String) {
        guard time < closedAt else { return }
        closedAt = time
        if time < validUntil { closing = reason }
    }
}

/// An attempt, as the wire showed it: a token that had not been seen before.
struct LiveAttempt: Sendable {
    let token: String
    let client: Int
    let resource: Int
    let at: Int64
}

/// A write to the protected resource.
struct LiveWrite: Sendable {
    let hold: Int
    let checkedAt: Int64
    let plannedAt: Int64
    let sentAt: Int64
}
