internal import PosixLock

/// One answer, from a turn of the coordinator's loop, as a rule, to the task that waits for it.
///
/// It is left here under a mutex, and not handed over by the continuation: the thread sanitizer does not see on Linux
/// that what happened before a continuation was resumed happened before the task goes on.
struct Answering<Value: Sendable>: Sendable {
    private let slot = Locked(AnswerSlot<Value>.empty)

    /// Calls `body`, which may see to it that there will be an answer, and waits for that. To be called once.
    func wait(_ body: () -> Void = {}) async -> Value {
        await Caller.wait { caller in
            slot.withLock { $0.suspend(caller) } ? body() : caller.resume()
        }
        return slot.withLock { $0.take() }
    }

    /// The first answer counts.
    func answer(_ value: Value) {
        slot.withLock { $0.fill(value) }?.resume()
    }
}

/// Where an answer is left for a task, or the task waits for it; to be kept under a mutex.
enum AnswerSlot<Value: Sendable>: Sendable {
    /// Can become waiting, or filled.
    case empty
    /// Can become filled.
    case waiting(Caller)
    /// Can become taken.
    case filled(Value)
    case taken

    /// False if the answer is here already, and the caller is still to be resumed.
    mutating func suspend(_ caller: Caller) -> Bool {
        switch self {
        case .empty:
            self = .waiting(caller)
            return true
        case .filled:
            return false
        case .waiting, .taken:
            preconditionFailure("an answer is waited for once")
        }
    }

    /// Returns the caller that is to be resumed. The first answer counts.
    mutating func fill(_ value: Value) -> Caller? {
        switch self {
        case .empty:
            self = .filled(value)
            return nil
        case .waiting(let caller):
            self = .filled(value)
            return caller
        case .filled, .taken:
            return nil
        }
    }

    mutating func take() -> Value {
        guard case .filled(let value) = self else { preconditionFailure("resumed without an answer") }
        self = .taken
        return value
    }
}
