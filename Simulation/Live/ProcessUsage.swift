internal import Folders
internal import Glibc

/// What a process takes of the machine.
struct ProcessUsage: Sendable {
    let id: pid_t
    let descriptors: Int
    let residentBytes: Int64

    /// Nil when there is no such process, or it may not be looked at.
    init?(_ id: pid_t) {
        self.id = id
        guard let names = Folder.names(in: "/proc/\(id)/fd") else { return nil }
        descriptors = names.count
        let descriptor = unsafe open("/proc/\(id)/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        let words = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        guard words.count > 1, let pages = Int64(words[1]) else { return nil }
        residentBytes = pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
