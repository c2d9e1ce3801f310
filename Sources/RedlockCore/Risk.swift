/// What endangers a lease that is still valid. Ordered: the greater, the nearer the loss.
package enum Risk: Int, Hashable, Comparable, Sendable {
    /// Exactly a quorum of nodes guards it, though there are more: if one of them fails, it cannot be extended.
    case noSpareNode
    /// An extension failed, or half of the ttl has passed without one.
    case notExtended

    package static func < (left: Risk, right: Risk) -> Bool { left.rawValue < right.rawValue }
}

/// A risk, as the holder learns of it.
package struct RiskReport: Hashable, Sendable {
    package var risk: Risk
    package var validUntil: Instant
    /// Of the round that showed it.
    package var votes: [Vote]
}

/// What a holder has to be told about the risk.
enum RiskNews: Hashable, Sendable {
    case atRisk(RiskReport)
    case recovered(validUntil: Instant)
}
