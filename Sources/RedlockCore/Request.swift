/// Names one lock request for as long as its engine serves it. Never reused.
package struct LockID: Hashable, Sendable {
    package let slot: Int32
    let generation: UInt64
}

/// Names one call of extend.
package struct ExtensionID: Hashable, Sendable {
    package let number: UInt64

    package init(number: UInt64) {
        self.number = number
    }
}

/// Names one connection to a node; a later one has a higher number.
package struct ConnectionID: Hashable, Sendable {
    package let number: UInt64

    package init(number: UInt64) {
        self.number = number
    }
}

/// Names one broadcast: an attempt, an extension, a release.
package struct RoundID: Hashable, Sendable {
    package let number: UInt64
}

/// What a caller wants.
package struct AcquireRequest: Hashable, Sendable {
    package var key: [UInt8]
    package var ttl: Nanoseconds
    /// No attempt starts later. One that has started is finished.
    package var deadline: Instant
    /// Attempts at most; nil when only the deadline counts.
    package var maximumAttempts: Int?
    /// Extend the lease by itself, every third of its ttl, until it is released.
    package var extendsItself: Bool
    /// The longest that the lease may be held, from the start of the attempt that won it; nil for no limit.
    package var maximumHold: Nanoseconds?
    /// Wanted with a fencing token, whose proposals begin here; nil for none.
    package var wallClock: WallClockReading?

    package init(
        key: [UInt8], ttl: Nanoseconds, deadline: Instant, maximumAttempts: Int? = nil, extendsItself: Bool = false,
        maximumHold: Nanoseconds? = nil, wallClock: WallClockReading? = nil
    ) {
        self.key = key
        self.ttl = ttl
        self.deadline = deadline
        self.maximumAttempts = maximumAttempts
        self.extendsItself = extendsItself
        self.maximumHold = maximumHold
        self.wallClock = wallClock
    }
}

/// A lease, as the caller learns of it.
package struct Grant: Hashable, Sendable {
    package var validUntil: Instant
    package var attempts: Int
    package var votes: [Vote]
    /// Higher than those of all grants before it; nil when none was wanted.
    package var fencingToken: Int64?
}

/// Why there is no lease.
package struct Refusal: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// Enough nodes answered; others hold the resource, or split the votes.
        case heldByAnother
        /// Too few nodes answered.
        case unavailable
        /// A quorum granted, or was still being waited for, when the validity had passed.
        case expired
        case cancelled
        case shutDown
    }

    /// What stands before a request in its own process.
    package enum Ahead: Hashable, Sendable {
        /// A lease of this process is held.
        case holder
        /// Other requests of this process are first, and try in vain.
        case contender
        /// A lease of this process was lost and is not released: its keys may be the ones that were met.
        case lostHolder
    }

    package var reason: Reason
    package var attempts: Int
    /// Of the last attempt; where the request made none, of the one that was ahead of it.
    package var votes: [Vote]
    /// Nil if nothing of this process stands in the way.
    package var ahead: Ahead?
    /// This process acquired the lock for another request after this one had come.
    package var changedHands = false
    /// How long this process did not run, at least, during the attempt; nil if that did not matter. Then the votes of
    /// an attempt that expired are only those on what was sent after it: the others are pending.
    package var pause: Nanoseconds?

    package init(reason: Reason, attempts: Int, votes: [Vote]) {
        self.reason = reason
        self.attempts = attempts
        self.votes = votes
    }
}

/// Why an extension was not made. The lease stays valid until the end it had.
package struct ExtensionRefusal: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// No quorum extended it in time.
        case notExtended
        /// The end had passed, or passed while the nodes answered.
        case expired
        /// The holder had been told that it lost the lease.
        case lost
        /// It was released.
        case released
    }

    package var reason: Reason
    package var votes: [Vote]
    /// How long this process did not run, at least, since a quorum last granted; nil if that did not matter.
    package var pause: Nanoseconds?

    package init(reason: Reason, votes: [Vote]) {
        self.reason = reason
        self.votes = votes
    }
}

/// Why a lease ends without having been released. Told once, ahead of the end of validity when that can be done.
package struct Loss: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// The end of validity is near, and no extension was made.
        case notExtended
        /// The end of validity has passed: this process was stopped, or did not get to run.
        case expired
        /// On a quorum of nodes the key is gone: another may have the lock already.
        case taken
        /// A node's wall clock was set forward, and without it no quorum guards the lease: another may have the lock.
        case clockJumped
        /// A node lost the key before its time, and without that node no quorum guards the lease: another may have the
        /// lock.
        case keyGone
        /// The client's wall clock gained on its boot clock by more than was left of the validity, and no quorum confirmed
        /// the lease since.
        case clockGained
        /// The lease was held for as long as it may be.
        case maximumHold
        case shutDown
    }

    package var reason: Reason
    package var validUntil: Instant
    /// Of the last extension that failed, else of the attempt that acquired the lease; with the answers that came late.
    /// After a pause: only on what was sent after it; the others are pending.
    package var votes: [Vote]
    /// How long this process did not run, at least, since a quorum last granted; nil if that did not matter.
    package var pause: Nanoseconds?
    /// What the client's wall clock gained on its boot clock since a quorum last granted; nil if it kept to the drift.
    package var clockGain: Nanoseconds?
}
