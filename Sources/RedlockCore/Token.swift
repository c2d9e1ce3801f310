/// The random value that says whose lock a key is: 20 bytes, a fresh one for every attempt.
///
/// The length is the one that the Redis documentation suggests ("Distributed locks with Redis", the section on the
/// single instance). On the wire it is 40 hexadecimal digits, so that a person can read it in redis-cli.
package struct Token: Hashable, Sendable {
    private let high: UInt64
    private let middle: UInt64
    private let low: UInt32

    package init(using generator: inout any RandomNumberGenerator) {
        high = generator.next()
        middle = generator.next()
        low = UInt32(truncatingIfNeeded: generator.next())
    }

    /// Tokens made by counting, for tests.
    package init(number: UInt64) {
        high = 0
        middle = number
        low = 0
    }

    package static let digits = 40

    /// Appends the 40 lower-case hexadecimal digits.
    package func write(to buffer: inout [UInt8]) {
        func append(_ word: UInt64, digits: UInt64) {
            for place in stride(from: digits, to: 0, by: -1) {
                let nibble = UInt8(truncatingIfNeeded: word >> ((place - 1) * 4)) & 0xf
                buffer.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
            }
        }
        append(high, digits: 16)
        append(middle, digits: 16)
        append(UInt64(low), digits: 8)
    }
}
