import ChildProcesses
import Glibc
import PosixLock

/// Where a program writes to, and nobody reads until the test does.
///
/// A socket and not a pipe: it is closed on exec from the start, so no child of another test keeps an end open.
final class UnreadOutput: Sendable {
    /// For the program.
    let end: Int32
    private let ownEnd: Locked<Int32?>

    init() throws {
        let (end, ownEnd) = try socketPair()
        self.end = end
        self.ownEnd = Locked(ownEnd)
    }

    deinit {
        close(end)
        leave()
    }

    /// From here on nobody can read what is written.
    func leave() {
        if let descriptor = ownEnd.withLock({ $0.take() }) { close(descriptor) }
    }

    /// From here on a write blocks.
    func fill() {
        let bytes = [UInt8](repeating: UInt8(ascii: "."), count: 4_096)
        for count in [bytes.count, 1] {
            while unsafe send(end, bytes, count, Int32(MSG_DONTWAIT)) > 0 {}
        }
    }

    /// All that is written until this is true.
    func readBlocking(until isEnd: (String) -> Bool) -> String {
        guard let descriptor = ownEnd.withLock({ $0 }) else { return "" }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while !isEnd(String(decoding: bytes, as: UTF8.self)) {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
