import CommandSupport
import RedlockBench

/// What `redlock bench` was told.
struct BenchArguments: Sendable {
    let options: BenchOptions
    let asJSON: Bool

    static let declared: [Option] =
        Nodes.options + [
            .init("local", "servers on this machine even if REDLOCK_NODES is set"),
            .init(
                "case", .choice("NAME", BenchOptions.Case.allCases.map(\.rawValue)),
                "what to measure, once for each (all)"),
            .init("rounds", .text("N"), "figures are medians of so many rounds (3)"),
            .init("time", .text("TIME"), "how long each measurement takes (1s)"),
            .init("callers", .text("LIST"), "tasks that lock at the same time (1,16,64,256)"),
            .init("contenders", .text("N"), "for one resource, in the case contended (8)"),
            .init("leases", .text("N"), "in the case memory (100000)"),
            .init("quick", "one round of seconds: to see that it works, not to quote"),
            .init("json", "the report as JSON"),
        ]

    init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.words(atMost: 0)
        var options = arguments.has("quick") ? BenchOptions.quick : BenchOptions()
        options.rounds = try arguments.number("rounds", BenchOptions.roundLimits, otherwise: options.rounds)
        options.time = try arguments.time("time", BenchOptions.timeLimits) ?? options.time
        if let list = arguments.value("callers") { options.callers = try Self.callers(list) }
        options.contenders = try arguments.number(
            "contenders", BenchOptions.contenderLimits, otherwise: options.contenders)
        options.memoryCount = try arguments.number("leases", BenchOptions.memoryLimits, otherwise: options.memoryCount)
        let given = try Nodes.given(arguments)
        if arguments.has("local"), !given.isEmpty { throw UsageError("--local and --node exclude each other") }
        options.nodes = try given.isEmpty && !arguments.has("local") ? Nodes.ofEnvironment : given
        let cases = arguments.values("case").compactMap { BenchOptions.Case(rawValue: $0) }
        options.cases = cases.isEmpty ? options.cases.filter { options.nodes.isEmpty || !$0.needsOwnNodes } : cases
        if let complaint = options.complaint { throw UsageError(complaint) }
        self.options = options
        asJSON = arguments.has("json")
    }

    private static func callers(_ list: String) throws(UsageError) -> [Int] {
        var callers: [Int] = []
        for word in list.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Int(word) else {
                throw UsageError("--callers '\(list.withoutCredentials)' is no list of whole numbers, such as 1,16,64")
            }
            callers.append(number)
        }
        return callers
    }
}
