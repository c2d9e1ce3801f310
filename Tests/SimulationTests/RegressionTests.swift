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

    private static func text(of name: String) -> String {
        guard let file = unsafe fopen(folder + "/" + name, "r") else { return "" }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    @Test("stay mended; those of mutants are still noticed")
    func replay() throws {
        let files = Self.files()
        #expect(!files.isEmpty)
        for name in files {
            let schedule = try Schedule(json: JSON(parsing: Self.text(of: name)))
            var world = World(schedule)
            let outcome = world.run()
            #expect((outcome.verdict == .violated) == (schedule.mutant != nil), "\(name): \(outcome.violations)")
        }
    }
}
