public import Glibc

/// A value that one thread at a time can touch. Copies of this are of one and the same value.
///
/// A POSIX mutex rather than the standard library's `Mutex`: on Linux the thread sanitizer knows what the first orders,
/// and takes every use of the second for a race.
///
/// Public, as other modules get their own, specialized copy of this code only if it is both that and inlinable.
@safe
public struct Locked<Value>: @unchecked Sendable {
    /// The value, and behind it the mutex: one object for both.
    @usableFromInline let storage: ManagedBuffer<Value, pthread_mutex_t>

    /// A value that nobody else has.
    @inlinable
    public init(_ value: Value) {
        unsafe storage = LockedStorage<Value>.create(minimumCapacity: 1) { storage in
            unsafe storage.withUnsafeMutablePointerToElements { mutex in
                unsafe mutex.initialize(to: pthread_mutex_t())
                // It fails for want of memory alone.
                let status = unsafe pthread_mutex_init(mutex, nil)
                precondition(status == 0, "a mutex cannot be made")
            }
            return value
        }
    }

    /// Runs `body` while no other thread is in here. Not recursive; nothing slow and nobody else's code in `body`.
    @inlinable
    public func withLock<Result, Failure>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe try storage.withUnsafeMutablePointers { value, mutex throws(Failure) in
            unsafe pthread_mutex_lock(mutex)
            defer { unsafe pthread_mutex_unlock(mutex) }
            return unsafe try body(&value.pointee)
        }
    }
}

@unsafe
@usableFromInline
final class LockedStorage<Value>: ManagedBuffer<Value, pthread_mutex_t> {
    @inlinable
    deinit {
        unsafe withUnsafeMutablePointerToElements { mutex in
            unsafe pthread_mutex_destroy(mutex)
            unsafe mutex.deinitialize(count: 1)
        }
    }
}
