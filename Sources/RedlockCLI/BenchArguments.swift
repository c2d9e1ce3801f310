import RedlockBench

/// What `redlock bench` was told.
struct BenchArguments: Sendable {
    var options = BenchOptions()
    var asJSON = false
    var wantsHelp = false

    private static let known: [Arguments.Option] = [
        .init(name: "node"), .init(name: "local", takesValue: false), .init(name: "case"), .init(name: "rounds"),
        .init(name: "time"), .init(name: "callers"), .init(name: "contenders"), .init(name: "leases"),
        .init(name: "quick", takesValue: false), .init(name: "json", takesValue: false),
        .init(name: "help", short: "h", takesValue: false),
    ]

    init(_ arguments: Arguments) throws(UsageError) {
        var rest = arguments
        let found = try rest.takeOptions(Self.known)
        // First, so that others can change what it sets.
        if found.contains(where: { $0.name == "quick" }) { options = .quick }
        var nodes: [String] = []
        var cases: [BenchOptions.Case] = []
        var isLocal = false
        for (name, value) in found {
            switch name {
            case "node": nodes.append(value)
            case "local": isLocal = true
            case "case": cases.append(try Self.benchCase(value))
            case "rounds": options.rounds = try Self.number(value, of: name)
            case "time": options.time = try Duration(argument: value, of: name)
            case "callers": options.callers = try Self.numbers(value, of: name)
            case "contenders": options.contenders = try Self.number(value, of: name)
            case "leases": options.memoryCount = try Self.number(value, of: name)
            case "json": asJSON = true
            case "help": wantsHelp = true
            case "quick": break
            default: preconditionFailure("the option --\(name) is declared and not handled")
            }
        }
        if wantsHelp { return }
        if let word = rest.text(at: 0) {
            throw UsageError(message: "'\(word)' is no option; the bench takes options only")
        }
        if isLocal, !nodes.isEmpty { throw UsageError(message: "--local and --node exclude each other") }
        options.nodes = nodes.isEmpty && !isLocal ? RunOptions.nodesOfEnvironment : nodes
        options.cases =
            cases.isEmpty ? options.cases.filter { options.nodes.isEmpty || !$0.needsOwnNodes } : cases
        if let complaint = options.complaint { throw UsageError(message: complaint) }
    }

    private static func benchCase(_ word: String) throws(UsageError) -> BenchOptions.Case {
        guard let benchCase = BenchOptions.Case(rawValue: word) else {
            throw UsageError(message: "'\(word)' is no case; there are: \(BenchOptions.Case.names)")
        }
        return benchCase
    }

    private static func numbers(_ text: String, of option: String) throws(UsageError) -> [Int] {
        var numbers: [Int] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            numbers.append(try number(String(word), of: option))
        }
        return numbers
    }

    private static func number(_ text: String, of option: String) throws(UsageError) -> Int {
        guard let number = Int(text) else { throw UsageError(message: "--\(option) '\(text)' is no whole number") }
        return number
    }
}
