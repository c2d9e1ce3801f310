/// A task that waits, to be resumed once.
///
/// A debug build, which is what the tests use, checks that. The check takes an object for each wait, and a twentieth of
/// the processor's time when many lock. Nothing rests on it: whoever keeps a caller gives it up when resuming it.
@safe
struct Caller: Sendable {
    #if DEBUG
    private let continuation: CheckedContinuation<Void, Never>
    #else
    private let continuation: UnsafeContinuation<Void, Never>
    #endif

    /// Has the task wait until the caller that `body` gets is resumed.
    @inline(__always)
    static func wait(_ body: (Caller) -> Void) async {
        #if DEBUG
        await withCheckedContinuation { body(Caller(continuation: $0)) }
        #else
        unsafe await withUnsafeContinuation { unsafe body(Caller(continuation: $0)) }
        #endif
    }

    func resume() {
        #if DEBUG
        continuation.resume()
        #else
        unsafe continuation.resume()
        #endif
    }
}
