internal import Glibc

/// The wall clock, for logs alone.
package enum Timestamp {
    /// In UTC, to the microsecond, as RFC 3339 has it: `2026-02-03T04:05:06.123456Z`.
    package static var now: String {
        // The names of its members belong, in a release build, to a module that cannot be imported; they are two words.
        var (seconds, nanoseconds) = unsafe withUnsafeTemporaryAllocation(of: timespec.self, capacity: 1) { time in
            unsafe clock_gettime(CLOCK_REALTIME, time.baseAddress!)
            return unsafe UnsafeRawBufferPointer(time).loadUnaligned(as: (Int, Int).self)
        }
        var parts = unsafe tm()
        unsafe gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = unsafe strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let second = String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(second).\(String(1_000_000 + nanoseconds / 1_000).dropFirst())Z"
    }
}
