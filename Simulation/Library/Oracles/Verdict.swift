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
    /// The same, of two grants that were asked for at the same time. It takes two that hold at once.
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
    /// A clock jump took a quorum of a lease's keys, and its holder was not told, though the node's clock could be read.
    case clockGuard = "clock-guard"
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
    /// Fails whatever happens: shows that a failure is reported.
    case canary

    package var isLiveness: Bool {
        switch self {
        case .liveness, .livelock, .orphanKey, .lostWakeUp, .polling, .order: true
        default: false
        }
    }
}

/// What the algorithm takes for granted about the world it runs in.
package enum Assumption: String, Hashable, Sendable, CaseIterable {
    case memory = "a node keeps a lock until its expiry"
    /// A client goes by its own clock when it knew another server; else by what this one says: how long it has been running,
    /// and that it keeps what it is told.
    case uptime = "a server that a client has not met before remembers for as long as it says"
    case clockSteps = "a node's wall clock does not jump forward"
    case clockRates = "clocks run at rates that differ by less than the drift allowed for"
    case promptWrites = "no pause between the holder's check and its write (or the resource checks a fencing token)"
    case numbers = "nodes keep their fencing numbers, or no client's wall clock is behind those lost"
    case oneNodeList = "all clients use the same nodes"

    /// Whether a failure of this oracle can come of it.
    package func excuses(_ oracle: Oracle) -> Bool {
        switch oracle {
        case .overlap, .quorumMargin: self != .promptWrites && self != .numbers
        case .fencingOvertaken: self != .promptWrites
        case .staleWrite: self != .numbers
        case .fencingOrder, .outOfOrderWrite: self == .numbers || self == .oneNodeList
        // Who counted on a node that turns out to have forgotten is without its keys too.
        case .clockGuard: self == .memory || self == .uptime
        case .ownership, .repair, .tokenReuse, .resurrection, .answers, .orphanKey, .liveness, .livelock, .lostWakeUp,
            .polling, .order, .canary:
            false
        }
    }
}

/// An assumption that the faults broke, at a moment.
package struct Breach: Hashable, Sendable {
    package let assumption: Assumption
    package let at: Int64
    /// The last time that it happened again.
    package var latest: Int64
    /// Whom it happened to, first and last: `node 2`.
    package let subject: String
    package var latestSubject: String

    package init(assumption: Assumption, at: Int64, latest: Int64, subject: String, latestSubject: String) {
        self.assumption = assumption
        self.at = at
        self.latest = latest
        self.subject = subject
        self.latestSubject = latestSubject
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

/// What a run brought to light.
package struct Outcome: Sendable {
    package var violations: [Violation] = []
    package var breaches: [Breach] = []
    package var grants = 0
    /// Grants of each client, for the figure of fairness.
    package var grantsPerClient: [Int] = []
    /// How long each grant took, from the request; and requests that came to nothing.
    package var waits: [Int64] = []
    package var refusals = 0
    /// Writes of a holder that the resource took after a later one had been there; only of worlds with visits.
    package var damages = 0
    package var attempts = 0
    /// Messages to nodes, subscriptions among them.
    package var commands = 0
    package var extensions = 0
    package var losses = 0
    /// Those of leases that extended themselves: they should have lasted until they were released.
    package var extendingLosses = 0
    package var risks = 0
    /// Grants with a fencing token, and offers of a higher number to those who granted.
    package var fencedGrants = 0
    package var raises = 0
    package var events = 0
    /// Virtual nanoseconds.
    package var duration: Int64 = 0
    /// The fewest nodes that would have had to lose a held key for another to get in; nil without a hold.
    package var leastMargin: Int?
    /// The shortest time from the end of a belief until another could get in; only of worlds that measure it.
    package var leastSlack: Int64?
    package var marks = Marks()
    package var hash: UInt64 = 0
    /// How often the broken rule decided otherwise than the right one.
    package var mutantActivations = 0

    package init() {}

    package var verdict: Verdict {
        if violations.contains(where: { $0.excuse == nil }) { return .violated }
        return violations.isEmpty ? .held : .inconclusive
    }

    /// The first that no broken assumption explains, else the first.
    package var worst: Violation? {
        violations.first { $0.excuse == nil } ?? violations.first
    }
}
