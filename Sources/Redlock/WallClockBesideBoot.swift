internal import RedlockCore
internal import RedlockRedis

/// The wall clock, read together with the boot clock.
///
/// A process can be stopped between the two readings; the wall clock seems to have gained then. So a reading that shows a
/// gain is made again, until the boot clock reads about the same before and after.
struct WallClockBesideBoot: Sendable {
    /// Gains below this are left to the core as they are, in microseconds.
    private static let grain: Int64 = 1_000
    /// The longest time that a reading may take to be believed, in nanoseconds.
    private static let longestReading: Int64 = 100_000
    /// Readings at most: a machine that never gets one done quickly enough is not told of gains.
    private static let readings = 8

    private let wall: @Sendable () -> Int64
    private let boot: @Sendable () -> Int64
    /// Of the last reading: how far the wall clock is ahead of the boot clock, in microseconds.
    private var lead: Int64?

    init(
        wall: @escaping @Sendable () -> Int64 = { WallClock.microseconds },
        boot: @escaping @Sendable () -> Int64 = { BootClock.nanoseconds }
    ) {
        self.wall = wall
        self.boot = boot
    }

    /// What the wall clock reads at an instant that was read from the boot clock a moment ago, in microseconds since 1970.
    mutating func reading(at now: Instant) -> Int64 {
        let base = now.nanoseconds / 1_000
        var latest = wall() - base
        if let lead, latest - lead > Self.grain { latest = settledLead() ?? lead }
        lead = latest
        return base + latest
    }

    private func settledLead() -> Int64? {
        var before = boot()
        for _ in 0..<Self.readings {
            let wall = wall()
            let after = boot()
            if after - before <= Self.longestReading { return wall - before / 1_000 }
            before = after
        }
        return nil
    }
}
