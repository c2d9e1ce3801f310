import RedlockCore

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
    /// Nodes that set its key.
    var setOn = NodeSet()
    /// Nodes that answered that they do not have it any more.
    var goneFrom = NodeSet()
    /// When it was over: refused, released, lost or died; -1 before.
    var endedAt: Int64 = -1
}
