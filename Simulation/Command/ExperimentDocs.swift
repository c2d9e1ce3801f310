import CommandSupport
import RedlockSimulation

/// experiments.md in a folder, and its pictures.
struct ExperimentDocs {
    private let folder: String
    private var page: ExperimentPage

    private var path: String { "\(folder)/experiments.md" }

    /// Reads the page, which must have a place for each of these.
    init(in folder: String, for experiments: [Experiment]) throws {
        self.folder = folder
        let text = String(decoding: try File.read("\(folder)/experiments.md"), as: UTF8.self)
        do {
            page = try ExperimentPage(text)
        } catch {
            throw UsageError("\(folder)/experiments.md: \(error)")
        }
        for experiment in experiments where !page.names.contains(experiment.name) {
            throw UsageError(
                "\(path) has no place for \(experiment.name): the lines \(ExperimentPage.marks(experiment.name))")
        }
        try File.makeFolder("\(folder)/experiments")
    }

    mutating func write(_ results: [ExperimentResult]) throws {
        for result in results {
            try File.write(result.svg, to: "\(folder)/experiments/\(result.experiment.name).svg")
            page.replace(result)
        }
        try File.write(page.text, to: path)
    }
}
