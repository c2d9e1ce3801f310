/// What endangers a lease that is still valid. Ordered: the greater, the nearer the loss.
package enum Risk: Int, Hashable, Comparable, Sendable {
    /// Exactly a quorum of nodes guards it, though there are more: if one of them fails, it cannot be extended. Repair
    /// has had its time, ``Rules/repairTime(ttl:nodeTimeout:)``.
    case noSpareNode
    /// An extension failed, or half of the ttl has passed without one.
    case notExtended
    /// The client's wall clock gained on its boot clock. Until a quorum has confirmed the lease, it may be over.
    case clockGained

    package static func < (left: Risk, right: Risk) -> Bool { left.rawValue < right.rawValue }
}

/// A risk, as the holder learns of it.
package struct RiskReport: Hashable, Sendable {
    package var risk: Risk
    package var validUntil: Instant
    /// Of the round that showed it. After a pause: as in a ``Loss``.
    package var votes: [Vote]
    /// How long this process did not run, at least, since a quorum last granted; nil if that did not matter.
    package var pause: Nanoseconds?
    /// What the client's wall clock gained on its boot clock, if the lease is checked for that.
    package var clockGain: Nanoseconds?
}

/// What a holder has to be told about the risk.
enum RiskNews: Hashable, Sendable {
    case atRisk(RiskReport)
    case recovered(validUntil: Instant)
}
