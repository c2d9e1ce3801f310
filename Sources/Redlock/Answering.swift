internal import PosixLock

/// One answer, from a turn of the coordinator's loop, as a rule, to the task that waits for it.
///
/// It is left here under a mutex, and not handed over by the continuation: the thread sanitizer does not see on Linux
/// that what happened before a continuation was resumed happened before the task goes on.
final class Answering<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var continuation: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())

    /// Calls `body`, which may see to it that there will be an answer, and waits for that. To be called once.
    func wait(_ body: () -> Void = {}) async -> Value {
        await withCheckedContinuation { continuation in
            let isAnswered = state.withLock { state in
                if state.value == nil { state.continuation = continuation }
                return state.value != nil
            }
            isAnswered ? continuation.resume() : body()
        }
        guard let value = state.withLock({ $0.value.take() }) else { preconditionFailure("resumed without an answer") }
        return value
    }

    /// The first answer counts.
    func answer(_ value: Value) {
        let continuation = state.withLock { state in
            if state.value == nil { state.value = value }
            return state.continuation.take()
        }
        continuation?.resume()
    }
}
