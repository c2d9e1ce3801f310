/// The cells of an experiment: a row for each point, a column for each series.
package struct ExperimentResult: Sendable {
    package let experiment: Experiment
    package let seeds: Int
    package let first: UInt64
    package private(set) var cells: [[ExperimentCell]]

    package init(_ experiment: Experiment, seeds: Int, first: UInt64 = 0) {
        self.experiment = experiment
        self.seeds = seeds
        self.first = first
        cells = experiment.points.map { _ in experiment.series.map { _ in ExperimentCell() } }
    }

    /// How many runs it takes.
    package var runs: Int { experiment.points.count * experiment.series.count * seeds }

    /// Makes the run of that number. The order of runs does not matter.
    package mutating func run(_ number: Int) {
        let (place, seed) = number.quotientAndRemainder(dividingBy: seeds)
        let (point, series) = place.quotientAndRemainder(dividingBy: experiment.series.count)
        experiment.run(first + UInt64(seed), point: point, series: series, into: &cells[point][series])
    }

    package mutating func add(_ other: ExperimentResult) {
        for point in cells.indices {
            for series in cells[point].indices { cells[point][series].add(other.cells[point][series]) }
        }
    }

    /// Runs that broke a promise though no assumption was broken, and where.
    package var violated: [(place: String, failure: Tally.Failure)] {
        var all: [(place: String, failure: Tally.Failure)] = []
        for (point, row) in zip(experiment.points, cells) {
            for (series, cell) in zip(experiment.series, row) {
                all += cell.violated.sorted { $0.schedule.seed < $1.schedule.seed }
                    .map { ("\(experiment.name), \(point.label), \(series.name)", $0) }
            }
        }
        return all
    }

    package var json: JSON {
        .record([
            "name": .string(experiment.name), "question": .string(experiment.question),
            "setting": .string(experiment.setting), "axis": .string(experiment.axis),
            "runs_per_cell": JSON(seeds), "first_seed": .number(Int64(first)),
            "cells": .array(
                experiment.points.indices.flatMap { point in
                    experiment.series.indices.map { series in json(point, series) }
                }),
        ])
    }

    private func json(_ point: Int, _ series: Int) -> JSON {
        let cell = cells[point][series]
        return .record([
            "point": .string(experiment.points[point].label), "series": .string(experiment.series[series].name),
            "overlapped": JSON(cell.overlap.count), "damaged": JSON(cell.damage.count),
            "violated": JSON(cell.violated.count), "answers": JSON(cell.granted.total), "grants": JSON(cell.grants),
            "wait_median_us": cell.wait(0.5).map { .number($0.nanoseconds / 1_000) },
            "wait_p99_us": cell.wait(0.99).map { .number($0.nanoseconds / 1_000) },
        ])
    }
}
