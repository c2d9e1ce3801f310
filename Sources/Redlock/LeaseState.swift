internal import PosixLock
internal import RedlockCore

/// What a lease and the coordinator both know of it. The coordinator keeps it for as long as the lock lives; the lease
/// may be let go before. Copies of this are of one and the same state.
struct LeaseState: Sendable {
    struct Values {
        var validUntil: Instant
        var loss: RedlockError?
        var isAtRisk = false
        /// The lease may be over, and is being checked: not valid until it is extended.
        var isDoubted = false
        var isReleased = false
        var releaseBegun = false
        /// Who waits for the end of the release: one, as a rule, which takes no memory of its own then.
        var releasing: Caller?
        var alsoReleasing: [Caller] = []
        /// Resumed when the lease is not in doubt any more.
        fileprivate var doubting: [Caller] = []
        fileprivate var lossHandlers: [LossHandler] = []
        fileprivate var lossHandlerCount: UInt64 = 0

        fileprivate mutating func endDoubt() -> [Caller] {
            isDoubted = false
            defer { doubting = [] }
            return doubting
        }

        fileprivate mutating func takeLossHandlers() -> [LossHandler] {
            defer { lossHandlers = [] }
            return lossHandlers
        }
    }

    fileprivate struct LossHandler {
        let id: UInt64
        let tell: @Sendable (RedlockError?) -> Void
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
            state.lossHandlers.append(LossHandler(id: state.lossHandlerCount, tell: handler))
            return (state.lossHandlerCount, nil)
        }
        if let outcome { handler(outcome) }
        return id
    }

    func removeLossHandler(_ id: UInt64) {
        withLock { $0.lossHandlers.removeAll { $0.id == id } }
    }
}

extension LeaseState {
    /// Has the caller resumed when the lease is not in doubt any more; false if it is not.
    func awaitCheck(_ caller: Caller) -> Bool {
        withLock { state in
            if state.isDoubted { state.doubting.append(caller) }
            return state.isDoubted
        }
    }
}

// MARK: - Release

extension LeaseState {
    enum Release {
        /// The coordinator is to be asked for it.
        case begun
        case underWay
        case over
    }

    /// The holder is done. Who asks is resumed at the end of the release, unless that is over.
    func beginRelease(of caller: Caller) -> Release {
        let (release, handlers): (Release, [LossHandler]) = withLock { state in
            if state.isReleased { return (.over, []) }
            if state.releasing == nil { state.releasing = caller } else { state.alsoReleasing.append(caller) }
            if state.releaseBegun { return (.underWay, []) }
            state.releaseBegun = true
            return (.begun, state.takeLossHandlers())
        }
        for handler in handlers { handler.tell(nil) }
        return release
    }
}

// MARK: - From the coordinator

extension LeaseState {
    func extended(until validUntil: Instant) {
        let callers = withLock { state in
            state.validUntil = max(state.validUntil, validUntil)
            return state.endDoubt()
        }
        for caller in callers { caller.resume() }
    }

    func doubted(until validUntil: Instant, at now: Instant) {
        withLock { state in
            if validUntil <= now { state.isDoubted = true } else { state.validUntil = validUntil }
        }
    }

    func risk(_ isAtRisk: Bool) {
        withLock { $0.isAtRisk = isAtRisk }
    }

    func lost(_ loss: RedlockError) {
        let (handlers, callers) = withLock { state in
            state.loss = loss
            return (state.takeLossHandlers(), state.endDoubt())
        }
        for caller in callers { caller.resume() }
        for handler in handlers { handler.tell(loss) }
    }

    func released() {
        let (first, others, handlers) = withLock { state in
            state.isReleased = true
            state.releaseBegun = true
            defer { state.alsoReleasing = [] }
            return (state.releasing.take(), state.alsoReleasing + state.endDoubt(), state.takeLossHandlers())
        }
        first?.resume()
        for caller in others { caller.resume() }
        for handler in handlers { handler.tell(nil) }
    }
}
