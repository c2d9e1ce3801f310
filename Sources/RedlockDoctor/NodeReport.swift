package import RedlockCore
package import RedlockRedis

/// One node, as it was found.
package struct NodeReport: Sendable {
    /// Its address, without secrets.
    package var node: String
    /// What it shares with others that are on it; nil where that is not known.
    package var host: String?
    package var outcome: Result<ServerReport, ProbeFailure>

    /// The host of the loopback interface and of sockets.
    package static let thisMachine = "this machine"

    package init(node: String, host: String?, outcome: Result<ServerReport, ProbeFailure>) {
        self.node = node
        self.host = host
        self.outcome = outcome
    }

    package var server: ServerReport? { try? outcome.get() }
}

/// What a server said of itself. Nil is always "not told": by an older version, or to this user.
package struct ServerReport: Sendable {
    package struct Version: Hashable, Sendable {
        package var product = "Redis"
        package var numbers: [Int] = []
    }

    package enum Mode: String, Sendable {
        case standalone
        case cluster
        case sentinel
    }

    package struct Persistence: Hashable, Sendable {
        package var keepsLog: Bool?
        /// `always`, `everysec` or `no`.
        package var fsync: String?
        /// While a child of the server writes, nothing is synced.
        package var pausesOnRewrite = false
        package var lastWriteFailed = false
    }

    package struct Memory: Hashable, Sendable {
        package var used: Int64?
        /// Zero for no limit.
        package var limit: Int64?
        package var policy: String?
        package var evictedKeys: Int64?
    }

    package struct LoopUse: Hashable, Sendable {
        /// The share of the time in which the event loop worked.
        package var share: Double
        /// Over the last second or two; else since the start, by the CPU time of its thread.
        package var isRecent: Bool
    }

    package enum Access: Hashable, Sendable {
        case withPassword
        /// Whoever connects, though the URL has a password.
        case withoutPassword
        /// Whoever connects; the URL has no password.
        case noPassword
    }

    package struct RoundTrip: Hashable, Sendable {
        package var median: Nanoseconds
        package var longest: Nanoseconds
    }

    /// How far its wall clock is ahead of ours: by `offset`, give or take `uncertainty`.
    package struct ClockOffset: Hashable, Sendable {
        package var offset: Nanoseconds
        package var uncertainty: Nanoseconds

        /// How far it is off at least.
        package var atLeast: Nanoseconds { max(Nanoseconds(abs(offset.count)) - uncertainty, .zero) }
    }

    package var version: Version?
    package var mode: Mode?
    package var isReplica: Bool?
    package var replicas: Int64?
    package var runID: String?
    package var uptime: Nanoseconds?
    /// It cannot serve yet, and why.
    package var notReady: NodeFactsReader.NotReady?
    package var persistence = Persistence()
    package var memory = Memory()
    package var loop: LoopUse?
    package var roundTrip = RoundTrip(median: .zero, longest: .zero)
    package var clock: ClockOffset?
    /// In the order of ``Right/all``.
    package var rights: [RightVerdict] = []
    /// Who may take and delete locks on it.
    package var access: Access?
    /// With what it answers a command that sets a key, when that is an error other than a missing right.
    package var refusal: String?
    /// What a client that came now would do: nil for letting it vote.
    package var quarantine: Quarantine?
    /// Every write is on the disk before it is answered.
    package var isDurable = false
    /// How much of it is left.
    package var quarantineLeft = Nanoseconds.zero
    /// With what it answers INFO, when that is an error for good.
    package var infoRefusal: String?
    /// Of the resources that were named, in their order.
    package var numbers: [StoredNumber] = []
    /// What takes the place of numbers that are missing; nil if no resource was named.
    package var floor: StoredNumber?
    /// Why a client would not know what this server is.
    package var unverified: String?

    package init() {}

    /// What the user may not do.
    package var missingRights: [(right: Right, verdict: RightVerdict)] {
        zip(Right.all, rights).filter { $0.1 != .granted }.map { (right: $0.0, verdict: $0.1) }
    }
}
