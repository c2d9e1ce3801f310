internal import PosixLock
internal import RedlockCore

/// What a lease and the coordinator both know of it. The coordinator keeps it for as long as the lock lives; the lease
/// may be let go before.
final class LeaseState: Sendable {
    struct Values {
        var validUntil: Instant
        var loss: RedlockError?
        var isAtRisk = false
        var isReleased = false
        var releaseBegun = false
        var releasing: [CheckedContinuation<Void, Never>] = []
        fileprivate var lossHandlers: [(id: UInt64, handler: @Sendable (RedlockError?) -> Void)] = []
        fileprivate var lossHandlerCount: UInt64 = 0
    }

    private let values: Locked<Values>

    init(validUntil: Instant) {
        values = Locked(Values(validUntil: validUntil))
    }

    var validUntil: Instant { withLock { $0.validUntil } }
    var releaseBegun: Bool { withLock { $0.releaseBegun } }

    func withLock<Result>(_ body: (inout Values) -> Result) -> Result {
        values.withLock(body)
    }
}

// MARK: - Losses

extension LeaseState {
    /// Has a handler called once: with the loss, or with nil at the release. At once if either has happened.
    @discardableResult
    func onLoss(_ handler: @escaping @Sendable (RedlockError?) -> Void) -> UInt64 {
        let (id, outcome): (UInt64, RedlockError??) = withLock { state in
            if state.loss != nil || state.releaseBegun { return (0, .some(state.loss)) }
            state.lossHandlerCount += 1
            state.lossHandlers.append((state.lossHandlerCount, handler))
            return (state.lossHandlerCount, nil)
        }
        if let outcome { handler(outcome) }
        return id
    }

    func removeLossHandler(_ id: UInt64) {
        withLock { $0.lossHandlers.removeAll { $0.id == id } }
    }

    func tellLossHandlers(_ loss: RedlockError?) {
        let handlers = withLock { state in
            defer { state.lossHandlers = [] }
            return state.lossHandlers
        }
        for (_, handler) in handlers { handler(loss) }
    }
}

// MARK: - From the coordinator

extension LeaseState {
    func extended(until validUntil: Instant) {
        withLock { $0.validUntil = max($0.validUntil, validUntil) }
    }

    func risk(_ isAtRisk: Bool) {
        withLock { $0.isAtRisk = isAtRisk }
    }

    func lost(_ loss: RedlockError) {
        withLock { $0.loss = loss }
        tellLossHandlers(loss)
    }

    func released() {
        let waiting = withLock { state in
            state.isReleased = true
            state.releaseBegun = true
            defer { state.releasing = [] }
            return state.releasing
        }
        for continuation in waiting { continuation.resume() }
        tellLossHandlers(nil)
    }
}
