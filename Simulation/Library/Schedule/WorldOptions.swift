/// What a world is made of: everything about a run that is neither a fault nor drawn from the seed as it goes.
///
/// Lengths of time are nanoseconds here and whole microseconds in JSON.
package struct WorldOptions: Hashable, Sendable {
    /// How a node keeps its keys over a restart.
    package enum Persistence: String, Hashable, Sendable, CaseIterable {
        case aofAlways = "aof-always"
        case aofEverySecond = "aof-everysec"
        case snapshot = "rdb"
        case none

        package var keepsLog: Bool { self == .aofAlways || self == .aofEverySecond }
    }

    package var nodes = 5
    package var clients = 3
    /// Tasks in each client's process that lock and unlock.
    package var workersPerClient = 1
    package var resources = 1
    package var persistence = Persistence.aofAlways
    /// Between two snapshots of a node with `rdb`.
    package var snapshotPeriod = milliseconds(5_000)

    package var ttl = milliseconds(2_000)
    package var nodeTimeout = milliseconds(50)
    package var connectTimeout = milliseconds(1_000)
    package var retryDelay = milliseconds(50)
    package var retryJitter = milliseconds(50)
    package var fallbackDelay = milliseconds(1_000)
    /// Clients, the first ones, that tell nobody of their releases: they are of another make.
    package var foreignClients = 0
    package var driftPartsPerMillion: Int64 = 10_000
    /// How long before its end a loss is told; negative for the library's own choice.
    package var lossMargin: Int64 = -1_000

    /// How long a node that may have forgotten casts no votes; zero for never, negative for the longest ttl, which is
    /// ``ttl``.
    package var quarantine: Int64 = -1_000
    /// Whether clients let nodes that keep every write vote at once.
    package var trustsDurableNodes = false
    /// What clients are configured with, each for itself; clients without an entry have what the world says.
    package var clientSettings: [ClientSettings] = []
    /// How long a log that is switched on at run time takes to be written for the first time.
    package var logTime: Int64 = 0
    /// Whether clients watch the nodes' wall clocks.
    package var guardsClocks = true

    /// One way, the quickest; each link has a base between this and twice this.
    package var delay = milliseconds(1) / 2
    /// On top, evenly, for every message.
    package var jitter = milliseconds(1) / 2
    /// Clients near one half of the nodes and far from the other, by turns, and no other difference between links: what
    /// splits votes again and again when nothing random breaks the tie.
    package var twoSites = false

    /// Of a thousand acquires, those whose lease extends itself.
    package var selfExtending: Int64 = 500
    /// Of a thousand acquires, those that the caller gives up while waiting.
    package var cancelled: Int64 = 50
    /// Of a thousand acquires, those with a maximum hold, and those with a maximum of attempts.
    package var maximumHolds: Int64 = 0
    package var maximumAttempts: Int64 = 0
    /// Of a thousand extensions by hand, those by another ttl than that of the acquire. If not zero, leases that extend
    /// themselves are extended by hand too.
    package var otherExtensions: Int64 = 0
    /// Of a thousand acquires that extend themselves, those with a body, as `withLock` has it: the holder looks at the clock
    /// before it works. If its lease is over then, it releases and asks again for the rest of its wait.
    package var bodies: Int64 = 0
    /// The longest that a worker holds.
    package var hold = milliseconds(2_000)
    /// The longest that a worker takes between the check of its lease and its write.
    package var checkToWrite = milliseconds(1) / 10
    /// Whether holders go to the resource before they work: they read it, and show their fencing token if they have
    /// one.
    package var visitsFirst = false
    /// The longest that a worker pauses between two locks.
    package var think = milliseconds(500)
    /// The longest that a worker waits for a lock.
    package var wait = milliseconds(4_000)

    /// Clocks of nodes, and of clients, in parts per billion off true time. Shorter lists are filled with zero.
    package var nodeRates: [Int64] = []
    package var clientRates: [Int64] = []
    /// How many clients, from the first on, ask for fencing tokens.
    package var fencedClients = 0
    /// How far the wall clocks of clients may be off at the start, to either side.
    package var wallSkew: Int64 = 0
    /// Of a thousand writes, those that the network holds up beyond the lease. Only tokens help against them.
    package var lateWrites: Int64 = 0
    /// The nodes that each client was configured with; all of them for clients without an entry.
    package var views: [[Int]] = []

    /// Workers follow the schedule's script alone.
    package var scripted = false

    package init() {}

    package static func milliseconds(_ count: Int64) -> Int64 { count * 1_000_000 }

    package var quorum: Int { nodes / 2 + 1 }
    package var workers: Int { clients * workersPerClient }

    package var quarantineLength: Int64 { quarantine < 0 ? ttl : quarantine }

    /// Nodes may restart with nothing, as soon as they like.
    package var toleratesAmnesia: Bool { quarantineLength >= ttl }

    /// How much a clock may be off, in parts per billion, so that any two stay within the drift that is allowed for.
    var allowedRate: Int64 { driftPartsPerMillion * 1_000 / 2 }

    /// How long the library takes at worst to notice a dead connection and to have a new one: silence, dial, back-off.
    var reconnectBound: Int64 {
        silenceTimeout + 2 * connectTimeout + Self.milliseconds(2_000)
    }

    /// As the library's configuration derives it.
    package var silenceTimeout: Int64 { max(nodeTimeout * 10, Self.milliseconds(1_000)) }

    /// How long a resource that is wanted may stay free once all faults are over. A node that came back, or whose clock
    /// jumped, may have to wait for as long as the longest ttl, and a second for the grain of its uptime.
    package var livenessBound: Int64 {
        2 * ttl + max(quarantineLength, ttl) + Self.milliseconds(1_000) + reconnectBound + 3 * fallbackDelay + 20
            * (retryDelay + retryJitter + nodeTimeout) + Self.milliseconds(2_000)
    }

    /// The longest that a message takes there and back when nothing is wrong.
    var roundTrip: Int64 { 2 * (3 * delay + jitter) }

    /// How long a waiter may go without trying though the resource is free on a quorum and nothing is wrong.
    ///
    /// Without faults and among clients that tell each other it must be prompt: back-offs, doubled and doubled again.
    /// Otherwise the fallback sees to it, once the connections are there again.
    func wakeUpBound(hasFaults: Bool) -> Int64 {
        let prompt = 64 * roundTrip + nodeTimeout + Self.milliseconds(100)
        let fallback = 2 * fallbackDelay + 2 * (retryDelay + retryJitter)
        return prompt + (hasFaults ? fallback + reconnectBound : foreignClients > 0 ? fallback : 0)
    }
}
