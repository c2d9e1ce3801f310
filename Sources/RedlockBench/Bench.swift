import LocalCluster
import Redlock

/// One caller, five nodes on loopback: the library's acquire and release beside the bare wire, in turns of one run.
@main
struct Bench {
    private static let rounds = 9
    private static let cyclesPerRound = 2_000

    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == "fencing" { return try await FencingRounds.run() }
        let cluster = try LocalCluster(nodes: 5)
        let floor = RawFloor(ports: cluster.nodes.map(\.port))
        let redlock = try Redlock(nodes: cluster.urls)
        await (try redlock.acquire("warm-up", ttl: .seconds(10), waitingUpTo: .seconds(10))).release()

        var floorTimes: [Double] = []
        var libraryTimes: [Double] = []
        var ratios: [Double] = []
        for round in 1...rounds {
            let ours = try await measure {
                let lease = try await redlock.acquire("bench", ttl: .seconds(10), waitingUpTo: .seconds(10))
                await lease.release()
            }
            let bare = await measure {
                floor.acquire("floor", token: "0123456789012345678901234567890123456789")
                floor.release("floor", token: "0123456789012345678901234567890123456789")
            }
            libraryTimes.append(ours)
            floorTimes.append(bare)
            ratios.append(ours / bare)
            print(
                "round \(round) of \(rounds): library \(text(ours)) µs, floor \(text(bare)) µs, ratio \(text(ours / bare))"
            )
        }
        await redlock.shutdown()
        cluster.stop()
        print(
            """
            median of an acquire and a release, one caller, \(rounds) rounds of \(cyclesPerRound):
            library \(text(median(libraryTimes))) µs, floor \(text(median(floorTimes))) µs, ratio \(text(median(ratios)))
            """)
    }

    /// The median time of a cycle, in microseconds.
    private static func measure(_ cycle: () async throws -> Void) async rethrows -> Double {
        var times: [Double] = []
        let clock = ContinuousClock()
        for _ in 0..<cyclesPerRound {
            let start = clock.now
            try await cycle()
            times.append(start.duration(to: clock.now) / .microseconds(1))
        }
        return median(times)
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func text(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
