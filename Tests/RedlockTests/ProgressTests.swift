import PosixLock
import RedlockCore
import RedlockRedis
import Testing

@testable import Redlock

/// A rule that leaves a request due for ever: the next attempt was to begin a second ago, however often it fails.
private struct PastPause: Rules {
    func retryDelay(_ delay: Nanoseconds, jitter: Nanoseconds, dice: UInt64) -> Nanoseconds { .seconds(-1) }
}

@Suite struct ProgressTests {
    private func driver(rules: any Rules, observer: @escaping @Sendable (Redlock.Event) -> Void) throws -> Redlock {
        var configuration = Redlock.Configuration()
        configuration.observer = observer
        return try Redlock(nodes: absentNodes(3), configuration: configuration, rules: rules)
    }

    private func timers(_ redlock: Redlock) async -> Int {
        let driver = redlock.driver
        return await withCheckedContinuation { continuation in
            driver.loop.perform { continuation.resume(returning: driver.timers) }
        }
    }

    @Test func anEngineThatStaysDueDoesNotSpinAndIsReportedOnce() async throws {
        let (reports, continuation) = AsyncStream.makeStream(of: Redlock.Event.self)
        let count = Locked(0)
        let redlock = try driver(rules: PastPause()) { event in
            guard event.kind == .noProgress else { return }
            count.withLock { $0 += 1 }
            continuation.yield(event)
        }
        let request = Task { try await redlock.acquire("x", ttl: .seconds(10), waitingUpTo: .seconds(3_600)) }
        var iterator = reports.makeAsyncIterator()
        let report = try #require(await iterator.next())
        #expect(report.reason.contains("a lock is still due"))
        // Other turns come in between, as many as the machine can do. They must not bring the timers back sooner.
        let clock = ContinuousClock()
        let begin = clock.now
        let first = await timers(redlock)
        var last = first
        while last < first + 30 { last = await timers(redlock) }
        let most = Int(begin.duration(to: clock.now) / .milliseconds(10)) + 5
        #expect(last - first <= most, "\(last - first) timers, \(most) at most")
        #expect(count.withLock { $0 } == 1)
        request.cancel()
        _ = try? await request.value
        await redlock.shutdown()
    }

    @Test func anEngineAsItShipsIsNotReported() async throws {
        let count = Locked(0)
        let redlock = try driver(rules: StandardRules()) { event in
            if event.kind == .noProgress { count.withLock { $0 += 1 } }
        }
        _ = try? await redlock.acquire("x", ttl: .seconds(10), waitingUpTo: .milliseconds(300))
        await redlock.shutdown()
        #expect(count.withLock { $0 } == 0)
    }
}
