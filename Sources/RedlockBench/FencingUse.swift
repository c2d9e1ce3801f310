import PosixLock
import Redlock

/// What fencing tokens cost: how many acquires take a second round trip, and how long one takes with a token.
struct FencingUse {
    let nodes: [String]
    let keyPrefix: String
    let contenders: Int
    /// Of each measurement.
    let time: Duration

    func run() async throws -> FencingFigures {
        let alone = try await raises(coordinators: 1)
        let contended = try await raises(coordinators: contenders)
        let plain = try coordinator(fencing: false)
        let fenced = try coordinator(fencing: true)
        var times: [[Double]] = [[], []]
        // In turns, so that what else the machine does hits both.
        for _ in 0..<Self.turns {
            for (place, redlock) in [plain, fenced].enumerated() {
                times[place].append(try await median(of: redlock))
            }
        }
        await plain.shutdown()
        await fenced.shutdown()
        return FencingFigures(
            alone: alone, contenders: contenders, contended: contended, cycleWithout: times[0].median,
            cycleWith: times[1].median)
    }

    private static let turns = 5

    private func coordinator(
        fencing: Bool, _ observer: (@Sendable (Redlock.Event) -> Void)? = nil
    ) throws -> Redlock {
        var configuration = Redlock.Configuration.measuring
        configuration.fencing = fencing
        configuration.observer = observer
        configuration.keyPrefix = keyPrefix
        configuration.retryDelay = .milliseconds(1)
        configuration.retryJitter = .milliseconds(5)
        return try Redlock(nodes: nodes, configuration: configuration)
    }

    /// All of them want one resource.
    private func raises(coordinators: Int) async throws -> FencingFigures.Raises {
        let count = Locked(FencingFigures.Raises())
        try await withThrowingTaskGroup { group in
            for _ in 0..<coordinators {
                group.addTask {
                    let redlock = try coordinator(fencing: true) { event in
                        switch event.kind {
                        case .acquired: count.withLock { $0.grants += 1 }
                        case .numberRaised: count.withLock { $0.raises += 1 }
                        default: break
                        }
                    }
                    let end = ContinuousClock.now + time
                    repeat {
                        let lease = try await redlock.acquire("fencing", ttl: .seconds(10), waitingUpTo: .seconds(60))
                        await lease.release()
                    } while ContinuousClock.now < end
                    await redlock.shutdown()
                }
            }
            try await group.waitForAll()
        }
        return count.withLock { $0 }
    }

    /// An acquire and a release, in microseconds.
    private func median(of redlock: Redlock) async throws -> Double {
        var times: [Double] = []
        let clock = ContinuousClock()
        let end = clock.now + time / (2 * Self.turns)
        repeat {
            let start = clock.now
            let lease = try await redlock.acquire("fencing-cost", ttl: .seconds(10), waitingUpTo: .seconds(10))
            await lease.release()
            times.append(start.duration(to: clock.now) / .microseconds(1))
        } while clock.now < end
        return times.median
    }
}

/// What fencing tokens cost; times in microseconds.
package struct FencingFigures: Sendable {
    /// Acquires that were granted, and higher numbers that had to be offered for them.
    package struct Raises: Sendable {
        package var grants = 0
        package var raises = 0
    }

    package let alone: Raises
    package let contenders: Int
    package let contended: Raises
    package let cycleWithout: Double
    package let cycleWith: Double
}
