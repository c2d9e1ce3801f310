import CHiredis
import RedlockRedis

/// The floor: the least that the wire allows.
///
/// The bytes of each command are laid out once. A batch is one write and, as a rule, one read a node; hiredis' reader finds
/// the ends of the replies, and makes no objects of them.
final class WireFloor: CommandFloor {
    private let nodes: [NodeClient]
    private let acquires: [[UInt8]]
    private let releases: [[UInt8]]
    private var batch: [UInt8] = []

    /// - Parameters:
    ///   - keyPrefix: Of the keys that it sets, one for each command of a pipeline.
    ///   - depth: The deepest pipeline.
    init(_ addresses: [NodeAddress], keyPrefix: String, depth: Int) throws(BenchError) {
        nodes = try FloorCommands.connect(addresses)
        let commands = FloorCommands(keyPrefix: keyPrefix, depth: depth)
        acquires = commands.acquires.map(Self.bytes)
        releases = commands.releases.map(Self.bytes)
    }

    /// An array of strings, as the protocol has it ("Redis serialization protocol").
    static func bytes(_ words: [String]) -> [UInt8] {
        var bytes = [UInt8]("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
        return bytes
    }

    func serve(
        acquires acquiring: some Collection<Int>, releases releasing: some Collection<Int>
    ) throws(BenchError) {
        batch.removeAll(keepingCapacity: true)
        for index in acquiring { batch += acquires[index] }
        for index in releasing { batch += releases[index] }
        for node in nodes { try node.write(batch) }
        for node in nodes {
            try node.readReplies(acquiring.count, expecting: REDIS_REPLY_STATUS)
            try node.readReplies(releasing.count, expecting: REDIS_REPLY_INTEGER)
        }
    }
}
