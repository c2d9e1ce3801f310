/// Something that goes wrong at a moment, and is over after a while.
package struct Fault: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The process dies and is started again after `duration`.
        case nodeKill = "node-kill"
        /// The machine dies: nobody says goodbye, and what was not on the disk is gone.
        case nodePowerLoss = "node-power-loss"
        case nodePause = "node-pause"
        /// Every command takes `amount` longer.
        case nodeSlow = "node-slow"
        /// Every write takes `amount` longer, as a disk that does not keep up makes it.
        case fsyncStall = "fsync-stall"
        /// Commands are answered by the error `text`.
        case nodeErrors = "node-errors"
        /// The node's wall clock is set forward or back by `amount`, for good.
        case nodeClockJump = "node-clock-jump"
        /// The node's clock is `amount` parts per billion off, for `duration`.
        case nodeClockRate = "node-clock-rate"
        /// The node's wall clock jumps by `amount` and back, again and again, for `duration`.
        case nodeClockStrobe = "node-clock-strobe"
        /// All keys are deleted.
        case nodeFlush = "node-flush"
        /// One key is deleted to make room.
        case nodeEvict = "node-evict"
        /// A replica that is `amount` behind takes the node's place.
        case nodeFailover = "node-failover"
        /// The node forgets its scripts.
        case scriptFlush = "script-flush"
        /// The process stands still: timers, replies and workers wait.
        case clientPause = "client-pause"
        /// The machine sleeps; a clock that counts suspend goes on.
        case clientSuspend = "client-suspend"
        case clientCrash = "client-crash"
        /// The coordinator is shut down in an orderly way, and made anew after `duration`.
        case clientShutdown = "client-shutdown"
        /// The client's wall clock jumps. Only proposals of fencing numbers begin from it; no promise may depend on it.
        case clientClockJump = "client-clock-jump"
        case clientClockRate = "client-clock-rate"
        /// Messages between `clients` and `nodes` take up to `amount` longer.
        case linkDelay = "link-delay"
        /// Of a thousand messages between `clients` and `nodes`, `amount` are lost and sent again by TCP.
        case linkLoss = "link-loss"
        /// Connections between `clients` and `nodes` are reset: what is in flight arrives or not.
        case linkReset = "link-reset"
        /// Nothing passes between `clients` and `nodes`, in one `direction` or in both.
        case partition
        /// Somebody writes the fencing number `amount` into the node, for all resources, and mends it after `duration`.
        case nodeBadNumber = "node-bad-number"
        /// Fencing numbers that are older than `amount` are forgotten, as `redlock forget-numbers` does it.
        case nodeForgetNumbers = "node-forget-numbers"
        /// The node keeps its keys as `text` says, a ``WorldOptions/Persistence``, and as before after `duration`. Of a
        /// node that is down: from its next start on.
        case nodeSettings = "node-settings"
        /// The node's address leads to a replica that is `amount` behind. After `duration` the replica is promoted, on
        /// the connections that it has.
        case nodeReplica = "node-replica"
        /// The node does not say what it is.
        case nodeInfoDenied = "node-info-denied"
        /// The node reaches its `maxmemory`: of a thousand commands, `amount` find too little memory. Then a key is
        /// evicted by the policy `text`, an ``EvictionPolicy``, or the command is refused if it needs memory. Reads and
        /// deletes go on.
        case nodeMemory = "node-memory"
        /// The node's answer to INFO is malformed or wrong as `text` says, a ``GreetingDefect``; `amount` is the time that a
        /// false uptime adds.
        case nodeGreeting = "node-greeting"
        /// The node's virtual machine is restored from a snapshot of its memory that is `amount` old: the same process,
        /// with the same run id.
        case nodeRestore = "node-restore"
        /// The client's virtual machine is stopped, and its boot clock and wall clock with it. The wall clock is put right
        /// `amount` after the machine runs again.
        case clientStop = "client-stop"
    }

    /// What a node at its `maxmemory` evicts: the settings of Redis' `maxmemory-policy`.
    package enum EvictionPolicy: String, Hashable, Sendable, CaseIterable {
        case noEviction = "noeviction"
        case allKeysRandom = "allkeys-random"
        case allKeysLRU = "allkeys-lru"
        case allKeysLFU = "allkeys-lfu"
        case volatileRandom = "volatile-random"
        case volatileLRU = "volatile-lru"
        case volatileLFU = "volatile-lfu"
        case volatileTTL = "volatile-ttl"

        /// Whether keys without an expiry, which fencing numbers and the floor are, may go.
        package var evictsNumbers: Bool {
            switch self {
            case .allKeysRandom, .allKeysLRU, .allKeysLFU: true
            case .noEviction, .volatileRandom, .volatileLRU, .volatileLFU, .volatileTTL: false
            }
        }
    }

    /// What is wrong with a node's answer to INFO.
    package enum GreetingDefect: String, Hashable, Sendable, CaseIterable {
        case noRunID = "no-run-id"
        case noUptime = "no-uptime"
        case uptimeNoNumber = "uptime-no-number"
        case unknownRole = "unknown-role"
        /// The uptime is longer than the truth.
        case longUptime = "long-uptime"
        /// Another run id in each answer.
        case changingRunID = "changing-run-id"
        /// A replica and a primary by turns.
        case changingRole = "changing-role"

        /// Whether the library can tell that the answer makes no sense.
        package var isMalformed: Bool {
            switch self {
            case .noRunID, .noUptime, .uptimeNoNumber, .unknownRole: true
            case .longUptime, .changingRunID, .changingRole: false
            }
        }
    }

    package enum Direction: String, Hashable, Sendable, CaseIterable {
        case both
        case toNode = "to-node"
        case toClient = "to-client"
    }

    package var at: Int64
    package var kind: Kind
    /// Whom it hits, by number. Kinds of nodes have no clients, kinds of clients no nodes, those of links both.
    package var nodes: [Int] = []
    package var clients: [Int] = []
    package var duration: Int64 = 0
    /// A length of time in nanoseconds, parts per billion, or per mille, as the kind says.
    package var amount: Int64 = 0
    package var text = ""
    package var direction = Direction.both

    package init(_ kind: Kind, at: Int64, nodes: [Int] = [], clients: [Int] = [], for duration: Int64 = 0) {
        self.kind = kind
        self.at = at
        self.nodes = nodes
        self.clients = clients
        self.duration = duration
    }

    package func with(amount: Int64) -> Fault {
        var fault = self
        fault.amount = amount
        return fault
    }

    package var end: Int64 { at + duration }
}

extension Fault.Kind {
    package enum Target: Sendable {
        case node
        case client
        case link
    }

    package var target: Target {
        switch self {
        case .nodeKill, .nodePowerLoss, .nodePause, .nodeSlow, .fsyncStall, .nodeErrors, .nodeClockJump, .nodeClockRate,
            .nodeClockStrobe, .nodeFlush, .nodeEvict, .nodeFailover, .scriptFlush, .nodeSettings, .nodeReplica,
            .nodeInfoDenied, .nodeBadNumber, .nodeForgetNumbers, .nodeMemory, .nodeGreeting, .nodeRestore:
            .node
        case .clientStop, .clientPause, .clientSuspend, .clientCrash, .clientShutdown, .clientClockJump,
            .clientClockRate:
            .client
        case .linkDelay, .linkLoss, .linkReset, .partition:
            .link
        }
    }

    /// What the number of a fault counts; nil when it has none.
    package enum Unit: Sendable {
        case time
        case partsPerBillion
        case perMille
        case resource
        case fencingNumber
    }

    package var unit: Unit? {
        switch self {
        case .nodeSlow, .fsyncStall, .nodeClockJump, .nodeClockStrobe, .nodeFailover, .nodeReplica, .clientClockJump,
            .linkDelay, .nodeForgetNumbers, .nodeGreeting, .nodeRestore, .clientStop:
            .time
        case .nodeClockRate, .clientClockRate: .partsPerBillion
        case .linkLoss, .nodeMemory: .perMille
        case .nodeEvict: .resource
        case .nodeBadNumber: .fencingNumber
        default: nil
        }
    }

    /// Whether `text` says what kind of fault it is.
    var hasText: Bool {
        switch self {
        case .nodeErrors, .nodeSettings, .nodeMemory, .nodeGreeting: true
        default: false
        }
    }

    var mayBeNegative: Bool {
        switch self {
        case .nodeClockJump, .nodeClockStrobe, .clientClockJump, .nodeClockRate, .clientClockRate: true
        default: false
        }
    }

    /// Whether it is over at once.
    var isInstant: Bool {
        switch self {
        case .nodeClockJump, .nodeFlush, .nodeEvict, .nodeFailover, .scriptFlush, .clientClockJump, .linkReset,
            .nodeForgetNumbers, .nodeRestore:
            true
        default: false
        }
    }
}
