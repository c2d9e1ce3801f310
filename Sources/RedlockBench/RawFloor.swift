import CHiredis
import RedlockRedis

/// The floor: what acquires and releases cost on the wire, with nothing else around them.
///
/// Blocking hiredis contexts on one thread. A batch is sent to all nodes, then all answers are read; with a depth of 1
/// a batch is one command, with more it is a pipeline. The words are laid out once, so that hiredis' own work is all
/// there is.
final class RawFloor {
    private let nodes: [NodeClient]
    private let acquires: [CommandWords]
    private let releases: [CommandWords]

    /// - Parameters:
    ///   - keyPrefix: Of the keys that it sets, one for each command of a pipeline.
    ///   - depth: The deepest pipeline.
    init(_ addresses: [NodeAddress], keyPrefix: String, depth: Int) throws(BenchError) {
        var nodes: [NodeClient] = []
        for address in addresses {
            let node = try NodeClient(address)
            _ = try node.text(["SCRIPT", "LOAD", Script.release])
            nodes.append(node)
        }
        self.nodes = nodes
        let token = "0123456789012345678901234567890123456789"
        acquires = (0..<depth).map { CommandWords(["SET", "\(keyPrefix)\($0)", token, "NX", "PX", "10000"]) }
        releases = (0..<depth).map { CommandWords(["EVALSHA", Script.releaseDigest, "1", "\(keyPrefix)\($0)", token]) }
    }

    /// Cycles until the time is over, on the calling thread, which is blocked meanwhile.
    func run(depth: Int, for time: Duration, while mayRun: () -> Bool) throws(BenchError) -> Figures {
        var cycles = Samples()
        var halves = Samples()
        let cpu = ProcessUsage.cpuSeconds
        let start = Stopwatch.nanoseconds
        let end = start + time.nanoseconds
        var now = start
        while now < end, mayRun() {
            let begun = now
            try serve(acquires: 0..<depth, releases: 0..<0)
            let acquired = Stopwatch.nanoseconds
            try serve(acquires: 0..<0, releases: 0..<depth)
            now = Stopwatch.nanoseconds
            halves.add(acquired - begun)
            cycles.add(now - begun)
        }
        return Figures(
            cycles: cycles, acquires: halves, cyclesPerSample: depth, seconds: Double(now - start) / 1e9,
            cpuSeconds: ProcessUsage.cpuSeconds - cpu)
    }

    /// Sends these commands to all nodes, and reads the answers.
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
