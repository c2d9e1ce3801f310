internal import PosixLock
internal import RedlockCore

/// One call of acquire, from the caller's task to a turn of the coordinator's loop and back.
final class LockRequest: Sendable {
    typealias Outcome = Result<Lease, RedlockError>

    private struct State {
        var isCancelled = false
        var lock: LockID?
    }

    let resource: Resource
    let redlock: Redlock
    let core: AcquireRequest
    let outcome = Answering<Outcome>()
    private let state = Locked(State())

    init(_ core: AcquireRequest, of resource: Resource, for redlock: Redlock) {
        self.core = core
        self.resource = resource
        self.redlock = redlock
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var lock: LockID? { state.withLock { $0.lock } }

    /// The task may be cancelled before it has suspended, and before the engine knows of it.
    func cancel() {
        state.withLock { $0.isCancelled = true }
    }

    func begin(as lock: LockID) {
        state.withLock { $0.lock = lock }
    }

    func finish(_ outcome: Outcome) {
        self.outcome.answer(outcome)
    }
}
