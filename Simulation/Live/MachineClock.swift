internal import Glibc

/// The clock that all processes of a live run share: nanoseconds of CLOCK_BOOTTIME, which is what the library's
/// `ContinuousClock` reads. It is one for the whole machine, so moments of different processes can be compared.
package enum MachineClock {
    package static func now() -> Int64 { read(CLOCK_BOOTTIME) }

    /// What the clock shim counts rates by.
    static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    /// The machine's wall clock, less ``now()``: it changes when somebody sets the clock.
    static func wallOffset() -> Int64 {
        var best = (gap: Int64.max, offset: Int64(0))
        for _ in 0..<5 {
            let before = now()
            let wall = read(CLOCK_REALTIME)
            let after = now()
            if after - before < best.gap { best = (after - before, wall - (before + after) / 2) }
        }
        return best.offset
    }

    private static func read(_ clock: Int32) -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Sleeps, at most so long that a stop is noticed soon.
    static func sleep(until moment: Int64, atMost limit: Int64 = 20_000_000) {
        let length = min(moment - now(), limit)
        guard length > 0 else { return }
        var time = timespec(tv_sec: Int(length / 1_000_000_000), tv_nsec: Int(length % 1_000_000_000))
        _ = unsafe nanosleep(&time, nil)
    }
}

extension ContinuousClock.Instant {
    /// A moment of `ContinuousClock` and the same in nanoseconds of ``MachineClock``, read within a few microseconds of
    /// each other: both count the same clock, so the difference stays.
    private static let origin: (instant: ContinuousClock.Instant, nanoseconds: Int64) = {
        var best = (gap: Duration.seconds(3_600), instant: ContinuousClock.now, nanoseconds: Int64(0))
        for _ in 0..<100 {
            let before = ContinuousClock.now
            let nanoseconds = MachineClock.now()
            let gap = before.duration(to: .now)
            if gap < best.gap { best = (gap, before, nanoseconds) }
        }
        return (best.instant, best.nanoseconds)
    }()

    /// On ``MachineClock``.
    var machineTime: Int64 {
        Self.origin.nanoseconds + Self.origin.instant.duration(to: self).nanoseconds
    }
}

extension Duration {
    var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
