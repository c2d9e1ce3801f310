import Glibc
import Redlock

/// What `redlock run` was told.
struct RunOptions: Sendable {
    var nodes: [String] = []
    var ttl = Duration.seconds(10)
    var wait = Duration.seconds(30)
    /// Nil for a tenth of the ttl.
    var grace: Duration?
    var configuration = Redlock.Configuration()
    var format = EventLog.Format.quiet
    var wantsHelp = false
    var resource = Resource("")
    var command: [[UInt8]] = []

    private static let options: [Arguments.Option] = [
        .init(name: "node"), .init(name: "ttl"), .init(name: "wait"), .init(name: "grace"), .init(name: "max-hold"),
        .init(name: "node-timeout"), .init(name: "key-prefix"), .init(name: "json", takesValue: false),
        .init(name: "verbose", short: "v", takesValue: false), .init(name: "help", short: "h", takesValue: false),
    ]

    init(_ arguments: Arguments) throws(UsageError) {
        // A command may be a service that holds the lock for months.
        configuration.maximumHold = nil
        var rest = arguments
        for (name, value) in try rest.takeOptions(Self.options) {
            switch name {
            case "node": nodes.append(value)
            case "ttl": ttl = try Duration(argument: value, of: name)
            case "wait": wait = try Duration(argument: value, of: name)
            case "grace": grace = try Duration(argument: value, of: name)
            case "max-hold": configuration.maximumHold = try Duration(argument: value, of: name)
            case "node-timeout": configuration.nodeTimeout = try Duration(argument: value, of: name)
            case "key-prefix": configuration.keyPrefix = value
            case "json": format = .json
            case "verbose": format = .text
            case "help": wantsHelp = true
            default: preconditionFailure("the option --\(name) is declared and not handled")
            }
        }
        if wantsHelp { return }
        try takeResourceAndCommand(rest)
        if nodes.isEmpty { nodes = Self.nodesOfEnvironment }
        guard !nodes.isEmpty else {
            throw UsageError(message: "no nodes: give --node redis://host:port once for each, or set REDLOCK_NODES")
        }
    }

    private mutating func takeResourceAndCommand(_ rest: Arguments) throws(UsageError) {
        guard let resource = rest.words.first, rest.text(at: 0) != "--" else {
            throw UsageError(message: "the resource is missing: redlock run [options] RESOURCE -- COMMAND")
        }
        guard rest.text(at: 1) == "--" else {
            let found = rest.text(at: 1).map { "not '\($0)'" } ?? "and the command"
            throw UsageError(message: "after the resource comes --, \(found); options stand before the resource")
        }
        guard rest.words.count > 2 else { throw UsageError(message: "the command is missing after --") }
        self.resource = Resource(bytes: resource)
        command = Array(rest.words[2...])
    }

    static var nodesOfEnvironment: [String] {
        guard let value = unsafe getenv("REDLOCK_NODES") else { return [] }
        return unsafe String(cString: value).split(separator: ",").map { word in
            String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }
}
