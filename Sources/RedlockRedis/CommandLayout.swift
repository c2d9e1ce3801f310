import RedlockCore

/// A command as hiredis has laid it out, for others of its form: their keys and tokens go into the same places.
///
/// hiredis takes thousands of instructions for a command, and commands differ in little else.
struct CommandLayout {
    private let operation: Command.Operation
    private let notice: Command.Notice
    private let keyCount: Int
    private let keyPlace: Int
    private let tokenPlace: Int
    private var bytes: [UInt8]

    /// Whether commands like this one differ in key and token alone, once each, and are many.
    static func isKept(for command: Command) -> Bool {
        switch command.operation {
        case .acquire, .contend, .extend, .release: command.spelling == .digest
        case .acquireFenced, .raise, .repair, .announce, .readClock: false
        }
    }

    /// - Parameters:
    ///   - lengths: Of the command's words, in bytes.
    ///   - keyWord: Which of them is the key. The next one is the token.
    init(of command: Command, as formatted: WireCommand, lengths: [Int], keyWord: Int) {
        operation = command.operation
        notice = command.notice
        keyCount = command.key.count
        bytes = formatted.bytes
        keyPlace = Self.place(of: keyWord, lengths, in: bytes)
        tokenPlace = Self.place(of: keyWord + 1, lengths, in: bytes)
    }

    /// In front of the words is a line with their number, and in front of each a line with its length; behind each a
    /// line ends.
    private static func place(of word: Int, _ lengths: [Int], in bytes: [UInt8]) -> Int {
        func afterLine(at place: Int) -> Int { bytes[place...].firstIndex(of: 0x0a)! + 1 }
        var place = afterLine(at: afterLine(at: 0))
        for length in lengths[..<word] { place = afterLine(at: place + length + 2) }
        return place
    }

    func fits(_ command: Command) -> Bool {
        keyCount == command.key.count && notice == command.notice && operation == command.operation
    }

    /// The bytes of a command that ``fits(_:)``.
    mutating func filled(for command: Command) -> WireCommand {
        unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe bytes[keyPlace..<keyPlace + keyCount].copyBytes(from: command.key)
            var place = tokenPlace
            command.token.forEachEightDigits { digits in
                unsafe bytes.storeBytes(of: digits.bigEndian, toByteOffset: place, as: UInt64.self)
                place += 8
            }
        }
        return WireCommand(bytes: bytes)
    }
}
