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
        forEachEightDigits { digits in
            for shift in stride(from: 56, through: 0, by: -8) {
                buffer.append(UInt8(truncatingIfNeeded: digits >> shift))
            }
        }
    }

    /// The 40 lower-case hexadecimal digits, eight at a time: the first of them is the highest byte.
    @inline(__always)
    package func forEachEightDigits(_ body: (UInt64) -> Void) {
        body(Self.digits(of: UInt32(truncatingIfNeeded: high >> 32)))
        body(Self.digits(of: UInt32(truncatingIfNeeded: high)))
        body(Self.digits(of: UInt32(truncatingIfNeeded: middle >> 32)))
        body(Self.digits(of: UInt32(truncatingIfNeeded: middle)))
        body(Self.digits(of: low))
    }

    /// All eight at once, a byte each: one after the other they were a twentieth of what a cycle takes.
    private static func digits(of word: UInt32) -> UInt64 {
        var nibbles = UInt64(word)
        nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff
        nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f
        // 1 in each byte that is above 9: adding 6 carries into the upper half of the byte.
        let letters = ((nibbles + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        return nibbles + 0x3030_3030_3030_3030 + letters * UInt64(0x61 - 0x3a)
    }
}
