extension Scenario {
    /// All of them, in the order of the manual.
    package static var all: [Scenario] {
        holders + clocks + memories + changes + quarantines + networks + extensions + services + fencing
            + shortages + greetings + machines + settings
    }

    package static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }

    static let doubleGrant: [Oracle] = [.overlap, .quorumMargin]

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
                "clock-jump-forward",
                "the clock of one node of a bare majority jumps past the ttl; nobody else gets in, the holder is told",
                .inconclusive([.quorumMargin], .clockSteps), grants: 1, marks: [.lossByClockJump]
            ) { $0.jumpOfBareMajority() },
            Scenario(
                "clock-jump-forward-unguarded", "the same, and nobody watches the clocks",
                .inconclusive([.overlap], .clockSteps), grants: 2
            ) {
                $0.options.guardsClocks = false
                $0.jumpOfBareMajority()
            },
            Scenario("clock-jump-forward-two-of-five", "two of five clocks jump; the other three hold", grants: 1) {
                $0.acquire(0, at: 100)
                $0.fault(.nodeClockJump, at: 500, nodes: [0, 1], amount: 5_000)
                $0.acquire(1, at: 600, wait: 500)
            },
            Scenario(
                "clock-jump-forward-three-of-five",
                "three of five clocks jump: a majority is free, until the holder has been told",
                .inconclusive([.quorumMargin], .clockSteps), grants: 1, marks: [.lossByClockJump]
            ) {
                $0.acquire(0, at: 100)
                $0.fault(.nodeClockJump, at: 900, nodes: [0, 1, 2], amount: 5_000)
                $0.acquire(1, at: 1_200, wait: 500)
            },
            Scenario(
                "clock-jump-forward-within-a-second", "the same, and both have read the clocks just before",
                .inconclusive([.overlap], .clockSteps), grants: 2,
                simulatedOnly: "on a real machine it takes three times as long, and the clocks are read meanwhile"
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
                "drift-beyond", "nodes a fifth faster than they should be: no lock is held for long"
            ) {
                $0.driftBeyond()
            },
            Scenario(
                "drift-beyond-unguarded", "the same, and nobody watches the clocks",
                .inconclusive(doubleGrant, .clockRates)
            ) {
                $0.options.guardsClocks = false
                $0.driftBeyond()
            },
            Scenario("client-wall-jump", "the wall clock of a holder jumps to and fro; nothing reads it", grants: 2) {
                $0.acquire(0, at: 100)
                $0.fault(.clientClockJump, at: 500, clients: [0], amount: -3_600_000)
                $0.fault(.clientClockJump, at: 900, clients: [0], amount: 7_200_000)
                $0.acquire(1, at: 200, wait: 5_000)
            },
        ]
    }
}
