internal import Glibc

/// The machine's wall clock, for the first proposals of fencing numbers and nothing else.
package enum WallClock {
    /// Since 1970, by a clock that can be set.
    package static var microseconds: Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
    }
}
