import RedlockCore

// Scenarios of fencing tokens: what they add, and where they end.

extension Scenario {
    static var fencing: [Scenario] {
        [
            Scenario(
                "gc-pause-fenced", "a holder stands still between its check and its write; the resource refuses it",
                grants: 2, marks: [.writeFenced]
            ) {
                $0.writeLate()
                $0.acquire(1, at: 600, wait: 5_000)
                $0.then(.write, 1, at: 3_000, delay: 1)
            },
            Scenario(
                "fencing-clock-behind", "the second holder's clock is an hour behind: its number is raised", grants: 2,
                marks: [.numberRaised, .writeFenced]
            ) {
                $0.writeLate()
                $0.fault(.clientClockJump, at: 50, clients: [0], amount: 3_600_000)
                $0.acquire(1, at: 600, wait: 5_000)
                $0.then(.write, 1, at: 3_000, delay: 1)
            },
            Scenario(
                "fencing-raise-on-bare-majority", "only one of the nodes that grant knows the higher number", grants: 2,
                marks: [.numberRaised, .quorumExactly]
            ) {
                $0.fenceAll()
                $0.fault(.clientClockJump, at: 50, clients: [0], amount: 3_600_000)
                $0.holdBareMajority()
                $0.then(.release, 0, at: 1_000)
                $0.fault(.nodeKill, at: 1_100, nodes: [0, 1], for: 5_000)
                $0.acquire(1, at: 1_500, wait: 1_000)
            },
            Scenario(
                "fencing-memory-lost", "all nodes forget their numbers; clocks that agree keep them rising", grants: 2,
                marks: [.writeFenced]
            ) {
                $0.writeLate()
                $0.fault(.nodeFlush, at: 2_300, nodes: [0, 1, 2, 3, 4])
                $0.acquire(1, at: 2_400)
                $0.then(.write, 1, at: 2_500, delay: 1)
            },
            Scenario(
                "fencing-memory-lost-clocks-apart",
                "a majority forgets its numbers, and the next holder's clock is behind: what fencing does not withstand",
                .inconclusive([.fencingOrder, .outOfOrderWrite], .numbers), grants: 2
            ) {
                $0.writeLate()
                $0.fault(.clientClockJump, at: 50, clients: [0], amount: 3_600_000)
                $0.fault(.nodeFlush, at: 2_300, nodes: [0, 1, 2])
                $0.fault(.nodeKill, at: 2_310, nodes: [3, 4], for: 3_000)
                $0.acquire(1, at: 2_400, wait: 1_000)
                $0.then(.write, 1, at: 3_450, delay: 1)
            },
            Scenario(
                "fencing-mixed", "the second holder has no token: the resource cannot know that the first is late",
                .inconclusive([.staleWrite], .promptWrites), grants: 2
            ) {
                $0.writeLate()
                $0.options.fencedClients = 1
                $0.acquire(1, at: 600, wait: 5_000)
                $0.then(.write, 1, at: 3_000, delay: 1)
            },
            Scenario(
                "fencing-number-bad", "one node has a number beyond all; its vote fails, and tokens stay sane",
                grants: 2,
                marks: [.errorReply]
            ) {
                $0.fenceAll()
                $0.fault(.nodeBadNumber, at: 50, nodes: [1], for: 60_000, amount: (1 << 53) - 2)
                $0.acquire(0, at: 100)
                $0.then(.release, 0, at: 500)
                $0.acquire(1, at: 600, wait: 1_000)
            },
            Scenario(
                "fencing-number-lied", "one node reports the highest number that there is; nobody adopts it", grants: 3
            ) {
                $0.fenceAll()
                $0.fault(.nodeBadNumber, at: 50, nodes: [1], for: 60_000, amount: Limits.fencingNumber - 1)
                $0.acquire(0, at: 100)
                $0.then(.release, 0, at: 500)
                $0.acquire(1, at: 600, wait: 1_000)
                $0.then(.release, 1, at: 1_000)
                $0.acquire(0, at: 1_100, wait: 1_000)
            },
            Scenario(
                "fencing-numbers-forgotten",
                "old numbers are deleted, and the next client's clock is behind: the floor is in their place",
                grants: 2,
                marks: [.numberRaised]
            ) {
                $0.fenceAll()
                $0.acquire(0, at: 100)
                $0.then(.release, 0, at: 500)
                $0.fault(.nodeForgetNumbers, at: 1_000, nodes: [0, 1, 2, 3, 4], amount: 100)
                $0.fault(.clientClockJump, at: 1_100, clients: [1], amount: -3_600_000)
                $0.acquire(1, at: 1_200, wait: 1_000)
            },
            Scenario("fencing-mixed-excludes", "with a token or without, one holds at a time", grants: 1) {
                $0.options.fencedClients = 1
                $0.acquire(0, at: 100)
                $0.acquire(1, at: 600, wait: 500)
            },
            Scenario(
                "fencing-overtaken",
                "answers to the first are late, clocks jump: two hold at once, and the later grant has the lower token",
                .inconclusive([.fencingOvertaken], .clockSteps), grants: 3
            ) {
                $0.fenceAll()
                $0.options.nodeTimeout = WorldOptions.milliseconds(1_500)
                // Once before, so that the nodes know the scripts.
                $0.acquire(1, at: 20)
                $0.then(.release, 1, at: 50)
                $0.acquire(0, at: 100)
                $0.fault(.partition, at: 100.2, nodes: [0, 1, 2, 3, 4], clients: [0], for: 300, direction: .toClient)
                $0.fault(.nodeClockJump, at: 150, nodes: [0, 1, 2, 3, 4], amount: 5_000)
                $0.acquire(1, at: 200)
            },
        ]
    }
}

extension Schedule {
    mutating func fenceAll() {
        options.fencedClients = options.clients
    }

    /// Client 0 checks its lease at 0.5 s, and its write leaves at 3.5 s.
    fileprivate mutating func writeLate() {
        fenceAll()
        acquire(0, at: 100)
        then(.write, 0, at: 500, delay: 10)
        fault(.clientPause, at: 505, clients: [0], for: 3_000)
    }
}
