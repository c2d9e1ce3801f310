internal import Glibc

/// The system's random numbers, asked for in bulk: a token needs three, and each call costs more than the rest of it.
///
/// Used by one thread at a time.
@safe
package final class RandomBytes: RandomNumberGenerator {
    /// What the kernel gives without being interrupted.
    private static let bulk = 256

    /// Not an array: each use of one would be checked for exclusive access.
    private let words = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: bulk / MemoryLayout<UInt64>.size)
    /// As many of them have not been used.
    private var left = 0

    package init() {}

    deinit {
        unsafe words.deallocate()
    }

    package func next() -> UInt64 {
        if left == 0 { fill() }
        left -= 1
        return unsafe words[left]
    }

    private func fill() {
        let status = unsafe getentropy(words.baseAddress!, Self.bulk)
        // It fails on kernels that are older than Swift's own minimum.
        precondition(status == 0, "getentropy: \(describeError(errno))")
        left = unsafe words.count
    }
}
