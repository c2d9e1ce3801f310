internal import Glibc

/// Standard input, read from its descriptor.
///
/// `readLine` would hold the lock of C's `stdin` while it waits, and `exit` of glibc 2.41 waits for that lock: a program
/// with a thread in `readLine` never ends.
package enum StandardInput {
    /// The next line without its newline; nil at the end of the input. Blocks the calling thread.
    ///
    /// It takes nothing beyond the newline, so it needs no buffer that threads would have to share.
    package static func line() -> String? {
        var bytes: [UInt8] = []
        while let byte = nextByte() {
            guard byte != 0x0a else { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private static func nextByte() -> UInt8? {
        var byte: UInt8 = 0
        while true {
            let count = unsafe read(STDIN_FILENO, &byte, 1)
            if count == 1 { return byte }
            guard count < 0, errno == EINTR else { return nil }
        }
    }
}
