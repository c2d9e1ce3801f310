internal import PosixLock

/// Notices when this machine has no time for us: sleeps briefly again and again, and notes by how much it overslept.
final class StallWatch: Sendable {
    private static let nap: Int64 = 5_000_000

    private let worst = Locked<Int64>(0)
    private let isStopped = Locked(false)
    private let finished = Signal()

    func start() {
        runOnThread { [self] in
            while !isStopped.withLock({ $0 }) {
                let due = MachineClock.now() + Self.nap
                MachineClock.sleep(until: due)
                let late = MachineClock.now() - due
                worst.withLock { $0 = max($0, late) }
            }
            finished.send()
        }
    }

    /// The longest stall, in nanoseconds.
    func stop() -> Int64 {
        isStopped.withLock { $0 = true }
        finished.wait()
        return worst.withLock { $0 }
    }
}
