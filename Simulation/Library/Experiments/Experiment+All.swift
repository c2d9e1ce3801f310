// The questions of the debate about Redlock. Each has a part in docs/experiments.md.

extension Experiment {
    package static var all: [Experiment] {
        [clockJump, clockRate, pause, persistence, nodes, ttl, outage]
    }
}

extension WorldOptions {
    /// Five nodes and three clients that want one lock all the time, for leases of 2 s that extend themselves: whatever
    /// can go wrong with a lease does not wait long for somebody to show it. Nothing is there to prevent it.
    init(hardLife: Void) {
        self.init()
        quarantine = 0
        guardsClocks = false
        selfExtending = 1_000
        cancelled = 0
        hold = Self.milliseconds(3_000)
        think = Self.milliseconds(20)
        wait = Self.milliseconds(6_000)
        checkToWrite = Self.milliseconds(50)
        visitsFirst = true
        // A lost number does harm to a client whose clock is behind it.
        wallSkew = Self.milliseconds(1_000)
    }
}

extension Experiment.Series {
    static let plain = Self("plain")
    static let quarantine = Self("quarantine") { $0.quarantine = -1_000 }
    static let clockGuard = Self("clock guard") { $0.guardsClocks = true }
    static let fencing = Self("fencing") { $0.fencedClients = $0.clients }
    static let everything = Self("all three") {
        $0.quarantine = -1_000
        $0.guardsClocks = true
        $0.fencedClients = $0.clients
    }
}

// MARK: - What goes wrong

extension Schedule {
    /// Faults begin until then.
    static let life = WorldOptions.milliseconds(20_000)

    /// Something happens again and again, on the average every `pause`.
    mutating func again(
        every pause: Int64, _ random: inout Randomness, _ make: (Int64, inout Randomness) -> Fault
    ) {
        var time = random.within(0...pause)
        while time < Self.life {
            faults.append(make(time / 1_000 * 1_000, &random))
            time += random.within(1...(2 * pause))
        }
    }

    /// Each node is cut off for 4 s, every 12 s, and keeps what it knows. So grants come from bare majorities as often
    /// as not, and a lease has no node to spare.
    mutating func cutNodesOff(_ random: inout Randomness) {
        for node in 0..<options.nodes {
            let clients = Array(0..<options.clients)
            again(every: WorldOptions.milliseconds(12_000), &random) { time, _ in
                Fault(.partition, at: time, nodes: [node], clients: clients, for: WorldOptions.milliseconds(4_000))
            }
        }
    }

    /// Each node loses its power for 200 ms, every 10 s.
    mutating func losePower(_ random: inout Randomness) {
        for node in 0..<options.nodes {
            again(every: WorldOptions.milliseconds(10_000), &random) { time, _ in
                Fault(.nodePowerLoss, at: time, nodes: [node], for: WorldOptions.milliseconds(200))
            }
        }
    }

    /// The wall clock of each node jumps forward, every 10 s.
    mutating func setClocks(by amount: Int64, _ random: inout Randomness) {
        for node in 0..<options.nodes {
            again(every: WorldOptions.milliseconds(10_000), &random) { time, _ in
                Fault(.nodeClockJump, at: time, nodes: [node]).with(amount: amount)
            }
        }
    }

    /// Each client stands still, every 9 s, for a time that is drawn each time.
    mutating func stopClients(
        _ random: inout Randomness, for length: (inout Randomness) -> Int64
    ) {
        for client in 0..<options.clients {
            again(every: WorldOptions.milliseconds(9_000), &random) { time, random in
                Fault(.clientPause, at: time, clients: [client], for: length(&random) / 1_000 * 1_000)
            }
        }
    }
}
