import RedlockCore

/// A command as hiredis has laid it out, for others of its form: they differ in key and token alone.
///
/// hiredis takes thousands of instructions for a command. Here a key and the line with its length are put between what
/// stands before and after them, and a token, whose length is always the same, into its place.
///
/// A class: to use one in an array of structs retains all that it keeps.
final class CommandLayout {
    /// Up to the `$` in front of the length of the key.
    private let head: [UInt8]
    /// From behind the key.
    private let tail: [UInt8]
    /// In ``tail``.
    private let tokenPlace: Int

    /// What commands of one layout have in common.
    struct Form: Equatable {
        private let notice: Command.Notice
        private let operation: Command.Operation

        init(_ command: Command) {
            notice = command.notice
            operation = command.operation
        }
    }

    /// Whether commands like this one differ in key and token alone, once each, and are many.
    static func isKept(for command: Command) -> Bool {
        switch command.operation {
        case .acquire, .contend, .extend, .release: command.spelling == .digest
        case .acquireFenced, .raise, .repair, .announce, .readClock, .look: false
        }
    }

    /// - Parameters:
    ///   - lengths: Of the command's words, in bytes.
    ///   - keyWord: Which of them is the key. The next one is the token.
    init(of command: Command, as formatted: WireCommand, lengths: [Int], keyWord: Int) {
        let bytes = formatted.bytes
        // In front of the words is a line with their number, and in front of each a line with its length; behind each a
        // line ends.
        func afterLine(at place: Int) -> Int { bytes[place...].firstIndex(of: 0x0a)! + 1 }
        var keyLine = afterLine(at: 0)
        for length in lengths[..<keyWord] { keyLine = afterLine(at: keyLine) + length + 2 }
        let keyEnd = afterLine(at: keyLine) + lengths[keyWord]
        head = [UInt8](bytes[...keyLine])
        tail = [UInt8](bytes[keyEnd...])
        tokenPlace = afterLine(at: keyEnd + 2) - keyEnd
    }

    /// Writes a command of this form in the place of what is in the buffer.
    func write(_ command: Command, to buffer: inout [UInt8]) {
        buffer.removeAll(keepingCapacity: true)
        buffer.append(copying: head)
        Self.append(decimal: command.key.count, to: &buffer)
        buffer.append(0x0d)
        buffer.append(0x0a)
        buffer.append(copying: command.key)
        var place = buffer.count + tokenPlace
        buffer.append(copying: tail)
        unsafe buffer.withUnsafeMutableBytes { bytes in
            command.token.forEachEightDigits { digits in
                unsafe bytes.storeBytes(of: digits.bigEndian, toByteOffset: place, as: UInt64.self)
                place += 8
            }
        }
    }

    private static func append(decimal number: Int, to buffer: inout [UInt8]) {
        if number >= 10 { append(decimal: number / 10, to: &buffer) }
        buffer.append(0x30 + UInt8(number % 10))
    }
}

extension [UInt8] {
    /// Appends other bytes, without a reference to them.
    mutating func append(copying other: [UInt8]) {
        unsafe other.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
