internal import Glibc

/// The wall clock, for logs alone.
enum Timestamp {
    /// In UTC, to the microsecond, as RFC 3339 has it: `2026-02-03T04:05:06.123456Z`.
    static var now: String {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        var parts = unsafe tm()
        unsafe gmtime_r(&time.tv_sec, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = unsafe strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let seconds = String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(seconds).\(String(1_000_000 + time.tv_nsec / 1_000).dropFirst())Z"
    }
}
