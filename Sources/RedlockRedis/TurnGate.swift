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
    /// What the loop's thread waits at. No condition variable: whoever wakes from that takes its mutex as if others
    /// waited too, and then wakes nobody, by a call of the system.
    private let left: UnsafeMutablePointer<sem_t>
    private var state = State()

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe left = .allocate(capacity: 1)
        unsafe left.initialize(to: sem_t())
        // They fail for want of memory, if ever.
        let status = unsafe pthread_mutex_init(mutex, nil) | sem_init(left, 0, 0)
        precondition(status == 0, "a mutex cannot be made")
    }

    deinit {
        unsafe sem_destroy(left)
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

    enum ThreadEntry {
        case entered
        /// Another was in before: what the loop's thread had come for may have been done.
        case enteredLate
        /// It is to end instead.
        case stopped
    }

    /// Comes in as the loop's own thread, and waits for that if another is in.
    func enter() -> ThreadEntry {
        var isLate = false
        while true {
            let entry: ThreadEntry? = withLock { state in
                guard !state.isTaken else {
                    state.isThreadWaiting = true
                    return nil
                }
                state.isThreadWaiting = false
                guard !state.isStopped else { return .stopped }
                state.isWoken = false
                state.hasWork = false
                state.isTaken = true
                return isLate ? .enteredLate : .entered
            }
            if let entry { return entry }
            isLate = true
            // A signal may end it early: it is looked at again.
            unsafe sem_wait(left)
        }
    }

    enum Leave {
        case left
        /// More work has come: still in, and to do it.
        case again
        /// Left, and the loop's thread is to be woken for what is left to do.
        case wake
    }

    /// The loop's thread was woken, and waits to get in. Not at the end: then what wakes it is for itself alone.
    var isAwaited: Bool { withLock { $0.isThreadWaiting && !$0.isStopped } }

    /// - Parameter mayStay: Whether this thread does what has come meanwhile, or leaves it to the loop's.
    func leave(isBusy: Bool, mayStay: Bool) -> Leave {
        let (leave, wakesThread) = withLock { state -> (Leave, Bool) in
            state.isBusy = isBusy
            guard !state.hasWork || !(mayStay || state.isStopped) else {
                state.hasWork = false
                return (.again, false)
            }
            state.isTaken = false
            guard state.hasWork, !state.isThreadWaiting, !state.isWoken else { return (.left, state.isThreadWaiting) }
            state.isWoken = true
            return (.wake, false)
        }
        // Not while the mutex is held: the thread that wakes would at once wait for that.
        if wakesThread { unsafe sem_post(left) }
        return leave
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
