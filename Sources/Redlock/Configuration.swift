package import RedlockCore
internal import RedlockRedis

extension Redlock {
    /// How a ``Redlock`` behaves. The defaults suit nodes in one region and work of seconds.
    public struct Configuration: Sendable {
        /// The ttls that may be asked for. Default 10 ms to 1 minute; at least 3 ms, at most 24 hours, and the drift
        /// must fit into the shortest.
        ///
        /// The upper limit is also how long a node casts no votes that may have forgotten locks (``quarantine``): after
        /// a restart without its data, and right after the start of a new set of nodes. So keep it near what you use.
        /// Work that takes longer needs no longer ttl, but a lease that is extended. All clients of the same nodes
        /// should have the same upper limit.
        public var ttlLimits: ClosedRange<Duration> = .milliseconds(10) ... .seconds(60)

        /// For how long a node casts no votes that may have forgotten locks: one that was started a short while ago, or
        /// at whose address another server answers than before. Default: the longest ttl.
        ///
        /// A node votes at once if this client has seen the same run of the server before; if the server has been up for
        /// that long; or if this client saw, until moments before a restart, that the server writes every change to its
        /// disk before it answers (`appendonly yes`, `appendfsync always`). A node that this client meets for the first
        /// time a short while after its start votes later; see ``trustsDurableNodes``.
        ///
        /// Each node is asked for that when it is connected, and once a second at most along with other commands: INFO
        /// and CONFIG GET. If INFO is denied, nothing is known of the node: it votes this long after each connection,
        /// and that is reported once as ``Event/Kind/nodeUnverified``. The rule is that of "Distributed locks with
        /// Redis", the section on crash recovery.
        public var quarantine = Quarantine.longestTTL

        /// Whether a node that keeps every write on its disk votes at once, also if this client meets it for the first
        /// time or did not see how it kept its writes before a restart. Default false.
        ///
        /// A node says how it keeps its writes now, not how it kept them before it was started. True takes on trust that
        /// every node always had `appendonly yes` and `appendfsync always`: nobody switches them on by a restart, or off
        /// and on again. False costs time after a start: processes that are new get no lock for the longest ttl after
        /// all nodes were started at once. A lower upper bound of ``ttlLimits`` makes that shorter.
        public var trustsDurableNodes = false

        /// Whether the wall clocks of the nodes, and of this machine, are watched. Default true.
        ///
        /// A node whose clock is set forward, or runs too fast, ends its keys early. With this on, its clock is read
        /// (`TIME`) with every extension, and otherwise once a second at most, along with other commands, and by itself
        /// only while a lease is held. When it
        /// has gained on ours by more than the drift, the node's grants do not count any more: a lease that needs them
        /// is lost, and the node casts no votes until the locks that this can concern have ended, the longest ttl at
        /// most. The same happens when a lock of this process is gone from a node before its time while another node
        /// has it. If the wall clock of this machine gains on its boot clock, held leases are extended at once, and one
        /// that may be over is not valid before that. Off, a jump goes unnoticed. See docs/algorithm.md for what it
        /// cannot notice.
        public var clockGuard = true

        /// How long a node may take to answer before its vote counts as failed. Default 100 ms; 1 ms to 1 minute.
        ///
        /// It bounds how long an attempt takes when a majority is silent; a silent minority costs nothing. Keep it
        /// small against the ttl ("Distributed locks with Redis" suggests 5 to 50 ms for a ttl of 10 s).
        ///
        /// The silence timeout goes by it: a node that leaves a command unanswered for ten times as long, and for 1 s
        /// at least, has its connection closed and is dialled again.
        public var nodeTimeout: Duration = .milliseconds(100)

        /// How long connecting and signing in may take, for each try. Default 1 s; 1 ms to 1 minute.
        public var connectTimeout: Duration = .seconds(1)

        /// How much the clocks of this machine and the nodes may differ in rate, as a share of the ttl. Default 0.01;
        /// 0 to 0.5. Validity is shorter by that and 2 ms.
        public var driftFactor: Double = 0.01

        /// The pause after an attempt that met no holder: too few nodes answered, or the votes were split. Default
        /// 100 ms; 1 ms to 1 minute. While the votes stay split it doubles with every attempt, up to ``fallbackDelay``.
        ///
        /// Who waits for a holder does not go by it: such a waiter tries again when the nodes tell that the lock was
        /// released, and when a quorum of the holder's keys can have expired.
        public var retryDelay: Duration = .milliseconds(100)

        /// What is added to that pause at random, at most. Default 100 ms; 0 to 1 minute. With 0, contenders that split
        /// the votes may split them again and again.
        public var retryJitter: Duration = .milliseconds(100)

        /// How long a waiter goes without asking when it hears nothing: from this to half as much again, at random.
        /// Default 1 s; 1 ms to 1 hour.
        ///
        /// It is the net under the notifications: for holders that release without telling (clients of another make),
        /// for messages that are lost with a connection, for users who may not subscribe. It costs one command for each
        /// node, and for each resource that a process waits for.
        public var fallbackDelay: Duration = .seconds(1)

        /// How often the nodes are asked at most while a caller waits. Default nil: until the wait is over. At least 1.
        public var maximumAttempts: Int?

        /// How long before the end of its validity a holder learns that a lease is lost. Default nil: a tenth of the
        /// ttl. 0 to half of the ttl; a longer one counts as half.
        public var lossMargin: Duration?

        /// The longest that a lease may be held, extensions included. Default 24 hours; at least 10 ms. Nil for no
        /// limit, which lets a body that hangs keep everybody out for ever.
        public var maximumHold: Duration? = .seconds(86_400)

        /// Prefix of every resource's name in its key, as text. Default empty: the key is the name. 0 to 1,023 bytes.
        ///
        /// Reading it replaces what is not UTF-8 in ``keyPrefixBytes``, which is what counts.
        public var keyPrefix: String {
            get { String(decoding: keyPrefixBytes, as: UTF8.self) }
            set { keyPrefixBytes = [UInt8](newValue.utf8) }
        }

        /// ``keyPrefix`` byte for byte: any bytes, as a ``Resource`` may have. Default empty. 0 to 1,023 bytes.
        public var keyPrefixBytes: [UInt8] = []

        /// Whether every lease gets a ``Lease/fencingToken``, a number that is higher than those of all leases of the
        /// resource before it. Default false.
        ///
        /// It costs no round trip as a rule, and one where this machine's wall clock is behind that of an earlier
        /// holder. Each node keeps the highest number for four weeks after it was last raised, under the key of the
        /// lock and `:fencing`; do not lock a resource of such a name. All clients of a resource should have it on:
        /// those without it exclude each other still, and have no number that the resource could refuse. The project's
        /// docs/fencing.md has what is promised, and how a resource compares the numbers.
        public var fencing = false

        /// Called with what happens, in order and by one thread at a time, a caller's or the coordinator's own.
        ///
        /// It must be quick, and must not block: no lease is extended meanwhile. Standard error blocks when nobody
        /// reads it, so hand events that you print to a task, by an `AsyncStream` that keeps the newest.
        public var observer: (@Sendable (Event) -> Void)?

        /// The defaults.
        public init() {}
    }
}

// MARK: - Checking

extension Redlock.Configuration {
    static let shortestTTL = Duration.milliseconds(3)
    package static let longestTTL = Duration.seconds(86_400)
    package static let nodeTimeoutLimits: ClosedRange<Duration> = .milliseconds(1) ... .seconds(60)
    package static let shortestMaximumHold = Duration.milliseconds(10)

    /// The numbers for the engine, or an error that names the first value that breaks a rule.
    func parameters(nodes: Int) throws(RedlockError) -> Parameters {
        try checkRanges()
        var parameters = Parameters(nodes: nodes)
        parameters.nodeTimeout = Nanoseconds(nodeTimeout)
        parameters.connectTimeout = Nanoseconds(connectTimeout)
        // Long enough for a node that is merely slow, short enough to get through a network that swallows packets.
        parameters.silenceTimeout = max(Nanoseconds(nodeTimeout) * 10, .seconds(1))
        parameters.driftPartsPerMillion = Int64((driftFactor * 1_000_000).rounded(.up))
        parameters.retryDelay = Nanoseconds(retryDelay)
        parameters.retryJitter = Nanoseconds(retryJitter)
        parameters.fallbackDelay = Nanoseconds(fallbackDelay)
        parameters.lossMargin = lossMargin.map { Nanoseconds($0) }
        parameters.reports = observer != nil
        parameters.guardsClocks = clockGuard
        parameters.quarantine = Nanoseconds(quarantine.length ?? ttlLimits.upperBound)
        parameters.trustsDurableNodes = trustsDurableNodes
        parameters.looks = NodeFactsReader.looks
        parameters.longestTTL = max(parameters.quarantine, Nanoseconds(ttlLimits.upperBound))

        let drift = StandardRules().drift(
            of: Nanoseconds(ttlLimits.lowerBound), partsPerMillion: parameters.driftPartsPerMillion)
        guard Nanoseconds(ttlLimits.lowerBound) > drift else {
            throw RedlockError(
                .invalidArgument,
                "ttlLimits begin at \(ttlLimits.lowerBound), which the clock drift of \(Duration(drift)) uses up")
        }
        return parameters
    }

    /// Each value by itself.
    private func checkRanges() throws(RedlockError) {
        let minute = Duration.seconds(60)
        try check("nodeTimeout", nodeTimeout, Self.nodeTimeoutLimits)
        try check("connectTimeout", connectTimeout, .milliseconds(1)...minute)
        try check("retryDelay", retryDelay, .milliseconds(1)...minute)
        try check("retryJitter", retryJitter, .zero...minute)
        try check("fallbackDelay", fallbackDelay, .milliseconds(1)...Duration.seconds(3_600))
        guard driftFactor >= 0, driftFactor <= 0.5 else {
            throw RedlockError(.invalidArgument, "driftFactor is \(driftFactor); it must be from 0 to 0.5")
        }
        try check("ttlLimits.lowerBound", ttlLimits.lowerBound, Self.shortestTTL...Self.longestTTL)
        try check("ttlLimits.upperBound", ttlLimits.upperBound, Self.shortestTTL...Self.longestTTL)
        if let length = quarantine.length, length != .zero {
            try check("quarantine", length, ttlLimits.upperBound...Self.longestTTL)
        }
        if let lossMargin { try check("lossMargin", lossMargin, .zero...Self.longestTTL) }
        if let maximumAttempts, maximumAttempts < 1 {
            throw RedlockError(
                .invalidArgument, "maximumAttempts is \(maximumAttempts); it must be at least 1, or nil")
        }
        if let maximumHold, maximumHold < Self.shortestMaximumHold {
            throw RedlockError(.invalidArgument, "maximumHold is \(maximumHold); it must be at least 10 ms, or nil")
        }
        guard keyPrefixBytes.count < Limits.resourceBytes else {
            throw RedlockError(
                .invalidArgument,
                "keyPrefix has \(keyPrefixBytes.count) bytes; with a name it must fit into \(Limits.resourceBytes)")
        }
    }

    /// The key of a resource, or an error that names what is wrong with it.
    func key(of resource: Resource) throws(RedlockError) -> [UInt8] {
        guard !resource.bytes.isEmpty else {
            throw RedlockError(
                .invalidArgument, "the resource name is empty; it must have 1 to \(Limits.resourceBytes) bytes")
        }
        // Not a copy where it need not be one.
        let key = keyPrefixBytes.isEmpty ? resource.bytes : keyPrefixBytes + resource.bytes
        guard key.count <= Limits.resourceBytes else {
            throw RedlockError(
                .invalidArgument,
                "the resource name has \(key.count) bytes with its prefix; at most \(Limits.resourceBytes) are allowed")
        }
        return key
    }

    func checkTTL(_ ttl: Duration, _ resource: Resource) throws(RedlockError) {
        guard ttlLimits.contains(ttl) else {
            throw RedlockError(
                .invalidArgument,
                "the ttl is \(ttl); it must be from \(ttlLimits.lowerBound) to \(ttlLimits.upperBound) "
                    + "(Configuration.ttlLimits)",
                resource: resource)
        }
    }

    private func check(
        _ name: String, _ value: Duration, _ range: ClosedRange<Duration>
    ) throws(RedlockError) {
        guard range.contains(value) else {
            throw RedlockError(
                .invalidArgument, "\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}

// MARK: - Units

extension Nanoseconds {
    /// Rounded down to nanoseconds; what is longer than 146 years counts as that.
    package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let limit = Nanoseconds.forever.count / 1_000_000_000 - 1
        self =
            seconds >= limit
            ? .forever
            : seconds <= -limit ? .zero - .forever : Nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

extension Duration {
    init(_ nanoseconds: Nanoseconds) {
        self = .nanoseconds(nanoseconds.count)
    }
}
