import RedlockRedis

/// What acquires and releases cost on the wire, with nothing else around them: on one thread, which blocks.
///
/// A batch is sent to all nodes, then all answers are read; with a depth of 1 a batch is one command, with more it is a
/// pipeline.
protocol CommandFloor: AnyObject {
    /// Sends these commands to all nodes, and reads the answers.
    func serve(
        acquires: some Collection<Int>, releases: some Collection<Int>
    ) throws(BenchError)
}

extension CommandFloor {
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
}

/// The commands of a floor: one acquire and one release for each key of a pipeline.
struct FloorCommands {
    private static let token = "0123456789012345678901234567890123456789"

    let acquires: [[String]]
    let releases: [[String]]

    /// - Parameter depth: The deepest pipeline.
    init(keyPrefix: String, depth: Int) {
        acquires = (0..<depth).map { ["SET", "\(keyPrefix)\($0)", Self.token, "NX", "PX", "10000"] }
        releases = (0..<depth).map { ["EVALSHA", Script.releaseDigest, "1", "\(keyPrefix)\($0)", Self.token] }
    }

    /// Connections to these nodes, which know the script.
    static func connect(_ addresses: [NodeAddress]) throws(BenchError) -> [NodeClient] {
        var nodes: [NodeClient] = []
        for address in addresses {
            let node = try NodeClient(address)
            _ = try node.text(["SCRIPT", "LOAD", Script.release])
            nodes.append(node)
        }
        return nodes
    }
}
