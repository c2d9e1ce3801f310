/// What a run is judged by. Each looks at one promise.
package enum Oracle: String, Hashable, Sendable, CaseIterable {
    /// Two holders of one resource believed in their leases at the same moment.
    case overlap
    /// While a holder believed, a quorum of nodes was free for another.
    case quorumMargin = "quorum-margin"
    /// A write of an earlier holder reached the resource after a later one had been granted.
    case staleWrite = "stale-write"
    /// A fencing token was not higher than that of a grant made before this one was asked for; or there were two of it.
    case fencingOrder = "fencing-order"
    /// A fencing token is higher than clocks and raises can explain: a bad number was adopted.
    case fencingRange = "fencing-range"
    /// The same as `fencingOrder`, of two grants that were asked for at the same time. It takes two that hold at once.
    case fencingOvertaken = "fencing-overtaken"
    /// The protected resource accepted a write after one of a later holder, both with their tokens.
    case outOfOrderWrite = "out-of-order-write"
    /// A command changed a key that was not its sender's, or made one without asking for the lock.
    case ownership
    /// A key was to be set again for a lease that is not held, or was not extended, or for longer than its other keys.
    case repair
    /// A token was used for two attempts.
    case tokenReuse = "token-reuse"
    /// A lease that had lapsed became valid again.
    case resurrection
    /// A caller got no answer, or two.
    case answers
    /// A clock jump took a quorum of a lease's keys, and its holder was not told, though the node's clock could be
    /// read.
    case clockGuard = "clock-guard"
    /// A lease was valid beyond its maximum hold, or a request made more attempts than it may.
    case limits
    /// A key outlived its attempt though its release could have been delivered.
    case orphanKey = "orphan-key"
    /// All faults are over, and still nobody gets a lock that is wanted and free.
    case liveness
    /// The same, and contenders split the votes again and again.
    case livelock
    /// A resource was free and wanted, and nobody tried to get it.
    case lostWakeUp = "lost-wake-up"
    /// Those who wait ask again and again while nothing changes.
    case polling
    /// In one process somebody who came later was served before.
    case order
    /// An engine was due again and again and did nothing, or the world used more steps than it may: the run would not have
    /// ended.
    case progress
    /// Fails whatever happens: shows that a failure is reported.
    case canary

    package var isLiveness: Bool {
        switch self {
        case .liveness, .livelock, .orphanKey, .lostWakeUp, .polling, .order, .progress: true
        default: false
        }
    }
}

/// A promise that was not kept.
package struct Violation: Hashable, Sendable {
    package let oracle: Oracle
    package let at: Int64
    package let message: String
    /// The broken assumption that explains it; nil makes it a bug.
    package let excuse: Breach?

    package init(oracle: Oracle, at: Int64, message: String, excuse: Breach?) {
        self.oracle = oracle
        self.at = at
        self.message = message
        self.excuse = excuse
    }
}

package enum Verdict: String, Hashable, Sendable {
    /// Every promise was kept.
    case held
    /// A promise was broken after an assumption was: it says nothing against the library.
    case inconclusive
    /// A promise was broken, and no assumption.
    case violated
}
