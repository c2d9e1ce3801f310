internal import Glibc

/// The system's random numbers, asked for in bulk: a token needs three, and each call costs more than the rest of it.
///
/// Used by one thread at a time.
package final class RandomBytes: RandomNumberGenerator {
    /// What the kernel gives without being interrupted.
    private static let bulk = 256

    private var words: [UInt64] = []

    package init() {}

    package func next() -> UInt64 {
        if let word = words.popLast() { return word }
        words.append(contentsOf: repeatElement(0, count: Self.bulk / MemoryLayout<UInt64>.size))
        let status = unsafe words.withUnsafeMutableBytes { unsafe getentropy($0.baseAddress!, $0.count) }
        // It fails on kernels that are older than Swift's own minimum.
        precondition(status == 0, "getentropy: \(describeError(errno))")
        return words.removeLast()
    }
}
