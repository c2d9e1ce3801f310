/// Reads along what a client sends to a node: the commands, taken apart.
///
/// A command is an array of strings on the wire ("Redis serialization protocol"); anything else is passed over in
/// silence.
struct CommandSniffer {
    /// Longer commands are not the library's.
    static let maximumBytes = 1 << 16

    private var bytes: [UInt8] = []
    private var isLost = false

    /// Adds bytes, and calls `found` with each command that is complete.
    mutating func feed(_ more: [UInt8], _ found: ([[UInt8]]) -> Void) {
        guard !isLost else { return }
        bytes += more
        var start = 0
        while let (words, end) = command(from: start) {
            found(words)
            start = end
        }
        bytes.removeFirst(start)
        if bytes.count > Self.maximumBytes { isLost = true }
    }

    private func command(from start: Int) -> (words: [[UInt8]], end: Int)? {
        guard let (count, first) = number(after: UInt8(ascii: "*"), from: start), (0...64).contains(count) else {
            return nil
        }
        var place = first
        var words: [[UInt8]] = []
        for _ in 0..<count {
            guard let (length, begin) = number(after: UInt8(ascii: "$"), from: place), length >= 0,
                begin + length + 2 <= bytes.count
            else { return nil }
            words.append(Array(bytes[begin..<begin + length]))
            place = begin + length + 2
        }
        return (words, place)
    }

    private func number(after mark: UInt8, from start: Int) -> (value: Int, next: Int)? {
        guard start < bytes.count, bytes[start] == mark else { return nil }
        var value = 0
        var place = start + 1
        while place < bytes.count, bytes[place] != UInt8(ascii: "\r") {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]), value < Self.maximumBytes else {
                return nil
            }
            value = value * 10 + Int(bytes[place] - UInt8(ascii: "0"))
            place += 1
        }
        return place + 1 < bytes.count ? (value, place + 2) : nil
    }
}

/// What the wire shows of an attempt.
enum LockToken {
    /// The library's tokens are 20 bytes in hexadecimal digits.
    static let length = 40

    static func isToken(_ word: [UInt8]) -> Bool {
        word.count == length
            && word.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (0x61...0x66).contains($0) }
    }

    struct Sight: Hashable, Sendable {
        let token: String
        let resource: Int
        /// The command says no more than the token: it gives up what may be there. A release may be the first that is
        /// seen of an attempt, when a connection died with all before it.
        let isRelease: Bool
    }

    /// The token and the resource of a command; a script's digest has the same shape, and is passed over.
    static func find(in words: [[UInt8]], resources: [[UInt8]: Int]) -> Sight? {
        guard let place = words.firstIndex(where: { resources[$0] != nil }), let resource = resources[words[place]]
        else { return nil }
        guard let index = words[(place + 1)...].firstIndex(where: isToken) else { return nil }
        return Sight(
            token: String(decoding: words[index], as: UTF8.self), resource: resource,
            isRelease: index == words.count - 1 || words.last == [UInt8]("quietly".utf8))
    }
}
