// Scenarios of nodes that forget, or do not.

extension Scenario {
    static var memories: [Scenario] {
        let lost = Expectation.inconclusive(doubleGrant, .memory)
        return [
            Scenario(
                "crash-amnesia", "a node of a bare majority restarts with nothing, and waits", grants: 1,
                marks: [.quarantined]
            ) { $0.crashAmnesia() },
            Scenario("crash-aof", "a node of a bare majority restarts with its log", grants: 1) {
                $0.holdBareMajority()
                $0.fault(.nodeKill, at: 1_200, nodes: [0], for: 200)
                $0.acquire(1, at: 1_700)
            },
            Scenario("crash-rdb", "a node of a bare majority restarts from an old snapshot", grants: 1) {
                $0.options.persistence = .snapshot
                $0.holdBareMajority()
                $0.fault(.nodeKill, at: 1_200, nodes: [0], for: 200)
                $0.acquire(1, at: 1_700)
            },
            Scenario("power-loss-everysec", "a node loses power, and the last second with it", grants: 1) {
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
            Scenario("failover-lagging-replica", "a replica takes over that has not seen the lock", grants: 1) {
                $0.holdBareMajority()
                $0.fault(.nodeFailover, at: 1_100, nodes: [0], amount: 1_000)
                $0.acquire(1, at: 1_500)
            },
            Scenario(
                "failover-unseen", "the same, and the other client meets the replica for the first time", grants: 1
            ) {
                $0.holdBareMajority()
                $0.fault(.nodeFailover, at: 1_100, nodes: [0], amount: 1_000)
                $0.fault(.clientCrash, at: 1_200, clients: [1], for: 100)
                $0.acquire(1, at: 1_500)
            },
        ]
    }

    // MARK: Settings and roles that change

    static var changes: [Scenario] {
        [
            Scenario(
                "log-rollout", "two nodes restart with a log that they did not have before, and a new client comes",
                grants: 1, marks: [.quarantined]
            ) {
                $0.options.persistence = .none
                $0.acquire(0, at: 200)
                $0.fault(.nodeKill, at: 900, nodes: [0, 1, 2], for: 200)
                $0.fault(.nodeSettings, at: 950, nodes: [0, 1, 2], for: 60_000, text: "aof-always")
                $0.fault(.clientCrash, at: 1_000, clients: [1], for: 300)
                $0.acquire(1, at: 1_500)
            },
            Scenario(
                "log-switched-off", "a log is switched off and, by a restart, on again; the other client saw it",
                grants: 2, marks: [.quarantined], seconds: 12
            ) {
                $0.switchLogOff(for: 3_500)
            },
            Scenario(
                "log-switched-off-unseen", "the same within the time that is taken on trust",
                .inconclusive(doubleGrant, .uptime), grants: 3, seconds: 12,
                simulatedOnly: "real runs are stretched, and the time that is taken on trust is not"
            ) {
                $0.switchLogOff(for: 700)
            },
            Scenario(
                "promotion", "a replica that is behind has the address of a node, and is promoted", grants: 1,
                marks: [.quarantined]
            ) {
                $0.holdBareMajority()
                $0.fault(.nodeReplica, at: 900, nodes: [0], for: 150, amount: 1_000)
                $0.acquire(1, at: 1_900)
            },
            Scenario(
                "info-denied", "a node that forgot may not be asked what it is", grants: 1, marks: [.quarantined]
            ) {
                $0.fault(.nodeInfoDenied, at: 0, nodes: [0], for: 60_000)
                $0.crashAmnesia()
            },
        ]
    }

    // MARK: Quarantine

    static var quarantines: [Scenario] {
        let lost = Expectation.inconclusive(doubleGrant, .memory)
        return [
            Scenario(
                "quarantine-on", "the node that forgot votes again once the lease is over", grants: 2,
                marks: [.quarantined]
            ) {
                $0.crashAmnesia()
                $0.acquire(1, at: 1_800, wait: 4_000)
            },
            Scenario("quarantine-off", "the node that forgot votes at once", lost, grants: 2) {
                $0.options.quarantine = 0
                $0.crashAmnesia()
            },
            Scenario(
                "quarantine-too-short", "it waits for a tenth of the longest ttl", lost, grants: 2,
                simulatedOnly: "the library takes no quarantine that is shorter than the longest ttl"
            ) {
                $0.options.quarantine = WorldOptions.milliseconds(200)
                $0.crashAmnesia()
            },
            Scenario(
                "quarantine-jumped-clock", "the clock of the node that forgot is set forward, and its uptime with it",
                grants: 1, marks: [.quarantined]
            ) {
                $0.crashAmnesia()
                $0.fault(.nodeClockJump, at: 1_401, nodes: [0], amount: 3_600_000)
            },
            Scenario(
                "quarantine-jumped-clock-believed", "the same, for a client that goes by the uptime",
                .violated(.overlap)
            ) {
                $0.mutant = "quarantine-by-node-clock"
                $0.options.guardsClocks = false
                $0.crashAmnesia()
                $0.fault(.nodeClockJump, at: 1_401, nodes: [0], amount: 3_600_000)
            },
            Scenario(
                "quarantine-jumped-clock-unseen", "the same, for a client that meets the node for the first time",
                .inconclusive(doubleGrant, .uptime), grants: 2,
                simulatedOnly: "nobody outside sees which servers a client has met"
            ) {
                $0.options.guardsClocks = false
                $0.crashAmnesia()
                $0.fault(.nodeClockJump, at: 1_401, nodes: [0], amount: 3_600_000)
                $0.fault(.clientCrash, at: 1_410, clients: [1], for: 100)
            },
        ]
    }
}
