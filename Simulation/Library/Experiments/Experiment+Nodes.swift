// What nodes forget, how many there are, and how many may be down.

extension Experiment {
    static let persistence = Experiment(
        name: "persistence", question: "What if a node comes back without what it knew?",
        setting:
            "Five nodes. Each loses its power for 200 ms every 10 s on the average, and is cut off for 4 s every 12 s. "
            + "Three clients, ttl 2 s, leases extend themselves; snapshots are taken every 5 s.",
        axis: "persistence",
        points: [
            Point("AOF, always", 0), Point("AOF, every second", 1), Point("snapshots", 2), Point("none", 3),
        ],
        series: [.plain, .quarantine, .fencing], measure: .safety,
        world: { $0.persistence = WorldOptions.Persistence.allCases[Int($1)] }
    ) { schedule, _, random in
        schedule.cutNodesOff(&random)
        schedule.losePower(&random)
    }

    static let nodes = Experiment(
        name: "nodes", question: "How many nodes?",
        setting:
            "Nodes without persistence. Each loses its power for 200 ms every 10 s on the average, and is cut off for "
            + "4 s every 12 s, however many there are. Three clients, ttl 2 s, leases extend themselves.",
        axis: "nodes", points: [1, 2, 3, 4, 5, 7, 9].map { Point("\($0)", $0) },
        series: [.plain, .quarantine, .fencing], measure: .safety,
        world: { world, amount in
            world.nodes = Int(amount)
            world.persistence = .none
        }
    ) { schedule, _, random in
        schedule.cutNodesOff(&random)
        schedule.losePower(&random)
    }

    static let outage = Experiment(
        name: "outage", question: "How many nodes may be down, and what does it cost?",
        setting:
            "So many nodes are down at any time, others every 2 s: they are killed, and come back with what they knew, or "
            + "(last column) with nothing. One client that wants the lock again and again, each time for up to "
            + "1 s; ttl 2 s, round trips of 1 to 4 ms, node timeout 50 ms.",
        axis: "nodes down", points: (0...4).map { Point("\($0)", $0) },
        series: [3, 5, 7].map { nodes in Series("\(nodes) nodes") { $0.nodes = nodes } } + [
            Series("5 nodes, forgetting, quarantine") {
                $0.persistence = .none
                $0.quarantine = -1_000
            }
        ], measure: .service,
        world: { world, _ in
            world.clients = 1
            world.hold = WorldOptions.milliseconds(100)
            world.wait = WorldOptions.milliseconds(1_000)
            world.selfExtending = 0
        }
    ) { schedule, amount, random in
        let turn = WorldOptions.milliseconds(2_000)
        for time in stride(from: 0, to: Schedule.life, by: Int(turn)) {
            var up = Array(0..<schedule.options.nodes)
            var down: [Int] = []
            while down.count < amount, !up.isEmpty {
                down.append(up.remove(at: Int(random.below(Int64(up.count)))))
            }
            guard !down.isEmpty else { continue }
            schedule.faults.append(Fault(.nodeKill, at: time, nodes: down.sorted(), for: turn))
        }
    }
}
