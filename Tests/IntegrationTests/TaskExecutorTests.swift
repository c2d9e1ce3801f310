import Glibc
import LocalCluster
import Redlock
import TestSupport
import Testing

@Suite("Tasks on the coordinator's own thread")
struct TaskExecutorTests {
    @Test("lock, wait for one another and release, all on one thread; the body of withLock is elsewhere")
    func locking() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let counter = Counter()
        let threads = try await withThrowingTaskGroup(of: pthread_t.self) { group in
            for _ in 0..<20 {
                group.addTask(executorPreference: redlock.taskExecutor) {
                    for _ in 0..<5 {
                        let lease = try await redlock.acquire("one", ttl: .seconds(30), waitingUpTo: .seconds(60))
                        await counter.enter()
                        await lease.release()
                    }
                    try await redlock.withLock("other", ttl: .seconds(30), waitingUpTo: .seconds(60)) { _ in
                        await counter.enter()
                    }
                    return pthread_self()
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(threads.count == 1)
        #expect(await counter.entries == 120)
        await redlock.shutdown()
        #expect(cluster.values(of: "one").allSatisfy { $0 == nil })
    }

    @Test("are told of the end, and go on after it")
    func shutdown() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let held = try await redlock.acquire("one", ttl: .seconds(30))
        let waiting = Task(executorPreference: redlock.taskExecutor) { () -> RedlockError.Code? in
            do throws(RedlockError) {
                _ = try await redlock.acquire("one", ttl: .seconds(30), waitingUpTo: .seconds(60))
                return nil
            } catch {
                // Now, and not before, the coordinator can end.
                await held.release()
                return error.code
            }
        }
        // What a task of the same thread does after it is asked for after it.
        await withTaskExecutorPreference(redlock.taskExecutor) { await Task.yield() }
        await redlock.shutdown()
        #expect(await waiting.value == .shutDown)
        let after = await withTaskExecutorPreference(redlock.taskExecutor) { () -> RedlockError.Code? in
            do throws(RedlockError) {
                _ = try await redlock.acquire("one", ttl: .seconds(30))
                return nil
            } catch {
                return error.code
            }
        }
        #expect(after == .shutDown)
    }
}

private actor Counter {
    private(set) var entries = 0
    func enter() { entries += 1 }
}
