import ChildProcesses
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

    /// Takes a turn on this thread: who was told something in a turn may ask for the next before that is over.
    private func askUntilIn(_ loop: EventLoop, _ onTurn: () -> Void) {
        var isIn = false
        while !isIn {
            loop.ask {
                isIn = true
                onTurn()
            }
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
            askUntilIn(loop) { turns.take() }
            return pthread_self()
        }
        let caller = await onOwnThread { askHere() }
        #expect(await inTurn(loop) { turns.threads.contains(caller) })

        isBusy.withLock { $0 = true }
        await inTurn(loop) {}
        await inTurn(loop) { turns.threads = [] }
        await onOwnThread {
            turns.posted.withLock { $0 += 1 }
            loop.ask { turns.take() }
        }
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

    /// A socket that the loop reads a byte from whenever there is one, and who has read them.
    private struct Watched: Sendable {
        let socket: Int32
        let peer: Int32
        let readers = Locked<[pthread_t]>([])

        func write() {
            var byte: UInt8 = 1
            let count = unsafe Glibc.write(peer, &byte, 1)
            #expect(count == 1)
        }

        func read() {
            var byte: UInt8 = 0
            let count = unsafe recv(socket, &byte, 1, Int32(MSG_DONTWAIT))
            #expect(count == 1)
            readers.withLock { $0.append(pthread_self()) }
        }
    }

    private func withWatched(
        _ loop: EventLoop, onByte: @escaping @Sendable (Watched) -> Void = { _ in },
        _ body: (Watched) async throws -> Void
    ) async throws {
        let (socket, peer) = try socketPair()
        defer {
            close(socket)
            close(peer)
        }
        let watched = Watched(socket: socket, peer: peer)
        let watch = try await inTurn(loop) {
            Result {
                try loop.watch(socket, .read) { _ in
                    watched.read()
                    onByte(watched)
                }
            }
        }.get()
        try await body(watched)
        await inTurn(loop) { loop.unwatch(watch) }
    }

    /// Takes a turn on another thread, which it returns. In it a byte is written, and the loop's thread comes for that.
    private func writeInTurn(_ loop: EventLoop, _ watched: Watched, isBusy: Bool) async -> pthread_t {
        await onOwnThread {
            var isFirst = true
            askUntilIn(loop) {
                guard isFirst else { return }
                isFirst = false
                loop.setBusy(isBusy)
                watched.write()
                while !loop.gate.isAwaited { sched_yield() }
            }
            return pthread_self()
        }
    }

    @Test(
        "Who is in does what the loop's thread has come for; not when many are being served, then it gathers for that",
        arguments: [false, true])
    func whoServes(isBusy: Bool) async throws {
        let loop = try EventLoop()
        try loop.start(onTimer: {}, onTurn: {})
        let own = await inTurn(loop) { pthread_self() }
        try await withWatched(loop) { watched in
            let caller = await writeInTurn(loop, watched, isBusy: isBusy)
            // The loop's thread serves what it came for before it does anything else.
            await inTurn(loop) {}
            #expect(watched.readers.withLock { $0 } == [isBusy ? own : caller])
        }
        await inTurn(loop) { loop.stop() }
    }

    @Test("A caller is not kept in for as long as anything comes")
    func passesOfCallers() async throws {
        let loop = try EventLoop()
        try loop.start(onTimer: {}, onTurn: {})
        let own = await inTurn(loop) { pthread_self() }
        let total = 10 * EventLoop.passesPerCaller
        let writeAnother: @Sendable (Watched) -> Void = { watched in
            if watched.readers.withLock({ $0.count }) < total { watched.write() }
        }
        try await withWatched(loop, onByte: writeAnother) { watched in
            let caller = await writeInTurn(loop, watched, isBusy: false)
            for _ in 0..<100_000 where watched.readers.withLock({ $0.count }) < total { await inTurn(loop) {} }
            let readers = watched.readers.withLock { $0 }
            #expect(readers.count == total)
            #expect(readers.prefix(EventLoop.passesPerCaller).allSatisfy { $0 == caller })
            #expect(readers.dropFirst(EventLoop.passesPerCaller).allSatisfy { $0 == own })
        }
        await inTurn(loop) { loop.stop() }
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
