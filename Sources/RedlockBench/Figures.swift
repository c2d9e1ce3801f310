/// What one load gave: the same figures for the bare wire and for the library.
package struct Figures: Sendable {
    /// An acquire and a release are one cycle.
    package var cycles: Int
    package var cyclesPerSecond: Double
    /// How long a cycle took, in microseconds.
    package var median: Double
    package var p99: Double
    package var p999: Double
    /// How long the acquire alone took: its median, in microseconds.
    package var acquireMedian: Double
    /// Processor time of this process, user and system, in microseconds; nil where others share the process.
    package var cpuPerCycle: Double?

    init(cycles: Samples, acquires: Samples, cyclesPerSample: Int = 1, seconds: Double, cpuSeconds: Double?) {
        let count = cycles.count * cyclesPerSample
        self.cycles = count
        cyclesPerSecond = Double(count) / seconds
        let sorted = cycles.sorted()
        median = sorted.percentile(0.5)
        p99 = sorted.percentile(0.99)
        p999 = sorted.percentile(0.999)
        acquireMedian = acquires.sorted().percentile(0.5)
        cpuPerCycle = cpuSeconds.map { count > 0 ? $0 * 1e6 / Double(count) : 0 }
    }

    /// The median of each figure over the rounds.
    init(medianOf rounds: [Figures]) {
        func middle(_ figure: (Figures) -> Double) -> Double { rounds.map(figure).median }
        cycles = rounds.reduce(0) { $0 + $1.cycles }
        cyclesPerSecond = middle(\.cyclesPerSecond)
        median = middle(\.median)
        p99 = middle(\.p99)
        p999 = middle(\.p999)
        acquireMedian = middle(\.acquireMedian)
        let cpu = rounds.compactMap(\.cpuPerCycle)
        cpuPerCycle = cpu.isEmpty ? nil : cpu.median
    }
}

/// Lengths of time as they were measured, in nanoseconds.
struct Samples: Sendable {
    private(set) var values: [Int64] = []

    var count: Int { values.count }

    mutating func add(_ nanoseconds: Int64) { values.append(nanoseconds) }
    mutating func add(_ others: Samples) { values.append(contentsOf: others.values) }

    func sorted() -> Sorted { Sorted(values: values.sorted()) }

    struct Sorted {
        fileprivate let values: [Int64]

        /// In microseconds; 0 when nothing was measured.
        func percentile(_ share: Double) -> Double {
            guard !values.isEmpty else { return 0 }
            let rank = min(values.count - 1, Int((Double(values.count) * share).rounded(.down)))
            return Double(values[rank]) / 1_000
        }
    }
}

extension [Double] {
    /// The upper one of the two in the middle, if there are two; 0 of nothing.
    var median: Double { isEmpty ? 0 : sorted()[count / 2] }

    /// Jain's fairness index: 1 when all have the same, 1/n when one has all.
    var fairness: Double {
        let sum = reduce(0, +)
        let squares = reduce(0) { $0 + $1 * $1 }
        return squares > 0 ? sum * sum / (Double(count) * squares) : 1
    }
}
