/// What the core never exceeds. Each limit has its test.
@usableFromInline
package enum Limits {
    /// Nodes of one lock service. More would add latency and no availability worth having.
    package static let nodes = 15

    /// Bytes of one resource name, prefix included.
    package static let resourceBytes = 1_024

    /// Commands that wait for one node: unanswered, or queued until it is connected. Beyond it, votes fail at once.
    package static let commandsPerNode = 65_536

    /// Releases kept for one node that cannot be reached. Beyond it the oldest is dropped, and its key left to its ttl.
    package static let owedReleasesPerNode = 65_536

    /// Tries to repair a lease between one round that won and the next.
    package static let repairsPerRound = 8

    /// Commands that wait for one node, beyond which it is sent no repairs: others need it more.
    package static let commandsBeforeRepairs = 1_024

    /// Requests that an engine serves at the same time: waiting, held or being released.
    package static let locks = 1 << 24

    /// Grants in a row of one process on one resource while others wait. Then it lets them go first.
    package static let turnsInARow = 4

    /// Resources that one process subscribes to. Who waits for more is not told of releases, and goes by the clock.
    package static let watchedResources = 65_536

    /// A caller that does not wait for longer than this is not worth a subscription.
    package static let shortestWatchedWait = Nanoseconds.milliseconds(5)

    /// How long a resource is remembered, and subscribed to, after the last use of it that others contended for.
    package static let lineLinger = Nanoseconds.seconds(1)

    /// How long subscription connections are kept after the last subscription.
    package static let listenerLinger = Nanoseconds.seconds(30)

    /// Who is told that a resource is free waits for a random part of so many round trips. Those who come at the same time
    /// all the same are kept apart by the node that they ask first.
    package static let wakeRoundTrips: Int64 = 1

    /// How often that is doubled at most, when others were faster.
    package static let wakeDoublings: Int64 = 3

    /// What a server's word for its own age counts as at most: 30 days, longer than any quarantine at any drift.
    package static let longestUptime = Nanoseconds.seconds(30 * 86_400)

    /// How often a server is asked again what it is, at most.
    package static let lookInterval = Nanoseconds.seconds(1)

    /// How far apart two signs may be that a server kept every write, or served nobody, for the time between them to
    /// count. Looks are a second apart, and dials of a node that is away are, too.
    package static let durabilityGap = Nanoseconds.seconds(3)

    /// An array that serves one turn after the other keeps no more room than this when a crowd has been served, in
    /// elements.
    @usableFromInline package static let keptElements = 1_024
    /// The same for the commands that a turn has gathered to be sent, in bytes.
    package static let keptBytes = 65_536

    /// Servers that one node's address is remembered to have led to within the longest ttl. Beyond it the oldest is
    /// forgotten: a server that is started so often does not come back under its old run id.
    package static let recentServers = 8

    /// How late a shell may call an engine before this counts as a pause. Timers are late by up to 44 ms on a machine that
    /// is not busy.
    package static let shortestPause = Nanoseconds.milliseconds(50)

    /// Pauses of this process that an engine remembers. A lease that spans more is told of the last ones.
    package static let keptPauses = 8

    /// Calls of one request, or of one node beyond its commands, in one timer event. What is still due after them has to
    /// wait for the next timer event, so that an instant that stays due cannot keep the engine in this one.
    package static let callsPerTimer = 8

    /// Timer events in a row after which the engine is still due. With this many, the engine makes no progress: the shell
    /// backs off and reports it.
    package static let idleTimers = 16

    /// The pause between two timer events of an engine that makes no progress: doubled from the first to the longest.
    /// 10 ms is 100 events a second, which cost little, and is the longest that a deadline of another lock waits for this.
    package static let firstIdleDelay = Nanoseconds.milliseconds(1)
    package static let longestIdleDelay = Nanoseconds.milliseconds(10)

    /// The pause before a node is dialled again: doubled from the first to the last.
    package static let firstReconnectDelay = Nanoseconds.milliseconds(10)
    package static let lastReconnectDelay = Nanoseconds.seconds(1)

    /// Whether a connection has lasted long enough for the next pause to be the first again: as long as the last.
    ///
    /// Answers do not count. A node that answers and then closes would be dialled again hundreds of times in 10 s.
    static func isProven(connectedAt: Instant, at now: Instant) -> Bool {
        now - connectedAt >= lastReconnectDelay
    }

    /// Doubles with every failure in a row; random in its upper half, so that clients do not dial in step.
    static func reconnectDelay(after failures: Int, dice: UInt64) -> Nanoseconds {
        let half = min(firstReconnectDelay * (1 << Int64(min(failures, 10))), lastReconnectDelay) / 2
        return half + Nanoseconds(Int64(dice % UInt64(half.count + 1)))
    }
}
