import Glibc

/// A redis-server process of this test's own, on a unix socket in a folder that goes with it.
@safe final class RealServer {
    private let folder: String
    private var process: pid_t = 0
    private var connection: Int32 = -1
    private var received: [UInt8] = []

    static var isInstalled: Bool { path != nil }

    private static var path: String? {
        ["/usr/bin/redis-server", "/usr/local/bin/redis-server", "/usr/bin/valkey-server"]
            .first { unsafe access($0, X_OK) == 0 }
    }

    /// Nil when it cannot be started.
    init?() {
        guard let path = Self.path else { return nil }
        var template = Array("/tmp/redlock-sim-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { return nil }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let words = [
            path, "--port", "0", "--unixsocket", folder + "/socket", "--save", "", "--appendonly", "no", "--dir",
            folder,
            "--logfile", folder + "/log",
        ]
        guard spawn(words), connect() else { return nil }
    }

    deinit {
        if connection >= 0 { close(connection) }
        if process > 0 {
            kill(process, SIGKILL)
            var status: Int32 = 0
            unsafe waitpid(process, &status, 0)
        }
        for name in ["socket", "log"] { unsafe unlink(folder + "/" + name) }
        unsafe rmdir(folder)
    }

    private func spawn(_ words: [String]) -> Bool {
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        return unsafe posix_spawn(&process, words[0], nil, nil, arguments, environ) == 0
    }

    /// The socket is there a moment after the process.
    private func connect() -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array((folder + "/socket").utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.enumerated() { unsafe path[index] = byte }
        }
        for _ in 0..<500 {
            connection = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            let result = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.connect(connection, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            if result == 0 { return true }
            close(connection)
            usleep(10_000)
        }
        connection = -1
        return false
    }

    /// Sends what is a command already, and returns the answer's line, such as `+OK`, `$-1` or `:1`.
    func ask(_ bytes: [UInt8]) -> String {
        let sent = unsafe bytes.withUnsafeBytes {
            unsafe send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == bytes.count else { return "not sent" }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            if let end = received.firstIndex(of: 0x0a) {
                let line = String(decoding: received[..<(end - 1)], as: UTF8.self)
                received.removeSubrange(...end)
                return line
            }
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return "closed" }
            received += buffer[..<count]
        }
    }

    /// The same for words.
    func ask(_ words: String...) -> String {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
        return ask(bytes)
    }
}

/// Stands still: what is waited for is a clock on the other side.
func pause(milliseconds: UInt32) {
    usleep(milliseconds * 1_000)
}
