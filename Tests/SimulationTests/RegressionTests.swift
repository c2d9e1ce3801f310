import Folders
import Glibc
import Testing

@testable import RedlockSimulation

@Suite("Old failures")
struct RegressionTests {
    /// Beside this package's tests, wherever it was checked out.
    private static let folder: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/") + "/Simulation/Regressions"
    }()

    private static func files() -> [String] {
        (Folder.names(in: folder) ?? []).filter { $0.hasSuffix(".json") }
    }

    @Test("stay mended; those of mutants are still noticed")
    func replay() throws {
        let files = Self.files()
        #expect(!files.isEmpty)
        for name in files {
            let schedule = try Schedule(json: JSON(parsing: try #require(Folder.text(of: Self.folder + "/" + name))))
            var world = World(schedule)
            let outcome = world.run()
            #expect((outcome.verdict == .violated) == (schedule.mutant != nil), "\(name): \(outcome.violations)")
        }
    }
}
