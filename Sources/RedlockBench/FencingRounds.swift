import LocalCluster
import PosixLock
import Redlock

/// How many acquires with a fencing token take a second round trip, and what a token costs. Five nodes on loopback.
enum FencingRounds {
    private struct Count {
        var grants = 0
        var raises = 0

        var text: String {
            let share = (Double(raises) / Double(max(grants, 1)) * 1_000_000).rounded() / 10_000
            return "\(raises) of \(grants) acquires raised a number, \(share) %"
        }
    }

    static func run() async throws {
        let cluster = try LocalCluster(nodes: 5)
        print("one caller: " + (try await count(cluster, clients: 1, cycles: 20_000)).text)
        print("8 coordinators for one resource: " + (try await count(cluster, clients: 8, cycles: 500)).text)

        // In turns, so that what else the machine does hits both.
        let plain = try coordinator(cluster, fencing: false) { _ in }
        let fenced = try coordinator(cluster, fencing: true) { _ in }
        var times: [[Double]] = [[], []]
        for _ in 1...9 {
            for (place, redlock) in [plain, fenced].enumerated() {
                times[place].append(try await median(of: 1_000, redlock))
            }
        }
        await plain.shutdown()
        await fenced.shutdown()
        cluster.stop()
        let medians = times.map { $0.sorted()[$0.count / 2] }
        print(
            "an acquire and a release, median of 9 rounds of 1000 each: \(medians[0]) µs without, \(medians[1]) µs with "
                + "a fencing token")
    }

    private static func coordinator(
        _ cluster: LocalCluster, fencing: Bool, _ observer: @escaping @Sendable (Redlock.Event) -> Void
    ) throws -> Redlock {
        var configuration = Redlock.Configuration()
        configuration.fencing = fencing
        configuration.observer = fencing ? observer : nil
        configuration.retryDelay = .milliseconds(1)
        configuration.retryJitter = .milliseconds(5)
        return try Redlock(nodes: cluster.urls, configuration: configuration)
    }

    private static func count(_ cluster: LocalCluster, clients: Int, cycles: Int) async throws -> Count {
        let count = Locked(Count())
        try await withThrowingTaskGroup { group in
            for _ in 0..<clients {
                group.addTask {
                    let redlock = try coordinator(cluster, fencing: true) { event in
                        switch event.kind {
                        case .acquired: count.withLock { $0.grants += 1 }
                        case .numberRaised: count.withLock { $0.raises += 1 }
                        default: break
                        }
                    }
                    for _ in 0..<cycles {
                        let lease = try await redlock.acquire("rounds", ttl: .seconds(10), waitingUpTo: .seconds(60))
                        await lease.release()
                    }
                    await redlock.shutdown()
                }
            }
            try await group.waitForAll()
        }
        return count.withLock { $0 }
    }

    private static func median(of cycles: Int, _ redlock: Redlock) async throws -> Double {
        var times: [Double] = []
        let clock = ContinuousClock()
        for _ in 0..<cycles {
            let start = clock.now
            let lease = try await redlock.acquire("cost", ttl: .seconds(10), waitingUpTo: .seconds(10))
            await lease.release()
            times.append(start.duration(to: clock.now) / .microseconds(1))
        }
        return (times.sorted()[cycles / 2] * 10).rounded() / 10
    }
}
