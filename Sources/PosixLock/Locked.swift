internal import Glibc

/// A value that one thread at a time can touch.
///
/// A POSIX mutex rather than the standard library's `Mutex`: on Linux the thread sanitizer knows what the first orders,
/// and takes every use of the second for a race.
@safe
package final class Locked<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    package init(_ value: Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        // It fails for want of memory alone.
        let status = unsafe pthread_mutex_init(mutex, nil)
        precondition(status == 0, "a mutex cannot be made")
        self.value = value
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` while no other thread is in here. Not recursive; nothing slow and nobody else's code in `body`.
    package func withLock<Result, Failure>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
