import Folders
import Testing

@testable import RedlockSimulation

@Suite("The page of the experiments")
struct ExperimentPageTests {
    /// docs/experiments.md, as it is in the repository.
    private static var path: String {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/") + "/docs/experiments.md"
    }

    @Test("has a place for each experiment that exists, and for no other")
    func marks() throws {
        let page = try ExperimentPage(try #require(Folder.text(of: Self.path)))
        #expect(page.names == Experiment.all.map(\.name))
    }

    @Test("says what its experiments say of themselves", arguments: Experiment.all.map(\.name))
    func isUpToDate(name: String) throws {
        let experiment = try #require(Experiment.named(name))
        let text = try #require(Folder.text(of: Self.path))
        let wanted = [experiment.setting] + experiment.points.map { "\n| \($0.label) |" }
        // Not within the expectation, which would print the whole page.
        let missing = wanted.filter { !text.contains($0) }
        #expect(missing.isEmpty, "redlock-sim experiment --all --seeds 1000 --docs docs makes it anew")
    }

    @Test("keeps its prose")
    func prose() throws {
        let before =
            "# Title\n\nOne.\n\n<!-- experiment ttl -->\nold\n<!-- end of ttl -->\n\nTwo, <!-- not a mark -->.\n"
        var page = try ExperimentPage(before)
        #expect(page.text == before)
        let result = ExperimentResult(try #require(Experiment.named("ttl")), seeds: 1)
        page.replace(result)
        let expected = before.replacing("old\n", with: "\n\(result.markdown)\n")
        #expect(page.text == expected)
        page.replace(result)
        #expect(page.text == expected, "a second time changes nothing")
    }

    @Test(
        "is refused when its marks are broken",
        arguments: [
            ("<!-- experiment ttl -->\n", "'ttl' of line 1 has no end"),
            ("\n<!-- end of ttl -->\n", "line 2: 'ttl' ends, and has not begun"),
            ("<!-- experiment luck -->\n", "line 1: there is no experiment 'luck'"),
            ("<!-- experiment ttl -->\n<!-- end of pause -->\n", "line 2: 'pause' ends, and has not begun"),
            (
                "<!-- experiment ttl -->\n<!-- experiment pause -->\n",
                "line 2: 'pause' begins, and 'ttl' of line 1 has no end: \"<!-- end of ttl -->\""
            ),
            (
                "<!-- experiment ttl -->\n<!-- end of ttl -->\n<!-- experiment ttl -->\n",
                "line 3: 'ttl' is there twice"
            ),
        ])
    func broken(text: String, message: String) throws {
        let error = #expect(throws: ExperimentPage.Mistake.self) { try ExperimentPage(text) }
        #expect(error?.description == message)
    }
}
