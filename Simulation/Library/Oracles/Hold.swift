import RedlockCore

/// A lease, as its holder believes in it: from the grant to the first of its release, its loss, and its end.
struct Hold: Sendable {
    let worker: Int
    let client: Int
    let resource: Int
    let attempt: Int32
    let token: Token
    let fencingToken: Int64?
    let grantedAt: Int64
    /// Requests made until then, of all the run.
    let ticketsAtGrant: UInt64
    /// Attempts after the first of those who wait, so far.
    var attemptsOfOthers: Int64 = 0
    /// On the holder's clock.
    var validUntil: Instant
    /// The same in true time.
    var end: Int64
    var isOpen = true
    var closedAt: Int64 = -1
    /// Closed because its end came, not by the holder.
    var hasLapsed = false
    /// Closed because it was in doubt; an extension that a quorum grants opens it again.
    var isInDoubt = false
}
