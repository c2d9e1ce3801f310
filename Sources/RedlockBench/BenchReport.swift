/// What a run of the bench found: medians over its rounds.
package struct BenchReport: Sendable {
    /// One load in one case.
    package struct Row: Sendable {
        package var benchCase: BenchOptions.Case
        package var callers: Int
        package var library: Figures
        package var floor: Figures
        /// The library with all nodes well, in the same rounds; nil where that is what was measured.
        package var healthy: Figures?
        package var ratios: Ratios
        /// The library with tasks on its own thread for callers, and the ratios to the floor; nil where it was not
        /// measured.
        package var onItsThread: (figures: Figures, ratios: Ratios)?
        /// The floor with tasks for callers, and the library's ratios to that; nil where it was not measured.
        package var tasks: (figures: Figures, ratios: Ratios)?
        /// The wire by hiredis as people use it, and the library's ratios to that; nil where it was not measured.
        package var hiredis: (figures: Figures, ratios: Ratios)?
    }

    /// The library's figure divided by a floor's of the same round: the median over the rounds.
    package struct Ratios: Sendable {
        /// Of the medians of a cycle.
        package var latency: Double
        /// Of the medians of an acquire.
        package var acquireLatency: Double
        package var throughput: Double
        package var cpu: Double?
        /// Of the median of a cycle to that with all nodes well.
        package var toHealthy: Double?
    }

    package struct Contended: Sendable {
        package var figures: ContentionFigures
        /// A cycle of a caller that is alone, in microseconds.
        package var uncontendedCycle: Double
        /// Medians over the rounds.
        package var releaseToGrantInCycles: Double
        package var commandsToUncontended: Double
    }

    package var nodes: Int
    package var ownNodes: Bool
    package var rounds: Int
    package var seconds: Double
    package var rows: [Row] = []
    package var contended: [Contended] = []
    package var fencing: FencingFigures?
    package var memory: MemoryFigures?
}

/// What was measured in one round, side by side.
struct RoundResult: Sendable {
    var floor: Figures
    var library: Figures
    var healthy: Figures?
    var onItsThread: Figures?
    var tasks: Figures?
    var hiredis: Figures?

    static func row(_ benchCase: BenchOptions.Case, callers: Int, _ rounds: [RoundResult]) -> BenchReport.Row {
        let healthy = rounds.compactMap(\.healthy)
        let onItsThread = rounds.compactMap(\.onItsThread)
        let tasks = rounds.compactMap(\.tasks)
        let hiredis = rounds.compactMap(\.hiredis)
        return BenchReport.Row(
            benchCase: benchCase, callers: callers, library: Figures(medianOf: rounds.map(\.library)),
            floor: Figures(medianOf: rounds.map(\.floor)),
            healthy: healthy.isEmpty ? nil : Figures(medianOf: healthy),
            ratios: ratios(rounds, to: { $0.floor }),
            onItsThread: onItsThread.isEmpty
                ? nil : (Figures(medianOf: onItsThread), ratios(rounds, of: { $0.onItsThread! }, to: { $0.floor })),
            tasks: tasks.isEmpty ? nil : (Figures(medianOf: tasks), ratios(rounds, to: { $0.tasks! })),
            hiredis: hiredis.isEmpty ? nil : (Figures(medianOf: hiredis), ratios(rounds, to: { $0.hiredis! })))
    }

    private static func ratios(
        _ rounds: [RoundResult], of library: (RoundResult) -> Figures = { $0.library },
        to floor: (RoundResult) -> Figures
    ) -> BenchReport.Ratios {
        func ratio(_ figure: (Figures) -> Double) -> Double {
            rounds.map { figure(library($0)) / figure(floor($0)) }.median
        }
        let cpu = rounds.compactMap { round in
            library(round).cpuPerCycle.flatMap { ours in floor(round).cpuPerCycle.map { ours / $0 } }
        }
        let toHealthy = rounds.compactMap { round in round.healthy.map { round.library.median / $0.median } }
        return BenchReport.Ratios(
            latency: ratio(\.median), acquireLatency: ratio(\.acquireMedian), throughput: ratio(\.cyclesPerSecond),
            cpu: cpu.isEmpty ? nil : cpu.median, toHealthy: toHealthy.isEmpty ? nil : toHealthy.median)
    }
}
