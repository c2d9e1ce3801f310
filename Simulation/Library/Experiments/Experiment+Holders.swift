// What holders do: stand still between looking at the clock and writing.

extension Experiment {
    static let pause = Experiment(
        name: "pause", question: "What if a client stands still, as in a long collection of garbage?",
        setting: "Each of three clients stands still every 9 s on the average. Holders look at their lease before each "
            + "write, and take up to 50 ms from there to the sending. Five nodes, ttl 2 s, leases extend themselves.",
        axis: "length of the pause",
        points: [
            Point("50 ms", 50), Point("200 ms", 200), Point("1 s", 1_000), Point("2 s", 2_000), Point("3 s", 3_000),
            Point("5 s", 5_000), Point("10 s", 10_000),
        ],
        series: [.plain, .fencing], measure: .safety
    ) { schedule, amount, random in
        schedule.stopClients(&random) { _ in WorldOptions.milliseconds(amount) }
    }

    static let ttl = Experiment(
        name: "ttl", question: "How long a ttl?",
        setting:
            "Each of three clients stands still every 9 s, for 1 ms to 8 s, every magnitude alike. Five nodes without "
            + "persistence: each loses its power for 200 ms every 10 s, its clock jumps forward by 1 s every 10 s, and it is "
            + "cut off for 4 s every 12 s. Leases are held for up to 3 s, and extend themselves.",
        axis: "ttl",
        points: [
            Point("500 ms", 500), Point("1 s", 1_000), Point("2 s", 2_000), Point("5 s", 5_000), Point("10 s", 10_000),
        ],
        series: [.plain, .quarantine, .clockGuard, .fencing, .everything], measure: .safety,
        world: { world, amount in
            world.ttl = WorldOptions.milliseconds(amount)
            world.persistence = .none
        }
    ) { schedule, _, random in
        schedule.cutNodesOff(&random)
        schedule.losePower(&random)
        schedule.setClocks(by: WorldOptions.milliseconds(1_000), &random)
        schedule.stopClients(&random) {
            $0.logarithmic(WorldOptions.milliseconds(1)...WorldOptions.milliseconds(8_000))
        }
    }
}
