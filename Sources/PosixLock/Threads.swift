internal import Glibc

/// The system refused a thread: too many processes for this user or container, as a rule.
package struct ThreadError: Error, Hashable, CustomStringConvertible {
    /// The `errno`.
    package let number: Int32

    package var description: String { "the system refuses another thread: \(unsafe String(cString: strerror(number)))" }
}

/// Runs `body` on a thread of its own, which takes no signals: the host's signals are for its own threads.
///
/// Not on a queue of Dispatch: where the system refuses a thread, Dispatch tries again for ever, on the thread of whoever
/// asked.
package func startThread(_ body: @escaping @Sendable () -> Void) throws(ThreadError) {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    let context = unsafe Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let status = unsafe pthread_create(
        &thread, nil,
        { context in
            unsafe Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
            return nil
        }, context.toOpaque())
    guard status == 0 else {
        unsafe context.release()
        throw ThreadError(number: status)
    }
    pthread_detach(thread)
}
