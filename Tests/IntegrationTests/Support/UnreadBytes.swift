import Glibc
import LocalCluster

extension LocalNode {
    /// Whether something has been sent to the node that it has not read: it stands still.
    var hasUnreadBytes: Bool {
        let descriptor = unsafe open("/proc/net/tcp", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = unsafe read(descriptor, &chunk, chunk.count), count > 0 { bytes += chunk.prefix(count) }
        // Columns: number, local address:port, remote address:port, state (01 is established), sent:unread, …
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains { line in
            let columns = line.split(separator: " ")
            guard columns.count > 4, columns[3] == "01" else { return false }
            guard columns[1].split(separator: ":").last.flatMap({ UInt16($0, radix: 16) }) == port else { return false }
            return columns[4].split(separator: ":").last.flatMap { Int($0, radix: 16) } ?? 0 > 0
        }
    }
}
