package import RedlockCore

/// Something about the nodes that somebody should know: what was seen, what could happen, and what to change.
package struct Finding: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable, CaseIterable {
        /// The lock is not what it should be: a vote is missing, or may be wrong.
        case problem
        /// It may come to that.
        case warning
        /// Good to know; nothing to be alarmed about.
        case note
    }

    /// A word for programs.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        // A node that cannot be asked.
        case nameUnknown, refused, unreachable, timedOut, hung, turnedAway, signIn, database, connectionLost, notRedis
        // What a node is.
        case replica, cluster, sentinel, hasReplicas, oldVersion, loading, scriptRuns, notServing, malformed, infoDenied
        // What it remembers.
        case noLog, fsyncNotAlways, fsyncPaused, logFailed, fsyncUnknown, inQuarantine, promoted
        // What it has room for.
        case evicts, wouldEvict, evicted, memoryNearlyFull, refusesWrites
        // How fast, and what time it has.
        case slow, slowForTimeout, busy, clockOff, clockUnclear
        // What its user may do.
        case rightsMissing, rightsWanted, otherNames
        // Who else may.
        case passwordNotNeeded, noPassword
        // Fencing numbers of the resources that were named.
        case badNumber, badFloor, numberDenied
        // The set.
        case noQuorum, noSpare, sameServer, sameHost, evenNumber, ownClockOff
    }

    package var severity: Severity
    package var code: Code
    /// The nodes that it is about; none for the set.
    package var nodes: [String]
    /// For one node, and for several that share it.
    package var words: Words
    /// The node casts no vote that counts.
    package var costsVote: Bool

    package init(
        _ severity: Severity, _ code: Code, seen: Wording, risk: Wording, change: Wording, costsVote: Bool = false,
        nodes: [String] = []
    ) {
        self.severity = severity
        self.code = code
        self.nodes = nodes
        words = Words(seen: seen, risk: risk, change: change)
        self.costsVote = costsVote
    }
}

extension Finding {
    package struct Words: Hashable, Sendable {
        package var seen: Wording
        /// What could happen.
        package var risk: Wording
        /// What to change.
        package var change: Wording
    }

    package var seen: String { words.seen.one }
    package var risk: String { words.risk.one }
    package var change: String { words.change.one }
}

/// What the findings go by: how the lock's clients are set up.
package struct Expectations: Sendable {
    /// The longest ttl that any client asks for.
    package var longestTTL = Nanoseconds.seconds(60)
    package var nodeTimeout = Nanoseconds.milliseconds(100)
    /// Whether clients let a node that keeps every write vote at once.
    package var trustsDurableNodes = false
    /// How long a node had for all of its answers.
    package var timeout = Nanoseconds.seconds(3)
    /// The key that the rights were tried on, as it is shown.
    package var key = ""
    /// Whether the clients' own prefix was given, so that the key is one of theirs.
    package var knowsPrefix = false

    /// Names of resources whose fencing numbers are looked at, as keys, as they are shown.
    package var resources: [String] = []
    /// In microseconds since 1970: what a floor is mended to.
    package var wallClock: Int64 = 0

    /// Wall clocks that NTP keeps are nearer than this.
    package static let clockOffset = Nanoseconds.milliseconds(100)
    /// The round trip that goes into a node timeout so often is none to worry about.
    package static let roundTripsPerTimeout: Int64 = 5
    /// A loop that works for more of its time lets commands wait.
    package static let loopShare = 0.7
    /// A limit of memory that is used by more is nearly reached.
    package static let memoryShare = 0.9
    /// The oldest that has users with rights of their own.
    package static let oldestRedis = [6, 0]

    package init() {}
}
