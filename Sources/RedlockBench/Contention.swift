import Redlock

/// Several that want one resource, each holding it for a millisecond: what a handover costs, and who gets how much.
package struct Contention: Sendable {
    let nodes: [String]
    let resource: String
    let contenders: Int
    let time: Duration

    /// What a holder does with the lock.
    static let work = Duration.milliseconds(1)
    static let ttl = Duration.seconds(10)

    /// Where the contenders are.
    package enum Place: String, CaseIterable, Sendable {
        case oneProcess = "one-process"
        case processes

        package var words: String { self == .oneProcess ? "one process" : "as many processes" }
    }

    /// When one lease was held, on the machine's monotonic clock, in nanoseconds.
    struct Holding: Sendable {
        var contender: Int
        var granted: Int64
        /// When its release was asked for.
        var released: Int64
    }

    /// What the contenders did, and what it took.
    struct Outcome: Sendable {
        var holdings: [Holding]
        var seconds: Double
        var commands: Int
    }

    func run(_ place: Place) async throws -> ContentionFigures {
        let outcome =
            switch place {
            case .oneProcess: try await inOneProcess()
            case .processes: try await inProcesses()
            }
        return ContentionFigures(place: place, contenders: contenders, outcome)
    }

    private func inOneProcess() async throws -> Outcome {
        try await withRedlock(nodes) { redlock in
            await (try redlock.acquire(Resource(resource), ttl: Self.ttl, waitingUpTo: LibraryLoad.wait)).release()
            return try await measure { end in
                try await withThrowingTaskGroup(of: [Holding].self) { group in
                    for contender in 0..<contenders {
                        group.addTask { try await contend(redlock, as: contender, until: end) }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
            }
        }
    }

    /// Counts time and commands around what the contenders do.
    func measure(_ body: (_ end: Int64) async throws -> [Holding]) async throws -> Outcome {
        let counter = try CommandCounter(nodes)
        let start = Stopwatch.nanoseconds
        let holdings = try await body(start + time.nanoseconds)
        let seconds = Double(Stopwatch.nanoseconds - start) / 1e9
        return Outcome(holdings: holdings, seconds: seconds, commands: try counter.commandsSinceStart())
    }

    /// Takes the lock, works, lets it go, until the time is over.
    func contend(_ redlock: Redlock, as contender: Int, until end: Int64) async throws -> [Holding] {
        var holdings: [Holding] = []
        while Stopwatch.nanoseconds < end, !Task.isCancelled {
            guard let lease = try await lease(redlock, until: end) else { break }
            let granted = Stopwatch.nanoseconds
            try? await Task.sleep(for: Self.work)
            holdings.append(Holding(contender: contender, granted: granted, released: Stopwatch.nanoseconds))
            await lease.release()
        }
        return holdings
    }

    /// Nil when the time was over before it was this contender's turn.
    private func lease(_ redlock: Redlock, until end: Int64) async throws -> Lease? {
        let left = Duration.nanoseconds(max(0, end - Stopwatch.nanoseconds))
        do {
            return try await redlock.acquire(Resource(resource), ttl: Self.ttl, waitingUpTo: left)
        } catch {
            if error.code == .heldByAnother || error.code == .cancelled { return nil }
            throw error
        }
    }
}

/// What contention gave.
package struct ContentionFigures: Sendable {
    package var place: Contention.Place
    package var contenders: Int
    package var handoffsPerSecond: Double
    /// From one contender's call of release to the next one's lease, in microseconds. Only where the owner changed.
    package var releaseToGrantMedian: Double
    package var releaseToGrantP99: Double
    /// Owners that changed, of all grants.
    package var changes: Int
    package var acquisitions: Int
    /// Jain's index of the acquisitions.
    package var fairness: Double
    /// On all nodes together, from all contenders.
    package var commandsPerAcquisition: Double

    init(place: Contention.Place, contenders: Int, _ outcome: Contention.Outcome) {
        self.place = place
        self.contenders = contenders
        let holdings = outcome.holdings
        let inOrder = holdings.sorted { $0.granted < $1.granted }
        var gaps = Samples()
        for (earlier, later) in zip(inOrder, inOrder.dropFirst()) where earlier.contender != later.contender {
            gaps.add(later.granted - earlier.released)
        }
        let sorted = gaps.sorted()
        changes = gaps.count
        acquisitions = holdings.count
        handoffsPerSecond = Double(changes) / outcome.seconds
        releaseToGrantMedian = sorted.percentile(0.5)
        releaseToGrantP99 = sorted.percentile(0.99)
        fairness = (0..<contenders).map { one in Double(holdings.count { $0.contender == one }) }.fairness
        commandsPerAcquisition = holdings.isEmpty ? 0 : Double(outcome.commands) / Double(holdings.count)
    }

    init(medianOf rounds: [ContentionFigures]) {
        func middle(_ figure: (ContentionFigures) -> Double) -> Double { rounds.map(figure).median }
        place = rounds[0].place
        contenders = rounds[0].contenders
        changes = rounds.reduce(0) { $0 + $1.changes }
        acquisitions = rounds.reduce(0) { $0 + $1.acquisitions }
        handoffsPerSecond = middle(\.handoffsPerSecond)
        releaseToGrantMedian = middle(\.releaseToGrantMedian)
        releaseToGrantP99 = middle(\.releaseToGrantP99)
        fairness = middle(\.fairness)
        commandsPerAcquisition = middle(\.commandsPerAcquisition)
    }
}
