extension Scenario {
    /// All of them, in the order of the manual.
    package static var all: [Scenario] { holders + clocks + memories + networks + extensions + services }

    package static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }

    /// What needs parts of the core that are not there yet.
    package static let notApplicableYet: [(name: String, needs: String)] = [
        ("gc-pause-fenced", "fencing tokens"),
        ("quarantine-on", "quarantine of nodes that lost their memory"),
        ("quarantine-off", "quarantine of nodes that lost their memory"),
        ("quarantine-too-short", "quarantine of nodes that lost their memory"),
        ("quarantine-jumped-clock", "quarantine of nodes that lost their memory"),
    ]

    private static let doubleGrant: [Oracle] = [.overlap, .quorumMargin]

    // MARK: Holders

    private static var holders: [Scenario] {
        [
            Scenario("happy-path", "one locks, writes and unlocks; then the other", grants: 2) {
                $0.acquire(0, at: 100)
                $0.then(.write, 0, at: 200)
                $0.then(.release, 0, at: 500)
                $0.acquire(1, at: 600)
                $0.then(.write, 1, at: 700)
                $0.then(.release, 1, at: 800)
            },
            Scenario(
                "gc-pause-before-check", "a holder stands still past its ttl, then checks before it writes", grants: 2,
                marks: [.writeRefusedByCheck]
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.clientPause, at: 300, clients: [0], for: 3_000)
                $0.then(.write, 0, at: 1_000)
                $0.acquire(1, at: 400, wait: 5_000)
            },
            Scenario(
                "gc-pause-during-acquire", "a client stands still while the nodes answer; the grants come too late",
                grants: 1
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.clientPause, at: 100.2, clients: [0], for: 3_000)
                $0.acquire(1, at: 200, wait: 5_000)
            },
            Scenario(
                "gc-pause-after-check", "a holder stands still between its check and its write",
                .inconclusive([.staleWrite], .promptWrites), grants: 2
            ) {
                $0.acquire(0, at: 100)
                $0.then(.write, 0, at: 500, delay: 10)
                $0.fault(.clientPause, at: 505, clients: [0], for: 3_000)
                $0.acquire(1, at: 600, wait: 5_000)
            },
            Scenario(
                "client-suspend", "a holder's machine sleeps past the ttl", grants: 2, marks: [.writeRefusedByCheck]
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.clientSuspend, at: 300, clients: [0], for: 3_000)
                $0.acquire(1, at: 400, wait: 5_000)
                $0.then(.write, 0, at: 3_500)
            },
            Scenario(
                "client-crash-holding", "a holder dies; the other gets the lock when the ttl is over", grants: 2,
                marks: [.clientCrashedHolding]
            ) {
                $0.acquire(0, at: 100, extendsItself: true)
                $0.fault(.clientCrash, at: 1_000, clients: [0], for: 6_000)
                $0.acquire(1, at: 1_100, wait: 5_000)
            },
            Scenario(
                "cancel-mid-acquire", "a caller gives up while the nodes answer; the lock is free at once", grants: 1,
                marks: [.cancelled]
            ) {
                $0.acquire(0, at: 100)
                $0.then(.cancel, 0, at: 100.3)
                $0.acquire(1, at: 120)
            },
        ]
    }

    // MARK: Clocks

    private static var clocks: [Scenario] {
        [
            Scenario(
                "clock-jump-forward", "the clock of one node of a bare majority jumps past the ttl",
                .inconclusive(doubleGrant, .clockSteps), grants: 2
            ) {
                $0.holdBareMajority()
                $0.fault(.nodeClockJump, at: 1_200, nodes: [0], amount: 5_000)
                $0.acquire(1, at: 1_500)
            },
            Scenario("clock-jump-forward-two-of-five", "two of five clocks jump; the other three hold", grants: 1) {
                $0.acquire(0, at: 100)
                $0.fault(.nodeClockJump, at: 500, nodes: [0, 1], amount: 5_000)
                $0.acquire(1, at: 600, wait: 500)
            },
            Scenario(
                "clock-jump-forward-three-of-five", "three of five clocks jump: a majority is free",
                .inconclusive(doubleGrant, .clockSteps), grants: 2
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.nodeClockJump, at: 500, nodes: [0, 1, 2], amount: 5_000)
                $0.acquire(1, at: 600, wait: 500)
            },
            Scenario("clock-jump-back", "clocks are set back: keys live longer, nothing else", grants: 2) {
                $0.acquire(0, at: 100)
                $0.fault(.clientCrash, at: 500, clients: [0], for: 7_000)
                $0.fault(.nodeClockJump, at: 600, nodes: [0, 1, 2], amount: -1_000)
                $0.acquire(1, at: 700, wait: 5_000)
            },
            Scenario("drift-within", "nodes as fast and clients as slow as is allowed for", grants: 2) {
                $0.spreadClocks()
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 200, wait: 5_000)
            },
            Scenario(
                "drift-beyond", "nodes a fifth faster than they should be", .inconclusive(doubleGrant, .clockRates)
            ) {
                $0.options.nodeRates = Array(repeating: 200_000_000, count: 5)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 200, wait: 5_000)
            },
            Scenario("client-wall-jump", "the wall clock of a holder jumps to and fro; nothing reads it", grants: 2) {
                $0.acquire(0, at: 100)
                $0.fault(.clientClockJump, at: 500, clients: [0], amount: -3_600_000)
                $0.fault(.clientClockJump, at: 900, clients: [0], amount: 7_200_000)
                $0.acquire(1, at: 200, wait: 5_000)
            },
        ]
    }

    // MARK: Memories

    private static var memories: [Scenario] {
        let lost = Expectation.inconclusive(doubleGrant, .memory)
        return [
            Scenario("crash-amnesia", "a node of a bare majority restarts with nothing", lost, grants: 2) {
                $0.options.persistence = .none
                $0.holdBareMajority()
                $0.fault(.nodeKill, at: 1_200, nodes: [0], for: 200)
                $0.acquire(1, at: 1_700)
            },
            Scenario("crash-aof", "a node of a bare majority restarts with its log", grants: 1) {
                $0.holdBareMajority()
                $0.fault(.nodeKill, at: 1_200, nodes: [0], for: 200)
                $0.acquire(1, at: 1_700)
            },
            Scenario("crash-rdb", "a node of a bare majority restarts from an old snapshot", lost, grants: 2) {
                $0.options.persistence = .snapshot
                $0.holdBareMajority()
                $0.fault(.nodeKill, at: 1_200, nodes: [0], for: 200)
                $0.acquire(1, at: 1_700)
            },
            Scenario("power-loss-everysec", "a node loses power, and the last second with it", lost, grants: 2) {
                $0.options.persistence = .aofEverySecond
                $0.holdBareMajority()
                $0.fault(.nodePowerLoss, at: 900, nodes: [0], for: 300)
                // The first try finds out that the connection is dead.
                $0.acquire(1, at: 950)
                $0.acquire(1, at: 1_750)
            },
            Scenario("power-loss-always", "a node loses power, and nothing else", grants: 1) {
                $0.holdBareMajority()
                $0.fault(.nodePowerLoss, at: 900, nodes: [0], for: 300)
                $0.acquire(1, at: 950)
                $0.acquire(1, at: 1_750)
            },
            Scenario(
                "resurrected-lock",
                "nodes lose power and the last second, in which the lock was released: it is there again",
                grants: 2
            ) {
                $0.options.persistence = .aofEverySecond
                $0.acquire(0, at: 100)
                $0.then(.release, 0, at: 1_100)
                $0.fault(.nodePowerLoss, at: 1_300, nodes: [0, 1, 2, 3, 4], for: 200)
                $0.acquire(1, at: 1_600, wait: 6_000)
            },
            Scenario("mass-restart", "all nodes restart at once, with their logs", grants: 1, marks: [.extended]) {
                $0.acquire(0, at: 100, extendsItself: true)
                $0.fault(.nodeKill, at: 1_000, nodes: [0, 1, 2, 3, 4], for: 100)
                $0.then(.release, 0, at: 3_000)
            },
            Scenario("flushall-one", "one node of five loses all keys", grants: 1) {
                $0.acquire(0, at: 100)
                $0.fault(.nodeFlush, at: 500, nodes: [0])
                $0.acquire(1, at: 600, wait: 500)
            },
            Scenario("flushall-of-bare-majority", "one node of a bare majority loses all keys", lost, grants: 2) {
                $0.holdBareMajority()
                $0.fault(.nodeFlush, at: 1_200, nodes: [0])
                $0.acquire(1, at: 1_500)
            },
            Scenario("eviction", "one node of a bare majority evicts the key", lost, grants: 2) {
                $0.holdBareMajority()
                $0.fault(.nodeEvict, at: 1_200, nodes: [0])
                $0.acquire(1, at: 1_500)
            },
            Scenario("failover-lagging-replica", "a replica takes over that has not seen the lock", lost, grants: 2) {
                $0.holdBareMajority()
                $0.fault(.nodeFailover, at: 1_100, nodes: [0], amount: 1_000)
                $0.acquire(1, at: 1_500)
            },
        ]
    }

    // MARK: Networks

    private static var networks: [Scenario] {
        [
            Scenario(
                "paused-node-late-set-released",
                "three nodes stand still and execute the SETs later; the releases follow",
                grants: 1, marks: [.lateSetAfterRelease]
            ) {
                $0.fault(.nodePause, at: 90, nodes: [0, 1, 2], for: 310)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 450)
            },
            Scenario(
                "paused-node-late-set-not-released", "the same, with releases only for nodes that granted",
                .violated(.orphanKey)
            ) {
                $0.mutant = "release-where-granted"
                $0.fault(.nodePause, at: 90, nodes: [0, 1, 2], for: 310)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 450)
            },
            Scenario(
                "late-set-new-connection",
                "a SET waits in a connection that was given up, and arrives after the release",
                grants: 1, marks: [.setOnOldConnection]
            ) {
                $0.fault(.partition, at: 90, nodes: [0, 1, 2], clients: [0], for: 1_110)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 1_600, wait: 5_000)
            },
            Scenario(
                "asymmetric-partition", "a client's commands arrive and the answers do not", grants: 2,
                marks: [.unavailable]
            ) {
                // So that the nodes know the scripts: an unknown one needs a second message, after an answer.
                $0.acquire(1, at: 20)
                $0.then(.release, 1, at: 40)
                $0.fault(.partition, at: 90, nodes: [0, 1, 2, 3], clients: [0], for: 500, direction: .toClient)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 300)
            },
            Scenario(
                "majority-partition", "one client reaches a minority, the other all", grants: 1, marks: [.unavailable]
            ) {
                $0.fault(.partition, at: 50, nodes: [0, 1, 2], clients: [0], for: 4_000)
                $0.acquire(0, at: 100, wait: 1_000)
                $0.acquire(1, at: 2_500)
            },
            Scenario("split-vote", "two clients, each near half of four nodes, want the same again and again") {
                $0.options.scripted = false
                $0.splitVotes()
            },
            Scenario("heal-liveness", "nobody reaches anybody for 3 s; then all goes on") {
                $0.options.scripted = false
                $0.fault(.partition, at: 1_000, nodes: [0, 1, 2, 3, 4], clients: [0, 1], for: 3_000)
                $0.healAt = WorldOptions.milliseconds(4_000)
                $0.endAt = $0.healAt + 2 * $0.options.livenessBound
            },
            Scenario("error-replies", "three nodes answer with errors for a second", grants: 1, marks: [.errorReply]) {
                $0.fault(.nodeErrors, at: 90, nodes: [0, 1], for: 1_000, text: Schedule.errors[2])
                $0.fault(.nodeErrors, at: 90, nodes: [2], for: 1_000, text: Schedule.errors[0])
                $0.acquire(0, at: 100, wait: 3_000)
            },
        ]
    }

    // MARK: Extensions

    private static var extensions: [Scenario] {
        [
            Scenario(
                "bare-majority-then-loss", "a node of a bare majority dies for good: the loss is told ahead", grants: 1,
                marks: [.extensionFailed, .lossTold]
            ) {
                $0.fault(.nodeKill, at: 10, nodes: [3, 4], for: 590)
                $0.acquire(0, at: 200, extendsItself: true)
                $0.fault(.nodeKill, at: 700, nodes: [0], for: 6_000)
            },
            Scenario(
                "extension-late", "the answers to an extension are read after the lease's end", grants: 2,
                marks: [.lossByExpiry]
            ) {
                $0.acquire(0, at: 100)
                $0.then(.extend, 0, at: 1_700)
                $0.fault(.clientPause, at: 1_700.2, clients: [0], for: 3_500)
                $0.acquire(1, at: 1_800, wait: 5_000)
            },
            Scenario(
                "extension-partial", "an extension reaches two of five nodes: the old end stays", grants: 2,
                marks: [.extensionFailed]
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.partition, at: 900, nodes: [0, 1, 2], clients: [0], for: 5_000)
                $0.then(.extend, 0, at: 1_000)
                $0.acquire(1, at: 1_200, wait: 5_000)
            },
            Scenario(
                "extension-shorter-ttl", "an extension by less than is left takes nothing away", grants: 1,
                marks: [.extended]
            ) {
                $0.acquire(0, at: 100)
                $0.then(.extend, 0, at: 200, ttl: 300)
                $0.acquire(1, at: 700, wait: 700)
            },
        ]
    }

    // MARK: Services

    private static var services: [Scenario] {
        [
            Scenario("even-n", "four nodes: three are a majority, two are not", grants: 1, marks: [.unavailable]) {
                $0.options.nodes = 4
                $0.fault(.nodeKill, at: 10, nodes: [0, 1], for: 1_000)
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 3_000)
            },
            Scenario("single-node", "one node: the plain lock on a single server", grants: 2) {
                $0.options.nodes = 1
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 200, wait: 5_000)
                $0.then(.release, 0, at: 1_000)
            },
            Scenario(
                "config-mismatch", "two clients are configured with different nodes",
                .inconclusive([.overlap], .oneNodeList), grants: 2
            ) {
                $0.options.views = [[0, 1, 2], [2, 3, 4]]
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 300)
            },
        ]
    }
}
