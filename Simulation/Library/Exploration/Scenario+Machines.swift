// Scenarios of memory that runs out, answers that are wrong, machines that stop, and clients that are configured each in
// its own way.

extension Scenario {
    static var shortages: [Scenario] {
        let lost = Expectation.inconclusive(doubleGrant, .memory)
        return [
            Scenario(
                "out-of-memory",
                "three nodes refuse writes; a held lease is extended and released, a new one is not granted",
                grants: 2, marks: [.outOfMemory, .extended, .unavailable]
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.nodeMemory, at: 500, nodes: [0, 1, 2], for: 3_000, amount: 1_000, text: "noeviction")
                $0.then(.extend, 0, at: 1_000)
                $0.then(.release, 0, at: 1_500)
                $0.acquire(1, at: 2_000)
                $0.acquire(1, at: 4_000)
            },
            Scenario(
                "eviction-of-locks", "a node of a bare majority evicts keys that expire, and has memory again", lost,
                grants: 2, marks: [.evicted]
            ) {
                $0.holdBareMajority()
                $0.fault(.nodeMemory, at: 1_000, nodes: [0], for: 200, amount: 1_000, text: "volatile-ttl")
                $0.acquire(1, at: 1_500)
            },
            Scenario(
                "eviction-of-numbers", "all nodes evict keys of all kinds; the wall clock of the next holder is behind",
                .inconclusive([.fencingOrder], .numbers), grants: 2, marks: [.evicted]
            ) {
                $0.options.fencedClients = 2
                $0.acquire(0, at: 100)
                $0.then(.release, 0, at: 500)
                $0.fault(.clientClockJump, at: 550, clients: [1], amount: -60_000)
                $0.fault(
                    .nodeMemory, at: 600, nodes: [0, 1, 2, 3, 4], for: 1_500, amount: 1_000, text: "allkeys-lru")
                $0.acquire(1, at: 2_500)
            },
            Scenario(
                "eviction-keeps-numbers", "the same with a policy that evicts only keys with an expiry", grants: 2
            ) {
                $0.options.fencedClients = 2
                $0.acquire(0, at: 100)
                $0.then(.release, 0, at: 500)
                $0.fault(.clientClockJump, at: 550, clients: [1], amount: -60_000)
                $0.fault(
                    .nodeMemory, at: 600, nodes: [0, 1, 2, 3, 4], for: 1_500, amount: 1_000, text: "volatile-lru")
                $0.acquire(1, at: 2_500)
            },
        ]
    }

    static var greetings: [Scenario] {
        let malformed: [(name: String, defect: Fault.GreetingDefect, words: String)] = [
            ("greeting-without-run-id", .noRunID, "has no run_id"),
            ("greeting-without-uptime", .noUptime, "has no uptime"),
            ("greeting-uptime-no-number", .uptimeNoNumber, "has an uptime that is no number"),
            ("greeting-unknown-role", .unknownRole, "has a role that is none"),
            ("greeting-changing-run-id", .changingRunID, "has another run_id each time"),
            ("greeting-changing-role", .changingRole, "says replica and primary by turns"),
        ]
        return malformed.map { name, defect, words in
            Scenario(
                name, "a node that forgot votes late: its INFO \(words)", grants: 1,
                marks: defect == .changingRole ? [] : [.quarantined]
            ) {
                $0.crashAmnesia()
                $0.fault(.nodeGreeting, at: 0, nodes: [0], for: 60_000, text: defect.rawValue)
                // A client that meets the node for the first time.
                $0.fault(.clientCrash, at: 1_405, clients: [1], for: 100)
            }
        } + [
            Scenario(
                "greeting-long-uptime", "a node that forgot says that it has been running for an hour",
                .inconclusive(doubleGrant, .uptime), grants: 2
            ) {
                $0.crashAmnesia()
                $0.fault(
                    .nodeGreeting, at: 0, nodes: [0], for: 60_000, amount: 3_600_000,
                    text: Fault.GreetingDefect.longUptime.rawValue)
                $0.fault(.clientCrash, at: 1_405, clients: [1], for: 100)
            },
            Scenario(
                "greeting-long-uptime-known", "the same, for a client that knew the process before it", grants: 1,
                marks: [.quarantined]
            ) {
                $0.crashAmnesia()
                $0.fault(
                    .nodeGreeting, at: 0, nodes: [0], for: 60_000, amount: 3_600_000,
                    text: Fault.GreetingDefect.longUptime.rawValue)
            },
        ]
    }

    static var machines: [Scenario] {
        let stopped = Expectation.inconclusive(doubleGrant, .bootClocks)
        return [
            Scenario(
                "machine-stopped", "the machine of a holder is stopped past the ttl; its wall clock tells the holder",
                stopped, grants: 2, marks: [.inDoubt, .writeRefusedByCheck]
            ) { $0.stopHolder() },
            Scenario(
                "machine-stopped-unnoticed", "the same, and nobody looks at the wall clock", .violated(.clockGuard)
            ) {
                $0.mutant = "client-gain-ignored"
                $0.stopHolder()
            },
            Scenario(
                "machine-stopped-unguarded",
                "the same, and clients do not watch clocks: the late write reaches the resource",
                .inconclusive([.staleWrite], .bootClocks), grants: 2
            ) {
                $0.options.guardsClocks = false
                $0.stopHolder()
            },
            Scenario(
                "machine-stopped-wall-clock-late",
                "the same, and the wall clock stays behind: the nodes' clocks tell the holder, a second later",
                stopped, grants: 2, marks: [.lossByClockJump]
            ) { $0.stopHolder(wallIsRightAfter: 60_000) },
            Scenario(
                "machine-stopped-shortly",
                "the machine of a holder is stopped for a part of the ttl; the wall clock and the nodes' clocks show it",
                grants: 1, marks: [.inDoubt, .lossByClockJump]
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.clientStop, at: 500, clients: [0], for: 700)
                $0.acquire(1, at: 1_600)
            },
            Scenario(
                "machine-stopped-acquiring",
                "a client's machine is stopped while the nodes answer; the grants come too late",
                grants: 1, marks: [.expiredWhileAcquiring]
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.clientStop, at: 100.2, clients: [0], for: 3_000)
                $0.acquire(1, at: 200, wait: 5_000)
            },
            Scenario(
                "machine-restored", "a node of a bare majority goes on from an old snapshot of its memory",
                .inconclusive(doubleGrant, .memory), grants: 2
            ) {
                $0.holdBareMajority()
                $0.fault(.nodeRestore, at: 1_100, nodes: [0], amount: 1_000)
                $0.acquire(1, at: 1_500)
            },
            Scenario(
                "log-being-written",
                "a log is switched on, and the node dies before it is written; the other client waits",
                grants: 1, marks: [.quarantined]
            ) {
                $0.options.persistence = .none
                $0.options.logTime = WorldOptions.milliseconds(5_000)
                $0.fault(.nodeSettings, at: 50, nodes: [0, 1, 2], for: 60_000, text: "aof-always")
                $0.holdBareMajority()
                $0.fault(.nodeKill, at: 1_200, nodes: [0, 1, 2], for: 200)
                $0.acquire(1, at: 1_700)
            },
        ]
    }

    static var settings: [Scenario] {
        [
            Scenario(
                "settings-differ", "a client with a short ttl and one with a long one, each with its own node timeout",
                grants: 2
            ) {
                $0.clients { $0.ttl = WorldOptions.milliseconds(500) }
                $0.options.clientSettings[0].nodeTimeout = WorldOptions.milliseconds(20)
                $0.options.clientSettings[0].driftPartsPerMillion = 50_000
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 200, wait: 5_000)
            },
            Scenario(
                "settings-short-quarantine",
                "a client that reckons with shorter ttls lets a node vote that forgot a long one",
                .inconclusive(doubleGrant, .longestTTL), grants: 2
            ) {
                $0.crashAmnesia()
                $0.script.removeAll { $0.worker == 1 }
                $0.clients {
                    $0.ttl = WorldOptions.milliseconds(200)
                    $0.longestTTL = WorldOptions.milliseconds(200)
                }
                $0.options.clientSettings.reverse()
                $0.acquire(1, at: 1_750)
            },
            Scenario(
                "maximum-hold",
                "a lease that extends itself ends by its maximum hold, and the other client gets the lock",
                grants: 2, losses: 2, marks: [.extended, .lossByMaximumHold]
            ) {
                $0.acquire(0, at: 100, extendsItself: true, maximumHold: 4_000)
                $0.acquire(1, at: 200, wait: 7_000)
            },
            Scenario(
                "maximum-attempts", "a client that waits gives up after two attempts", grants: 1,
                marks: [.attemptsSpent]
            ) {
                $0.acquire(0, at: 100, extendsItself: true)
                $0.acquire(1, at: 200, wait: 7_000, maximumAttempts: 2)
            },
            Scenario(
                "extension-by-other-ttls",
                "a lease is extended by a shorter ttl, which changes nothing, and a longer one",
                grants: 2, marks: [.extended]
            ) {
                $0.acquire(0, at: 100)
                $0.script[0].ttl = WorldOptions.milliseconds(1_000)
                $0.then(.extend, 0, at: 300, ttl: 500)
                $0.then(.write, 0, at: 850)
                $0.then(.extend, 0, at: 900, ttl: 2_000)
                $0.acquire(1, at: 1_000, wait: 5_000)
            },
        ]
    }
}

extension Schedule {
    /// The machine of client 0, which holds the lock, is stopped past the ttl. Client 1 gets the lock, and client 0 means to
    /// write after its engine has had a turn.
    fileprivate mutating func stopHolder(wallIsRightAfter delay: Int64 = 0) {
        acquire(0, at: 100)
        fault(.clientStop, at: 300, clients: [0], for: 3_000, amount: delay)
        acquire(1, at: 400, wait: 5_000)
        then(.write, 0, at: 4_450)
    }

    /// Client 0 has settings of its own, and all others the world's.
    fileprivate mutating func clients(_ set: (inout ClientSettings) -> Void) {
        options.clientSettings = [ClientSettings(), ClientSettings()]
        set(&options.clientSettings[0])
    }
}
