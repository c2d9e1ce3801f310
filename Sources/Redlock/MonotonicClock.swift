internal import RedlockCore
internal import RedlockRedis

/// The engine's time: nanoseconds of `ContinuousClock`, which counts suspend.
struct MonotonicClock: Sendable {
    /// One moment on both; the engine's is read second, so that an end of validity is never taken for later than it is.
    private let origin = ContinuousClock.now
    private let originInstant = MonotonicClock.read()

    func now() -> Instant { Self.read() }

    func time(of instant: Instant) -> ContinuousClock.Instant {
        origin.advanced(by: .nanoseconds((instant - originInstant).count))
    }

    private static func read() -> Instant { Instant(nanoseconds: BootClock.nanoseconds) }
}
