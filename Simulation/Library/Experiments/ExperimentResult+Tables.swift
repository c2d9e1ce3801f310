// A result as a person reads it: tables in Markdown, a column for each series.

extension ExperimentResult {
    /// What stands between the marks of a page: the setting, the picture, the tables.
    package var markdown: String {
        var parts = [
            experiment.setting
                + " \(Format.grouped(seeds)) runs of \(Format.length(Schedule.life)) for each cell, seeds "
                + "\(Format.grouped(Int(first))) to \(Format.grouped(Int(first) + seeds - 1)).",
            "![\(experiment.question)](experiments/\(experiment.name).svg)",
        ]
        switch experiment.measure {
        case .safety:
            parts.append(
                table("Overlap") { Proportion.words($0.overlap.share, $0.overlap.interval) })
            parts.append(table("Damage") { Proportion.words($0.damage.share, $0.damage.interval) })
            parts.append(
                table("Grants in a run") { Format.decimal(Int64($0.grants * 10 / max(1, $0.runs)), per: 10) })
        case .service:
            parts.append(table("Granted") { Proportion.words($0.availability.share, $0.availability.interval) })
            parts.append(table("Half of the grants within") { Self.words($0.wait(0.5)) })
            parts.append(table("99 % of the grants within") { Self.words($0.wait(0.99)) })
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private func table(_ title: String, _ text: (ExperimentCell) -> String) -> String {
        let head = ["**\(title)**, \(experiment.axis)"] + experiment.series.map(\.name)
        let rows = zip(experiment.points, cells).map { point, row in [point.label] + row.map(text) }
        return ([head, head.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
            .joined(separator: "\n")
    }

    private static func words(_ wait: (nanoseconds: Int64, interval: ClosedRange<Int64>)?) -> String {
        guard let wait else { return "no grant" }
        return "\(milliseconds(wait.nanoseconds)) ms "
            + "(\(milliseconds(wait.interval.lowerBound)) to \(milliseconds(wait.interval.upperBound)))"
    }

    /// One decimal below ten, none above.
    private static func milliseconds(_ nanoseconds: Int64) -> String {
        let tenths = (nanoseconds + 50_000) / 100_000
        return tenths < 100 ? Format.decimal(tenths, per: 10) : Format.decimal((tenths + 5) / 10, per: 1)
    }
}
