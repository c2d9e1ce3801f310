/// Situations that a sweep should have been in; one that never was is reported as a miss.
package enum Mark: Int, Hashable, Sendable, CaseIterable {
    case quorumExactly
    case allNodesGranted
    case lateGrant
    case answersTogether
    case refusedThenGranted
    case expiredWhileAcquiring
    case unavailable
    case cancelled
    case lateSetAfterRelease
    case setOnOldConnection
    case extended
    case extensionFailed
    case lossTold
    case lossByExpiry
    case lossByTaken
    case repaired
    case atRisk
    case recovered
    case unknownScript
    case errorReply
    case connectionReset
    case keyExpired
    case keyOutlivedByLease
    case shutdown
    case clientCrashedHolding
    case clientPausedHolding
    case nodeRestartedWithKeys
    case writeRefusedByCheck
    case numberRaised
    case writeFenced
    case releaseHeard
    case handedOver
    case subscriptionLost
    case quarantined
    case lossByClockJump
    case outOfMemory
    case evicted
    case inDoubt
    case lossByMaximumHold
    case attemptsSpent
    case askedAgain

    package var words: String {
        switch self {
        case .quorumExactly: "quorum reached exactly"
        case .allNodesGranted: "all nodes granted at the decision"
        case .lateGrant: "a grant after the decision"
        case .answersTogether: "answers of a node read together"
        case .refusedThenGranted: "granted after a refused attempt"
        case .expiredWhileAcquiring: "validity passed while acquiring"
        case .unavailable: "no quorum could be reached"
        case .cancelled: "cancelled while acquiring"
        case .lateSetAfterRelease: "a SET executed after its attempt was over"
        case .setOnOldConnection: "a SET executed from a connection that the client had given up"
        case .extended: "a lease extended"
        case .extensionFailed: "an extension failed"
        case .lossTold: "a loss told ahead of its end"
        case .lossByExpiry: "a loss learned after the end"
        case .lossByTaken: "a loss because a quorum had lost the key"
        case .repaired: "a key set again on a node without it"
        case .atRisk: "a holder told that its lease is at risk"
        case .recovered: "a holder told that the risk is over"
        case .unknownScript: "a script unknown to a node"
        case .errorReply: "an error reply"
        case .connectionReset: "a connection reset"
        case .keyExpired: "a lapsed lease: its end passed while held"
        case .keyOutlivedByLease: "a margin of one node"
        case .shutdown: "a coordinator shut down"
        case .clientCrashedHolding: "a client crashed while holding"
        case .clientPausedHolding: "a client paused while holding"
        case .nodeRestartedWithKeys: "a node restarted with its keys"
        case .releaseHeard: "a release heard on a channel"
        case .handedOver: "a lock handed over inside a process"
        case .subscriptionLost: "a subscription connection reset"
        case .quarantined: "a node that casts no votes for a while"
        case .lossByClockJump: "a loss because a node's clock was set forward"
        case .outOfMemory: "a node out of memory"
        case .evicted: "a key evicted"
        case .inDoubt: "a lease in doubt: the client's wall clock gained on its boot clock"
        case .lossByMaximumHold: "a lease that ended by its maximum hold"
        case .attemptsSpent: "a refusal after the maximum of attempts"
        case .askedAgain: "a lease that was over before its body began, and was asked for again"
        case .writeRefusedByCheck: "a holder that found its lease invalid before a write"
        case .numberRaised: "a fencing number raised"
        case .writeFenced: "a late write refused for its fencing token"
        }
    }
}

/// A set of marks.
package struct Marks: Hashable, Sendable {
    private var bits: UInt64 = 0

    package init() {}

    package mutating func insert(_ mark: Mark) { bits |= 1 << UInt64(mark.rawValue) }
    mutating func formUnion(_ other: Marks) { bits |= other.bits }
    package func contains(_ mark: Mark) -> Bool { bits & (1 << UInt64(mark.rawValue)) != 0 }

    /// Those that a sweep of this profile should have come by, and did not.
    package func missing(in profile: Profile) -> [Mark] {
        Mark.allCases.filter { mark in
            switch mark {
            case _ where contains(mark): false
            // As long as nodes keep their keys, no quorum of them can lose one that is valid.
            case .lossByTaken: profile != .tolerated
            case .evicted: profile.forgets
            case .lossByClockJump: profile.breaksClocks
            default: true
            }
        }
    }
}
