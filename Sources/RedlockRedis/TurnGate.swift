internal import Glibc

/// Whose turn it is: one thread at a time works for the loop, be it the loop's own or a caller's.
///
/// Nobody waits to get in but the loop's own thread. Whoever finds it taken leaves the work where it is, and whoever is
/// inside looks for it before leaving: so a thread that is in already, a handler that asks for something, never waits
/// for itself.
@safe
final class TurnGate: @unchecked Sendable {
    enum Entry {
        /// This thread is in, and must leave.
        case entered
        /// Another is in, or about to be, and will see to it.
        case taken
        /// Nobody is in, and the loop's thread is to be woken.
        case wake
        /// Nobody is in; the loop's thread was woken before.
        case asleep
    }

    private struct State {
        var isTaken = false
        /// Something was asked for that no turn has looked at.
        var hasWork = false
        /// The loop's thread was woken, and has not come in yet.
        var isWoken = false
        var isThreadWaiting = false
        /// Many are being served: work is gathered for the loop's thread instead of being done at once.
        var isBusy = false
        /// There is no thread any more: whoever has work does it.
        var isStopped = false
    }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let left: UnsafeMutablePointer<pthread_cond_t>
    private var state = State()

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe left = .allocate(capacity: 1)
        unsafe left.initialize(to: pthread_cond_t())
        // They fail for want of memory alone.
        let status = unsafe pthread_mutex_init(mutex, nil) | pthread_cond_init(left, nil)
        precondition(status == 0, "a mutex cannot be made")
    }

    deinit {
        unsafe pthread_cond_destroy(left)
        unsafe pthread_mutex_destroy(mutex)
        unsafe left.deallocate()
        unsafe mutex.deallocate()
    }

    /// There is work. Comes in to do it on this thread, unless the loop is busy; from any thread.
    ///
    /// - Parameter here: Whether this thread may do it.
    func ask(here: Bool) -> Entry {
        withLock { state in
            // The loop's thread, when it waits to get in, is next: callers in turn could keep it out for ever.
            guard !state.isTaken, !state.isThreadWaiting || state.isStopped else {
                state.hasWork = true
                return .taken
            }
            if here, !state.isBusy || state.isStopped {
                state.isTaken = true
                return .entered
            }
            state.hasWork = true
            defer { state.isWoken = true }
            return state.isWoken ? .asleep : .wake
        }
    }

    /// Comes in as the loop's own thread, and waits for that if another is in. False when it is to end instead.
    func enter() -> Bool {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        // Not by way of `withLock`: others change the state while this waits, so nobody may have it as an `inout`.
        while state.isTaken {
            state.isThreadWaiting = true
            unsafe pthread_cond_wait(left, mutex)
        }
        state.isThreadWaiting = false
        guard !state.isStopped else { return false }
        state.isWoken = false
        state.hasWork = false
        state.isTaken = true
        return true
    }

    enum Leave {
        case left
        /// More work has come: still in, and to do it.
        case again
        /// Left, and the loop's thread is to be woken for what is left to do.
        case wake
    }

    /// - Parameter mayStay: Whether this thread does what has come meanwhile, or leaves it to the loop's.
    func leave(isBusy: Bool, mayStay: Bool) -> Leave {
        withLock { state in
            state.isBusy = isBusy
            guard !state.hasWork || !(mayStay || state.isStopped) else {
                state.hasWork = false
                return .again
            }
            state.isTaken = false
            if state.isThreadWaiting { unsafe pthread_cond_signal(left) }
            guard state.hasWork, !state.isThreadWaiting, !state.isWoken else { return .left }
            state.isWoken = true
            return .wake
        }
    }

    func stop() {
        withLock { $0.isStopped = true }
    }

    private func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body(&state)
    }
}
