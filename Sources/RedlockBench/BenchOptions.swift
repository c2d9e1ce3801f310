/// What to measure, and for how long.
package struct BenchOptions: Sendable {
    /// What the library is put through.
    package enum Case: String, CaseIterable, Sendable {
        /// All nodes answer.
        case healthy
        /// One of the nodes is gone; its port refuses.
        case refused
        /// One of the nodes is stopped where it stands: it accepts, and does not answer.
        case hung
        case twoHung = "two-hung"
        /// A millisecond on the way to each node, and a millisecond back.
        case delay
        /// Several want the same resource, in one process and in several.
        case contended
        /// How many acquires with a fencing token take a second round trip, and what a token costs.
        case fencing
        /// What a held lease and a waiting caller occupy.
        case memory

        /// Nodes that somebody else runs are not stopped or killed, and their passwords not handed to a proxy.
        package var needsOwnNodes: Bool {
            switch self {
            case .healthy, .contended, .memory: false
            case .refused, .hung, .twoHung, .delay: true
            // Nodes keep fencing numbers for weeks.
            case .fencing: true
            }
        }

        package static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
    }

    /// URLs; empty to have five servers started on this machine.
    package var nodes: [String] = []
    package var cases = Case.allCases
    package var rounds = 3
    /// Of each measurement.
    package var time = Duration.seconds(1)
    /// Tasks that lock at the same time, each a resource of its own.
    package var callers = [1, 16, 64, 256]
    package var contenders = 8
    /// Leases held, and callers waiting, when the memory is measured.
    package var memoryCount = 100_000

    package init() {}

    /// A few seconds in all: shows that everything works, and figures too rough to quote.
    package static var quick: BenchOptions {
        var options = BenchOptions()
        options.rounds = 1
        options.time = .milliseconds(100)
        options.callers = [1, 64]
        options.contenders = 4
        options.memoryCount = 2_000
        return options
    }

    package static let ownNodes = 5
    package static let roundLimits = 1...100
    package static let timeLimits = Duration.milliseconds(10) ... .seconds(60)
    package static let callerLimits = 1...4_096
    package static let contenderLimits = 2...64
    package static let memoryLimits = 100...1_000_000

    /// What is wrong with it, and what would be right; nil when nothing is.
    package var complaint: String? {
        func outside<Value: Comparable>(_ name: String, _ value: Value, _ range: ClosedRange<Value>) -> String? {
            range.contains(value)
                ? nil : "\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)"
        }
        if cases.isEmpty { return "no case is chosen; there are: \(Case.names)" }
        if !nodes.isEmpty, let wrong = cases.first(where: \.needsOwnNodes) {
            return "the case \(wrong.rawValue) needs servers that the bench starts, so it cannot run on nodes given; "
                + "those that can: \(Case.allCases.filter { !$0.needsOwnNodes }.map(\.rawValue).joined(separator: ", "))"
        }
        return outside("the number of rounds", rounds, Self.roundLimits)
            ?? outside("the time", time, Self.timeLimits)
            ?? callers.lazy.compactMap { outside("the number of callers", $0, Self.callerLimits) }.first
            ?? outside("the number of contenders", contenders, Self.contenderLimits)
            ?? outside("the number of leases for the memory", memoryCount, Self.memoryLimits)
    }
}
