internal import CLivePage
internal import Glibc

/// What one process is made to believe about its wall clock and its disk, by the preloaded shim.
///
/// One thread at a time may set it.
@safe
package final class ClockControl: @unchecked Sendable {
    package struct MapError: Error, CustomStringConvertible {
        package let description: String
    }

    private let page: UnsafeMutablePointer<redlock_live_page>
    private static let size = MemoryLayout<redlock_live_page>.size

    /// The file that the process finds by ``variable``.
    package let path: String
    /// In parts per billion, as it was set last.
    package private(set) var rate: Int64 = 0

    package static let variable = REDLOCK_LIVE_PAGE_VARIABLE

    /// Makes the file.
    package init(path: String) throws(MapError) {
        self.path = path
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, ftruncate(descriptor, Self.size) == 0 else {
            throw MapError(description: "\(path) cannot be made: \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let mapping = unsafe mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
            throw MapError(description: "\(path) cannot be mapped: \(unsafe String(cString: strerror(errno)))")
        }
        unsafe page = mapping.bindMemory(to: redlock_live_page.self, capacity: 1)
    }

    deinit {
        unsafe munmap(page, Self.size)
    }

    /// How far the wall clock is off now, in nanoseconds.
    package var skew: Int64 {
        unsafe redlock_clock_skew(redlock_page_clock(page), MachineClock.monotonic())
    }

    package func jump(by amount: Int64) {
        set(offset: skew + amount, rate: rate)
    }

    /// Goes on from where it is, `rate` parts per billion off.
    package func setRate(_ rate: Int64) {
        set(offset: skew, rate: rate)
    }

    /// The machine's clock again.
    package func reset() {
        set(offset: 0, rate: 0)
    }

    private func set(offset: Int64, rate: Int64) {
        self.rate = rate
        unsafe redlock_page_set_clock(
            page, redlock_clock_setting(offset_ns: offset, rate_ppb: rate, base_ns: MachineClock.monotonic()))
    }

    /// How much longer the process waits for the disk at every sync.
    package func setSyncStall(_ nanoseconds: Int64) {
        unsafe redlock_page_set_sync_stall(page, nanoseconds)
    }

    /// How much of a file the process has had on the disk; nil when it was never synced. For a process that is gone.
    package func syncedSize(inode: UInt64) -> Int64? {
        let size = unsafe redlock_page_synced_size(page, inode)
        return size < 0 ? nil : size
    }
}
