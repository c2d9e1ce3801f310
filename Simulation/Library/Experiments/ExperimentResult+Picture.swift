// A result as a picture: a panel for each measure, a line for each series.

extension ExperimentResult {
    package var svg: String {
        let panels =
            switch experiment.measure {
            case .safety:
                [
                    Plot.Panel(
                        title: "Overlap: two held at once", unit: "% of runs",
                        lines: lines { Self.percent($0.overlap.share, $0.overlap.interval) }),
                    Plot.Panel(
                        title: "Damage: a late write was taken", unit: "% of runs",
                        lines: lines { Self.percent($0.damage.share, $0.damage.interval) }),
                ]
            case .service:
                [
                    Plot.Panel(
                        title: "Requests that were granted", unit: "%", top: 100,
                        lines: lines { Self.percent($0.availability.share, $0.availability.interval) }),
                    Plot.Panel(
                        title: "99 % of the grants took at most", unit: "ms",
                        lines: lines { $0.wait(0.99).map(Self.milliseconds) }),
                ]
            }
        return Plot(axis: experiment.axis, labels: experiment.points.map(\.label), panels: panels).svg
    }

    private func lines(_ value: (ExperimentCell) -> Plot.Value?) -> [Plot.Line] {
        experiment.series.indices.map { series in
            Plot.Line(name: experiment.series[series].name, values: cells.map { value($0[series]) })
        }
    }

    private static func percent(_ share: Double, _ interval: ClosedRange<Double>) -> Plot.Value {
        Plot.Value(share * 100, interval.lowerBound * 100...interval.upperBound * 100)
    }

    private static func milliseconds(_ wait: (nanoseconds: Int64, interval: ClosedRange<Int64>)) -> Plot.Value {
        Plot.Value(
            Double(wait.nanoseconds) / 1e6,
            Double(wait.interval.lowerBound) / 1e6...Double(wait.interval.upperBound) / 1e6)
    }
}
