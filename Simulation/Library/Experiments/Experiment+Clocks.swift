// What clocks of nodes do.

extension Experiment {
    static let clockJump = Experiment(
        name: "clock-jump", question: "What if the clock of a node jumps forward?",
        setting:
            "Five nodes. The wall clock of each is set forward every 10 s on the average, and each is cut off for 4 s "
            + "every 12 s. Three clients, ttl 2 s, leases extend themselves.",
        axis: "length of the jump",
        points: [
            Point("200 ms", 200), Point("500 ms", 500), Point("1 s", 1_000), Point("2 s", 2_000),
            Point("1 h", 3_600_000),
        ],
        series: [.plain, .clockGuard, .fencing, .everything], measure: .safety
    ) { schedule, amount, random in
        schedule.cutNodesOff(&random)
        schedule.setClocks(by: WorldOptions.milliseconds(amount), &random)
    }

    static let clockRate = Experiment(
        name: "clock-rate", question: "What if the clocks of the nodes run fast?",
        setting:
            "Five nodes, whose clocks all run too fast by as much; the library allows for 1 %. Each node is cut off for "
            + "4 s every 12 s. Three clients, ttl 2 s. Leases are extended by hand now and then, but for the one column.",
        axis: "clocks fast by",
        points: [
            Point("1 %", 10), Point("2 %", 20), Point("5 %", 50), Point("10 %", 100),
            Point("20 %", 200), Point("50 %", 500),
        ],
        series: [
            .plain, Series("no loss margin") { $0.lossMargin = 0 }, .clockGuard, .fencing,
            Series("extended by itself") { $0.selfExtending = 1_000 },
        ], measure: .safety,
        world: { world, amount in
            world.selfExtending = 0
            world.nodeRates = Array(repeating: amount * 1_000_000, count: world.nodes)
        }
    ) { schedule, _, random in
        schedule.cutNodesOff(&random)
    }
}
