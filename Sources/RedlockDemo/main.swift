import Redlock

let urls = CommandLine.arguments.dropFirst()
let redlock = try Redlock(nodes: Array(urls))
let lease = try await redlock.acquire("x", ttl: .seconds(5), extendingItself: true)
print(lease.remaining, lease.isValid)
try await Task.sleep(for: .seconds(2))
print(lease.remaining)
do { _ = try await redlock.acquire("x", ttl: .seconds(5)) } catch { print(error) }
try await lease.extend()
print(lease.remaining)
await lease.release()
let c = ContinuousClock()
for n in [1, 1000, 10000] {
    let t = try await c.measure {
        for _ in 0..<n { let l = try await redlock.acquire("x", ttl: .seconds(5)); await l.release() }
    }
    print(n, t / n)
}
try await redlock.withLock("y", ttl: .seconds(1)) { l in
    try await Task.sleep(for: .seconds(3)); print(l.remaining)
}
await redlock.shutdown()
