import ChildProcesses
import Glibc
import PosixLock
import TestSupport

/// A terminal, and a shell that runs on it in a session of its own, as somebody would who types there.
final class Terminal: Sendable {
    private let main: Int32
    private let shell: ChildProcess
    private let hasEnded = Locked(false)

    /// Whether this machine has terminals to give: a bare chroot has none.
    static let isAvailable: Bool = {
        guard let (main, path) = open() else { return false }
        defer { close(main) }
        let other = unsafe Glibc.open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        if other >= 0 { close(other) }
        return other >= 0
    }()

    /// A new terminal: this side of it, and the file of the other. By the kernel's own calls, as the Glibc module lacks
    /// those of POSIX.
    private static func open() -> (main: Int32, path: String)? {
        let (unlock, number): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        let main = unsafe Glibc.open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (isLocked, name): (Int32, UInt32) = (0, 0)
        guard main >= 0, unsafe ioctl(main, unlock, &isLocked) == 0, unsafe ioctl(main, number, &name) == 0 else {
            close(main)
            return nil
        }
        return (main, "/dev/pts/\(name)")
    }

    struct NotAvailable: Error {}

    /// Runs a script by a shell without job control, in the foreground of the terminal.
    init(running script: String, with shell: String = "bash") throws {
        guard let (main, path) = Self.open() else { throw NotAvailable() }
        self.main = main
        // Whoever begins a session and opens a terminal has it from then on.
        self.shell = try ChildProcess([
            "sh", "-c", #"exec <"$1" >"$1" 2>&1; shift; exec "$@""#, "sh", path, shell, "-c", script,
        ])
    }

    /// Nothing that has ended may be left unwaited for: the testing library's exit tests wait for any child, and would be
    /// told of that one for ever.
    deinit {
        if !hasEnded.withLock({ $0 }) {
            shell.signal(SIGKILL)
            shell.wait()
        }
        close(main)
    }

    func type(_ text: String) {
        _ = unsafe write(main, text, text.utf8.count)
    }

    /// All that is printed until this is true, or all have gone.
    func read(until isEnd: @escaping @Sendable (String) -> Bool) async -> String {
        await onOwnThread { [main] in
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while !isEnd(String(decoding: bytes, as: UTF8.self)) {
                let count = unsafe Glibc.read(main, &buffer, buffer.count)
                guard count > 0 else { break }
                bytes += buffer[..<count]
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// How the shell ended.
    func status() async -> ChildProcess.Status {
        await onOwnThread {
            let status = self.shell.wait()
            self.hasEnded.withLock { $0 = true }
            return status
        }
    }
}
