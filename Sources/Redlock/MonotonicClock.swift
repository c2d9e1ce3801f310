internal import RedlockCore

/// The engine's time: nanoseconds of `ContinuousClock`, which counts suspend, since the coordinator was made.
struct MonotonicClock: Sendable {
    private let origin = ContinuousClock.now

    func now() -> Instant {
        instant(of: ContinuousClock.now)
    }

    func instant(of time: ContinuousClock.Instant) -> Instant {
        Instant(nanoseconds: Nanoseconds(origin.duration(to: time)).count)
    }

    func time(of instant: Instant) -> ContinuousClock.Instant {
        origin.advanced(by: .nanoseconds(instant.nanoseconds))
    }
}
