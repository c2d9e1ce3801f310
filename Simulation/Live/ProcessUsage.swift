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
        let words = Folder.text(of: "/proc/\(id)/statm")?.split(separator: " ") ?? []
        guard words.count > 1, let pages = Int64(words[1]) else { return nil }
        residentBytes = pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
