/// What happens to an engine. The shell brings it, with the time.
package enum Event: Sendable {
    /// Dial the nodes.
    case start
    case acquire(LockID, AcquireRequest)
    /// Make the lease valid for this ttl from now.
    case extend(LockID, ExtensionID, ttl: Nanoseconds)
    /// The holder is done; said twice, the second is quiet.
    case release(LockID)
    /// The caller of acquire does not wait any longer. Without effect once it has its answer.
    case cancel(LockID)
    /// Dialled, authenticated and greeted.
    case connected(node: Int, ConnectionID, Greeting)
    /// It answered a part of the greeting with an error, which may be why the rest is never answered.
    case complained(node: Int, ConnectionID, String)
    /// The connection ended, or could not be made.
    case disconnected(node: Int, ConnectionID, reason: String, kind: Outage = .unreachable)
    /// The answers to the oldest unanswered commands on this connection, as many as have come together.
    case replies(node: Int, ConnectionID, [Reply])
    /// Something came over a subscription connection.
    case pushed(node: Int, ConnectionID, Push)
    /// ``Engine/nextDeadline`` has come.
    case timer
    /// Refuse who waits, tell who holds, close when all is released or over.
    case shutdown
}

/// What an engine wants done, in this order.
package enum Directive: Sendable {
    case connect(node: Int, ConnectionID)
    /// Close the connection. Bytes that have not left this machine are dropped if asked for: sent later, they could
    /// set again what the next connection is told to release.
    case disconnect(node: Int, ConnectionID, discardUnsent: Bool)
    /// Send to these nodes now. The round is over when all that are awaited have left it.
    case broadcast(Command, to: NodeSet, round: RoundID, awaiting: NodeSet)
    case send(Command, to: Int)
    /// Dial another connection, for subscriptions.
    case listen(node: Int, ConnectionID)
    case stopListening(node: Int, ConnectionID)
    /// On the subscription connection, the channel of this key.
    case subscribe(key: [UInt8], node: Int)
    case unsubscribe(key: [UInt8], node: Int)
    /// These nodes' parts in rounds are over: they answered, failed or took too long.
    case leave([Departure])
    case answer(Answer)
    case report(Report)
    /// Shut down: nothing will follow.
    case closed
}

/// One node's part in one round is over.
package struct Departure: Sendable {
    package var round: RoundID
    package var node: Int
}

/// What a caller is told.
package enum Answer: Sendable {
    case granted(LockID, Grant)
    case refused(LockID, Refusal)
    /// Extended; no callers when the lease extended itself.
    case extended(LockID, validUntil: Instant, callers: [ExtensionID])
    case notExtended(LockID, ExtensionRefusal, callers: [ExtensionID])
    /// The lease is valid, and its loss has become likely: told once, until it is not.
    case atRisk(LockID, RiskReport)
    case recovered(LockID, validUntil: Instant)
    /// The client's wall clock gained on its boot clock, and the lease is checked again. Until it is extended or lost, it
    /// is valid until this instant only, which may have come.
    case doubted(LockID, validUntil: Instant)
    case lost(LockID, Loss)
    /// A quorum confirmed, or all had their say. The lock's number is free.
    case released(LockID)
}

/// What an observer may want to know. Decisions never depend on it.
package enum Report: Sendable {
    case attempt(LockID, number: Int)
    case vote(LockID, node: Int, Vote)
    /// A fencing number was too low; this one is offered to these nodes.
    case raised(LockID, number: Int64, nodes: NodeSet)
    case refused(LockID, Refusal, retryAt: Instant?)
    case granted(LockID, Grant)
    case extended(LockID, validUntil: Instant, votes: [Vote])
    case notExtended(LockID, ExtensionRefusal)
    case repaired(LockID, node: Int)
    case atRisk(LockID, RiskReport)
    case recovered(LockID, validUntil: Instant)
    case lost(LockID, Loss)
    case released(LockID)
    case connected(node: Int)
    /// Once for each outage, and each kind of it.
    case disconnected(node: Int, reason: String, retryAt: Instant)
    case stalled(node: Int)
    case answersAgain(node: Int)
    case quarantined(node: Int, Quarantine)
    case quarantineOver(node: Int)
    /// It is the same server as another node, which has the server's vote. Once, until it is another pair.
    case sameServer(node: Int, as: Int)
    /// What should be known of a node cannot be learnt, and why. Told once for each node and matter.
    case unverified(node: Int, String)
    /// ``Limits/owedReleasesPerNode`` was reached: a key is left to its ttl.
    case releaseDropped(node: Int)
    /// The node's user may not subscribe, or not publish; told once.
    case notificationsDenied(node: Int, reason: String)
}
