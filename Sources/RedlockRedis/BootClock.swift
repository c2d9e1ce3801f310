internal import Glibc

/// The clock that `ContinuousClock` reads on Linux: monotonic, and counts the time in which the machine is suspended.
package enum BootClock {
    package static var nanoseconds: Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
