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
            if case .failed(let words) = Regression(schedule).replay() { Issue.record("\(name): \(words)") }
        }
    }

    @Test("a mutant that another oracle notices passes, and one that nothing notices fails")
    func otherOracle() throws {
        let mutant = try #require(Mutant.named("stale-deadline"))
        let kill = try #require(MutantHunt(mutant).run(budget: 300).kill)
        let schedule = MutantHunt(mutant).schedule(kill.seed, isBroken: true)
        #expect(Regression(schedule).replay() == .asExpected)
        #expect(
            Regression(schedule, noticedBy: [.overlap]).replay()
                == .noticedOtherwise("stale-deadline is noticed by progress"))
        var harmless = Schedule(random: 0, .tolerated)
        harmless.mutant = "long-holds"
        guard case .failed = Regression(harmless).replay() else {
            Issue.record("a mutant that changes nothing is taken for noticed")
            return
        }
    }

    @Test("a schedule without a mutant that is violated fails")
    func violated() {
        // A wait for a lock that no node ever grants in time.
        var schedule = Schedule(seed: 1)
        schedule.options.clients = 1
        schedule.options.scripted = true
        schedule.acquire(0, at: 100, wait: 600_000)
        schedule.healAt = 0
        schedule.endAt = WorldOptions.milliseconds(60_000)
        schedule.options.nodeTimeout = WorldOptions.milliseconds(1)
        schedule.options.delay = WorldOptions.milliseconds(20)
        guard case .failed = Regression(schedule).replay() else {
            Issue.record("a violation passes")
            return
        }
    }
}
