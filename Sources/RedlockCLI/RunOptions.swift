import CommandSupport
import Glibc
import Redlock

/// What `redlock run` was told.
struct RunOptions: Sendable {
    let nodes: [String]
    let ttl: Duration
    let wait: Duration
    var configuration = Redlock.Configuration()
    /// Exit code when another holds the lock.
    let conflictExitCode: Int32
    let format: EventLog.Format
    let resource: Resource
    let job: Job.Settings

    /// The name with its prefix, as the nodes have it.
    var key: [UInt8] { configuration.keyPrefixBytes + resource.bytes }

    static let options: [Option] =
        Nodes.options + [
            .init("ttl", .text("TIME"), "how long the lock outlives a machine that dies (10s)"),
            .init("max-ttl", .text("TIME"), "the longest ttl that anybody uses on these nodes (60s)"),
            .init("trust-durable", "nodes that keep every write vote at once, even new ones"),
            .init("wait", short: "w", .text("TIME"), "how long to wait; seconds if there is no unit (30s)"),
            .init("nonblock", short: "n", "do not wait, as --wait 0s"),
            .init(
                "conflict-exit-code", short: "E", .text("CODE"), "exit code if another holds the lock, 0 to 255 (75)"),
            .init("grace", .text("TIME"), "from SIGTERM to SIGKILL on loss (a tenth of the ttl)"),
            .init("no-die-with-parent", "COMMAND goes on when redlock is killed"),
            .init("max-hold", .text("TIME"), "the longest that the lock may be held (no limit)"),
            .init("node-timeout", .text("TIME"), "how long a node may take to answer (100ms)"),
            .init("key-prefix", .bytes("TEXT"), "put before RESOURCE to make its key (nothing)"),
            .init("fencing", "get a fencing token, in REDLOCK_FENCING_TOKEN"),
            .init("json", "events as lines of JSON on standard error"),
            .init("verbose", short: "v", "events as lines of text on standard error"),
            // What flock(1) has.
            .missing("command", short: "c", "write RESOURCE -- sh -c 'COMMAND'"),
            .missing("timeout", "write --wait TIME"),
            .missing("nb", "write --nonblock"),
        ]

    /// The end of the help.
    static let notes = """
        URL: redis://[[user]:password@]host[:port][/db] or unix:///path. TIME: 500ms, 2h
        exit: COMMAND's own, 128 + n for signal n; 64 wrong arguments, 69 no quorum,
          71 system, 75 held by another, 76 lost, 126 not executable, 127 not found
        """

    /// From the library's shortest to thirty years.
    private static let holdLimits = Redlock.Configuration.shortestMaximumHold ... .seconds(262_800 * 3_600)

    init(_ arguments: Arguments) throws(UsageError) {
        let shortest = configuration.ttlLimits.lowerBound
        if let longest = try arguments.time("max-ttl", shortest...Redlock.Configuration.longestTTL) {
            configuration.ttlLimits = shortest...longest
        }
        ttl = try arguments.time("ttl") ?? .seconds(10)
        guard configuration.ttlLimits.contains(ttl) else {
            throw UsageError(
                "--ttl is \(ttl.argument); it must be from \(shortest.argument) to "
                    + "\(configuration.ttlLimits.upperBound.argument), which --max-ttl can raise; "
                    + "the lock is extended while the command runs, so a short one is enough")
        }
        guard !arguments.has("nonblock") || !arguments.has("wait") else {
            throw UsageError("--nonblock and --wait exclude each other: --nonblock is --wait 0s")
        }
        wait =
            arguments.has("nonblock") ? .zero : try arguments.time("wait", withoutUnit: .seconds) ?? .seconds(30)
        conflictExitCode = Int32(
            try arguments.number("conflict-exit-code", 0...255, otherwise: Int(ExitCode.heldByAnother)))
        let grace = try arguments.time("grace") ?? ttl / 10
        // A command may be a service that holds the lock for months.
        configuration.maximumHold = try arguments.time("max-hold", Self.holdLimits)
        if let time = try arguments.time("node-timeout", Redlock.Configuration.nodeTimeoutLimits) {
            configuration.nodeTimeout = time
        }
        configuration.keyPrefixBytes = arguments.bytes("key-prefix") ?? []
        configuration.trustsDurableNodes = arguments.has("trust-durable")
        configuration.fencing = arguments.has("fencing")
        format = arguments.has("json") ? .json : arguments.has("verbose") ? .text : .quiet
        let command: [[UInt8]]
        (resource, command) = try Self.resourceAndCommand(arguments.operands)
        job = Job.Settings(command: command, grace: grace, diesWithParent: !arguments.has("no-die-with-parent"))
        nodes = try Nodes.urls(arguments)
    }

    private static func resourceAndCommand(_ words: [[UInt8]]) throws(UsageError) -> (Resource, [[UInt8]]) {
        let separator = [UInt8]("--".utf8)
        guard let resource = words.first, resource != separator else {
            throw UsageError("the resource is missing: redlock run [options] RESOURCE -- COMMAND")
        }
        let next = words.dropFirst().first.map { String(decoding: $0, as: UTF8.self) }
        if let next, next == "-c" || next == "--command" {
            throw UsageError("there is no option \(next); write \(Resource(bytes: resource)) -- sh -c 'COMMAND'")
        }
        guard words.dropFirst().first == separator else {
            let found = words.dropFirst().first.map {
                "not '\(String(decoding: $0, as: UTF8.self).withoutCredentials)'"
            }
            throw UsageError(
                "after the resource comes --, \(found ?? "and the command"); options stand before the resource")
        }
        guard words.count > 2 else { throw UsageError("the command is missing after --") }
        return (Resource(bytes: resource), Array(words[2...]))
    }
}
