package import CProcess
internal import Glibc

/// What a process does with signals: which are blocked, which ignored. A program that changes this for itself starts
/// others with what it was started with.
package struct SignalState: Sendable {
    package private(set) var blocked = sigset_t()
    package private(set) var ignored = sigset_t()
    /// All others: they have the default action, or a handler.
    package private(set) var defaults = sigset_t()

    /// Of this thread and process, now.
    package static var current: SignalState {
        var state = SignalState()
        unsafe cprocess_signals(&state.blocked, &state.ignored, &state.defaults)
        return state
    }

    /// Whether a program would notice that it gets this signal.
    package func takes(_ number: Int32) -> Bool {
        var (blocked, ignored) = (blocked, ignored)
        return unsafe sigismember(&blocked, number) != 1 && sigismember(&ignored, number) != 1
    }
}
