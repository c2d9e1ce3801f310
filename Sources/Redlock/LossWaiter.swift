internal import PosixLock

/// A task that waits for a loss, its cancellation, or the release: whichever comes first answers it.
final class LossWaiter: Sendable {
    private struct State {
        var continuation: CheckedContinuation<RedlockError?, Never>?
        var onFinish: (@Sendable () -> Void)?
        var isFinished = false
    }

    private let state = Locked(State())

    func suspended(_ continuation: CheckedContinuation<RedlockError?, Never>) {
        state.withLock { $0.continuation = continuation }
    }

    /// Calls this when it is finished: at once if it is.
    func finished(_ action: @escaping @Sendable () -> Void) {
        let isFinished = state.withLock { state in
            if !state.isFinished { state.onFinish = action }
            return state.isFinished
        }
        if isFinished { action() }
    }

    func finish(_ loss: RedlockError?) {
        let (continuation, action) = state.withLock { state in
            guard state.continuation != nil else {
                return (nil, nil) as (CheckedContinuation<RedlockError?, Never>?, (@Sendable () -> Void)?)
            }
            state.isFinished = true
            return (state.continuation.take(), state.onFinish.take())
        }
        continuation?.resume(returning: loss)
        action?()
    }
}
