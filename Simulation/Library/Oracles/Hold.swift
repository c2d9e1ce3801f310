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
    /// On the holder's clock.
    var validUntil: Instant
    /// The same in true time.
    var end: Int64
    var isOpen = true
    var closedAt: Int64 = -1
    /// Closed because its end came, not by the holder.
    var hasLapsed = false
}
