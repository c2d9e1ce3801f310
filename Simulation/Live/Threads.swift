internal import Dispatch
internal import Glibc
internal import PosixLock

/// Something that happens once, and that any thread may wait for.
final class Signal: Sendable {
    private let group = DispatchGroup()

    init() { group.enter() }

    /// To be called once.
    func send() { group.leave() }

    func wait() { group.wait() }

    /// Whether it came within the time.
    func wait(seconds: Int) -> Bool { group.wait(timeout: .now() + .seconds(seconds)) == .success }
}

/// Runs what blocks for long on a thread of its own: neither tasks nor Dispatch have any to spare.
func runOnThread(_ body: @escaping @Sendable () -> Void) {
    do throws(ThreadError) {
        try startThread(body)
    } catch {
        preconditionFailure("\(error)")
    }
}

/// Runs `body` for all numbers below `count`, on so many threads; returns when all are done.
package func onThreads(_ threads: Int, count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let next = Locked(0)
    let signals = (0..<min(threads, count)).map { _ in Signal() }
    for signal in signals {
        runOnThread {
            while true {
                let number = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                guard number < count else { break }
                body(number)
            }
            signal.send()
        }
    }
    for signal in signals { signal.wait() }
}
