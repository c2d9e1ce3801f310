import Dispatch
import Glibc
import PosixLock

/// The floor for callers that are tasks: the wire's commands and no lock, but a task asks for each and waits for its
/// answers.
///
/// A thread does what ``WireFloor`` does, for all that have asked since it last looked. What this costs more than the
/// floor is what it takes to have a task wait for a thread and go on. It is the plain way to do that, and no bound: who
/// sends from the caller's own thread, as the library does, can be faster.
final class TaskFloor: Locking, @unchecked Sendable {
    @safe
    private struct Wish {
        let caller: Int
        let isAcquire: Bool
        /// Not checked, as the library's are not in a release build.
        let answer: UnsafeContinuation<Void, any Error>

        func resume(with outcome: Result<Void, any Error>) {
            unsafe answer.resume(with: outcome)
        }
    }

    private let floor: WireFloor
    private let wishes = Locked<[Wish]>([])
    /// Rung for each first wish, and at the end.
    private let bell = DispatchSemaphore(value: 0)
    private let queue = DispatchQueue(label: "redlock-bench.task-floor")

    init(_ floor: WireFloor) {
        self.floor = floor
    }

    func run(callers: Int, for time: Duration) async throws -> Figures {
        queue.async { self.serve() }
        let outcome: Result<Figures, any Error>
        do {
            outcome = .success(try await TaskLoad(locks: self).run(callers: callers, for: time))
        } catch {
            outcome = .failure(error)
        }
        // All have their answers: what is rung for now is the end.
        bell.signal()
        await withCheckedContinuation { ended in queue.async { ended.resume() } }
        return try outcome.get()
    }

    func acquire(_ caller: Int) async throws -> Int {
        try await ask(caller, isAcquire: true)
        return caller
    }

    func release(_ caller: Int) async throws {
        try await ask(caller, isAcquire: false)
    }

    private func ask(_ caller: Int, isAcquire: Bool) async throws {
        unsafe try await withUnsafeThrowingContinuation { answer in
            let isFirst = wishes.withLock { wishes in
                unsafe wishes.append(Wish(caller: caller, isAcquire: isAcquire, answer: answer))
                return wishes.count == 1
            }
            if isFirst { bell.signal() }
        }
    }

    private func serve() {
        while true {
            bell.wait()
            let wishes = wishes.withLock { wishes in
                defer { wishes = [] }
                return wishes
            }
            guard !wishes.isEmpty else { return }
            let outcome: Result<Void, any Error>
            do throws(BenchError) {
                try floor.serve(
                    acquires: wishes.filter(\.isAcquire).map(\.caller),
                    releases: wishes.filter { !$0.isAcquire }.map(\.caller))
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            for wish in wishes { wish.resume(with: outcome) }
        }
    }
}
