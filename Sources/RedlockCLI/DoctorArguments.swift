import CommandSupport
import Redlock
import RedlockCore
import RedlockDoctor
import RedlockRedis

/// What `redlock doctor` was told.
struct DoctorArguments: Sendable {
    let examination: Examination
    let expected: Expectations
    let asJSON: Bool
    /// Nil for one look.
    let interval: Duration?

    private static let timeoutLimits: ClosedRange<Duration> = .milliseconds(10) ... .seconds(60)
    private static let intervalLimits: ClosedRange<Duration> = .milliseconds(100) ... .seconds(3_600)

    static let declared: [Option] =
        Nodes.options + [
            .init("max-ttl", .text("TIME"), "the longest ttl that anybody uses on these nodes (60s)"),
            .init("node-timeout", .text("TIME"), "that of the lock's clients (100ms)"),
            .init("key-prefix", .bytes("TEXT"), "how the locks' keys begin, to try the rights"),
            .init("resource", .bytes("NAME"), "look at its fencing numbers; once for each"),
            .init("trust-durable", "the lock's clients have this option"),
            .init("timeout", .text("TIME"), "how long all nodes together may take (3s)"),
            .init("watch", "look again and again; tell what changes"),
            .init("interval", .text("TIME"), "from look to look, with --watch (2s)"),
            .init("json", "one JSON object; with --watch one a look"),
        ]

    init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.words(atMost: 0)
        let defaults = Redlock.Configuration()
        var expected = Expectations()
        expected.longestTTL = Nanoseconds(
            try arguments.time("max-ttl", defaults.ttlLimits.lowerBound...Redlock.Configuration.longestTTL)
                ?? defaults.ttlLimits.upperBound)
        expected.nodeTimeout = Nanoseconds(
            try arguments.time("node-timeout", Redlock.Configuration.nodeTimeoutLimits) ?? defaults.nodeTimeout)
        expected.trustsDurableNodes = arguments.has("trust-durable")
        expected.timeout = Nanoseconds(try arguments.time("timeout", Self.timeoutLimits) ?? .seconds(3))
        let prefix = arguments.bytes("key-prefix")
        expected.knowsPrefix = prefix != nil
        // Nobody's, so that the trials change nothing.
        let key = Resource(bytes: (prefix ?? []) + "redlock-doctor-\(UInt32.random(in: 0 ... .max))".utf8)
        expected.key = key.description
        let resources = arguments.allBytes("resource").map { Resource(bytes: (prefix ?? []) + $0) }
        if let bad = resources.first(where: { !(1...Limits.resourceBytes).contains($0.bytes.count) }) {
            throw UsageError("--resource has \(bad.bytes.count) bytes; it must have 1 to \(Limits.resourceBytes)")
        }
        expected.resources = resources.map(\.description)
        expected.wallClock = WallClock.microseconds
        let interval = try arguments.time("interval", Self.intervalLimits)
        guard arguments.has("watch") || interval == nil else {
            throw UsageError("--interval is for --watch")
        }
        self.interval = arguments.has("watch") ? interval ?? .seconds(2) : nil
        self.expected = expected
        asJSON = arguments.has("json")
        let urls = try Nodes.urls(arguments)
        do {
            examination = try Examination(
                urls, key: key.bytes, resources: resources.map(\.bytes), timeout: expected.timeout)
        } catch {
            throw UsageError("\(error)")
        }
    }
}
