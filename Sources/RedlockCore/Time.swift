/// A length of time in whole nanoseconds; negative when it points backwards.
///
/// The core counts in integers: the same on every machine, and cheap to simulate by the million.
package struct Nanoseconds: Hashable, Comparable, Sendable {
    package var count: Int64

    package init(_ count: Int64) {
        self.count = count
    }

    package static let zero = Nanoseconds(0)

    /// As good as for ever (146 years), yet safe to add to any instant.
    package static let forever = Nanoseconds(Int64.max / 2)

    package static func microseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000) }
    package static func milliseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000_000) }
    package static func seconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000_000_000) }

    /// Whole milliseconds, rounded up: what Redis is asked for is never shorter than what was meant.
    package var millisecondsRoundedUp: Int64 {
        count / 1_000_000 + (count % 1_000_000 > 0 ? 1 : 0)
    }

    /// Whole seconds, rounded up, for people: never zero for something that lasts.
    package var secondsRoundedUp: Int64 {
        count / 1_000_000_000 + (count % 1_000_000_000 > 0 ? 1 : 0)
    }

    package static func < (left: Nanoseconds, right: Nanoseconds) -> Bool { left.count < right.count }
    package static func + (left: Nanoseconds, right: Nanoseconds) -> Nanoseconds {
        Nanoseconds(left.count + right.count)
    }
    package static func - (left: Nanoseconds, right: Nanoseconds) -> Nanoseconds {
        Nanoseconds(left.count - right.count)
    }
    package static func * (left: Nanoseconds, right: Int64) -> Nanoseconds { Nanoseconds(left.count * right) }
    package static func / (left: Nanoseconds, right: Int64) -> Nanoseconds { Nanoseconds(left.count / right) }
}

/// A moment on the client's monotonic clock, the one that goes on counting while the machine is suspended.
///
/// Nanoseconds since an origin of the shell's choice, so instants of two processes cannot be compared.
package struct Instant: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static let distantFuture = Instant(nanoseconds: Int64.max / 2)

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates at `distantFuture`: a wait without end must not overflow.
    package static func + (left: Instant, right: Nanoseconds) -> Instant {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.count)
        return overflow || sum > distantFuture.nanoseconds ? distantFuture : Instant(nanoseconds: sum)
    }

    package static func - (left: Instant, right: Nanoseconds) -> Instant {
        Instant(nanoseconds: left.nanoseconds - right.count)
    }

    package static func - (left: Instant, right: Instant) -> Nanoseconds {
        Nanoseconds(left.nanoseconds - right.nanoseconds)
    }
}
