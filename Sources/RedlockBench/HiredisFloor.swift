import CHiredis
import RedlockRedis

/// The wire by hiredis' blocking calls, as people use it: each command is formatted when it is sent, and each reply is
/// made an object.
final class HiredisFloor: CommandFloor {
    private let nodes: [NodeClient]
    private let acquires: [CommandWords]
    private let releases: [CommandWords]

    /// - Parameters:
    ///   - keyPrefix: Of the keys that it sets, one for each command of a pipeline.
    ///   - depth: The deepest pipeline.
    init(_ addresses: [NodeAddress], keyPrefix: String, depth: Int) throws(BenchError) {
        nodes = try FloorCommands.connect(addresses)
        let commands = FloorCommands(keyPrefix: keyPrefix, depth: depth)
        acquires = commands.acquires.map { CommandWords($0) }
        releases = commands.releases.map { CommandWords($0) }
    }

    func serve(
        acquires acquiring: some Collection<Int>, releases releasing: some Collection<Int>
    ) throws(BenchError) {
        for node in nodes {
            for index in acquiring { node.append(acquires[index]) }
            for index in releasing { node.append(releases[index]) }
        }
        // Appended commands are written when an answer is asked for: write to all before reading from one.
        for node in nodes { try node.flush() }
        for node in nodes {
            for _ in acquiring { try node.readReply(expecting: REDIS_REPLY_STATUS) }
            for _ in releasing { try node.readReply(expecting: REDIS_REPLY_INTEGER) }
        }
    }
}
