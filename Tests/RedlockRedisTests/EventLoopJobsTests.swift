import Glibc
import PosixLock
import TestSupport
import Testing

@testable import RedlockRedis

@Suite("Tasks on the thread of the event loop")
struct EventLoopJobsTests {
    private func inTurn<Value: Sendable>(_ loop: EventLoop, _ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            loop.perform { continuation.resume(returning: body()) }
        }
    }

    @Test("All of them run there, from wherever they are resumed, and wait for what comes from elsewhere")
    func thread() async throws {
        let loop = try EventLoop()
        try loop.start(onTimer: {}, onTurn: {})
        let own = await inTurn(loop) { pthread_self() }
        let threads = await withTaskGroup(of: [pthread_t].self) { group in
            for _ in 0..<100 {
                group.addTask(executorPreference: loop) {
                    var threads = [pthread_self()]
                    await Task.yield()
                    threads.append(pthread_self())
                    // Resumed in a turn, on whatever thread that is.
                    await withCheckedContinuation { continuation in loop.perform { continuation.resume() } }
                    threads.append(pthread_self())
                    // Resumed by the pool.
                    _ = await Task.detached { pthread_self() }.value
                    threads.append(pthread_self())
                    return threads
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(threads.count == 400)
        #expect(Set(threads) == [own])
        await inTurn(loop) { loop.stop() }
    }

    @Test("A task that comes back for ever does not keep the timer out")
    func fairness() async throws {
        let loop = try EventLoop()
        let isTime = Locked(false)
        try loop.start(onTimer: { isTime.withLock { $0 = true } }, onTurn: {})
        await inTurn(loop) { loop.wake(at: BootClock.nanoseconds + 1_000_000) }
        await withTaskExecutorPreference(loop) {
            while !isTime.withLock({ $0 }) { await Task.yield() }
        }
        await inTurn(loop) { loop.stop() }
    }

    /// None of this would return if the tasks were left with a thread that has ended.
    @Test("Those that are there at the end, and those that come after it, go on elsewhere", arguments: 1...10)
    func afterTheEnd(_ round: Int) async throws {
        let loop = try EventLoop()
        try loop.start(onTimer: {}, onTurn: {})
        await withTaskGroup { group in
            for _ in 0..<10 {
                group.addTask(executorPreference: loop) {
                    for _ in 0..<100 { await Task.yield() }
                }
            }
            group.addTask(executorPreference: loop) { loop.perform { loop.stop() } }
        }
        while !loop.jobs.withLock({ $0.isOver }) { await Task.yield() }
        await withTaskExecutorPreference(loop) { await Task.yield() }
    }
}
