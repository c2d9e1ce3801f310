import Dispatch
import Glibc
import PosixLock
import TestSupport
import Testing

@testable import RedlockRedis

@Suite("The event loop")
struct EventLoopTests {
    /// What only turns touch: the thread sanitizer would tell if two were in at once.
    private final class Turns: @unchecked Sendable {
        let posted = Locked(0)
        var taken = 0
        var threads: Set<pthread_t> = []

        func take() {
            taken += posted.withLock { posted in
                defer { posted = 0 }
                return posted
            }
            threads.insert(pthread_self())
        }
    }

    /// Does something in a turn and waits for it, on a thread that is not the pool's.
    private func inTurn<Value: Sendable>(_ loop: EventLoop, _ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            loop.perform { continuation.resume(returning: body()) }
        }
    }

    private func ask(_ loop: EventLoop, _ turns: Turns, threads: Int, times: Int) async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "test").async {
                DispatchQueue.concurrentPerform(iterations: threads) { _ in
                    for _ in 0..<times {
                        turns.posted.withLock { $0 += 1 }
                        loop.ask { turns.take() }
                    }
                }
                continuation.resume()
            }
        }
    }

    @Test("Whatever many threads ask for is done, by one thread at a time", arguments: [false, true])
    func everythingIsDone(isBusy: Bool) async throws {
        let loop = try EventLoop()
        let turns = Turns()
        try loop.start(
            onTimer: {},
            onTurn: {
                turns.take()
                loop.setBusy(isBusy)
            })
        await ask(loop, turns, threads: 4, times: 5_000)
        #expect(
            await inTurn(loop) {
                turns.take(); return turns.taken
            } == 20_000)
        await inTurn(loop) { loop.stop() }
    }

    @Test(
        "An idle loop has the turn taken by whoever asks; a busy one by its own thread, and a stopped one by nobody else"
    )
    func whoTakesTheTurn() async throws {
        let loop = try EventLoop()
        let turns = Turns()
        let isBusy = Locked(false)
        try loop.start(
            onTimer: {},
            onTurn: {
                turns.take()
                loop.setBusy(isBusy.withLock { $0 })
            })
        let own = await inTurn(loop) { pthread_self() }
        await inTurn(loop) { turns.threads = [] }

        @Sendable func askHere() -> pthread_t {
            turns.posted.withLock { $0 += 1 }
            loop.ask { turns.take() }
            return pthread_self()
        }
        let caller = await onOwnThread { askHere() }
        #expect(await inTurn(loop) { turns.threads.contains(caller) })

        isBusy.withLock { $0 = true }
        await inTurn(loop) {}
        await inTurn(loop) { turns.threads = [] }
        _ = await onOwnThread { askHere() }
        #expect(
            await inTurn(loop) {
                turns.take(); return turns.taken
            } == 2)
        #expect(await inTurn(loop) { turns.threads } == [own])

        await inTurn(loop) { loop.stop() }
        let last = await onOwnThread { askHere() }
        #expect(turns.taken == 3)
        #expect(turns.threads.contains(last))
    }

    @Test("What comes after the end keeps nothing: a look-up that was slow, say, and holds the loop")
    func afterTheEnd() async throws {
        weak var gone: EventLoop?
        do {
            let loop = try EventLoop()
            gone = loop
            try loop.start(onTimer: {}, onTurn: {})
            await inTurn(loop) { loop.stop() }
            loop.perform { loop.setBusy(false) }
        }
        // Its thread lets it go when it has ended.
        for _ in 0..<1_000 where gone != nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(gone == nil)
    }

    @Test("The timer comes, once, and an earlier time takes the place of a later one")
    func timer() async throws {
        let loop = try EventLoop()
        await withCheckedContinuation { continuation in
            let waiting = Locked<CheckedContinuation<Void, Never>?>(continuation)
            #expect(throws: Never.self) {
                try loop.start(onTimer: { waiting.withLock { $0.take() }?.resume() }, onTurn: {})
            }
            loop.perform {
                loop.wake(at: BootClock.nanoseconds + 3_600_000_000_000)
                loop.wake(at: BootClock.nanoseconds + 1_000_000)
            }
        }
        await inTurn(loop) { loop.stop() }
    }
}
