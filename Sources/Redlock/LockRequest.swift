internal import PosixLock
internal import RedlockCore

/// One call of acquire, from the caller's task to a turn of the coordinator's loop and back.
///
/// There may be very many that wait, so it is small: what only the engine needs is not kept here.
final class LockRequest: Sendable {
    typealias Outcome = Result<Lease, RedlockError>

    private struct State {
        /// Left here for the reason that ``Answering`` tells.
        var outcome = AnswerSlot<Outcome>.empty
        var lock: LockID?
        var isCancelled = false
    }

    let resource: Resource
    let ttl: Nanoseconds
    let redlock: Redlock
    private let state = Locked(State())

    init(of resource: Resource, ttl: Nanoseconds, for redlock: Redlock) {
        self.resource = resource
        self.ttl = ttl
        self.redlock = redlock
    }

    var lock: LockID? { state.withLock { $0.lock } }
}

// MARK: - From the caller's task

extension LockRequest {
    /// Has the caller resumed when it is finished. To be called once.
    func suspend(_ caller: Caller) {
        let suspends = state.withLock { $0.outcome.suspend(caller) }
        if !suspends { caller.resume() }
    }

    /// The task may be cancelled before it has suspended, and before the engine knows of it.
    func cancel() {
        state.withLock { $0.isCancelled = true }
        redlock.driver.post(.cancel(self), here: false)
    }

    /// What it came to, once it is finished. To be called once.
    func takeOutcome() -> Outcome {
        state.withLock { $0.outcome.take() }
    }
}

// MARK: - From the coordinator

extension LockRequest {
    enum Beginning {
        case begun(LockID)
        /// Before the coordinator knew of it.
        case cancelled
        /// There is no name left for it.
        case tooMany
    }

    /// The coordinator takes it on, under a name that it makes for it.
    func begin(as makeName: () -> LockID?) -> Beginning {
        state.withLock { state in
            guard !state.isCancelled else { return .cancelled }
            state.lock = makeName()
            return state.lock.map { .begun($0) } ?? .tooMany
        }
    }

    func finish(_ outcome: Outcome) {
        state.withLock { $0.outcome.fill(outcome) }?.resume()
    }
}
