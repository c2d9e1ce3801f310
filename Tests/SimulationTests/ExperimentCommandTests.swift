import ChildProcesses
import Folders
import RedlockSimulation
import Testing

@Suite("The command experiment")
struct ExperimentCommandTests {
    /// The exit code, and what it said on both streams.
    private static func run(_ words: String) throws -> (status: ChildProcess.Status, text: String) {
        let program = "\(buildFolder)/redlock-sim"
        let outcome = try ChildProcess.run([program, "experiment"] + words.split(separator: " ").map { String($0) })
        return (outcome.status, outcome.text)
    }

    @Test("names what there is")
    func list() throws {
        let (status, text) = try Self.run("--list")
        #expect(status == .exited(0))
        for experiment in Experiment.all { #expect(text.contains("\(experiment.name): \(experiment.question)\n")) }
    }

    @Test("prints tables", arguments: ["pause --seeds 2 --jobs 1", "outage --seeds 1 --first 3"])
    func tables(words: String) throws {
        let (status, text) = try Self.run(words)
        #expect(status == .exited(0))
        #expect(text.contains("| --- |"))
    }

    @Test(
        "says what is wrong, and what there is",
        arguments: [
            ("", "which experiment? Give names, or --all; there are clock-jump, "),
            ("luck", "there is no experiment 'luck'; there are clock-jump, "),
            ("--all ttl", "--all goes without names"),
            ("ttl --seeds 0", "--seeds is '0'; it must be"), ("ttl --docs /no/such", "there is no folder /no/such"),
            ("ttl --json /no/such/file", "--json cannot be written"),
        ])
    func mistakes(words: String, message: String) throws {
        let (status, text) = try Self.run(words)
        #expect(status == .exited(64))
        #expect(text.contains(message), "\(text)")
    }

    @Test("makes its part of a page and its picture, and leaves the rest alone")
    func docs() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "By hand.\n<!-- experiment pause -->\n<!-- end of pause -->\nBy hand too.\n", to: "experiments.md")
        #expect(try Self.run("pause --seeds 2 --docs \(folder.path)").status == .exited(0))
        let text = try #require(folder.text(of: "experiments.md"))
        #expect(text.hasPrefix("By hand.\n<!-- experiment pause -->\n\n"))
        #expect(text.hasSuffix("\n<!-- end of pause -->\nBy hand too.\n"))
        #expect(text.contains("2 runs of 20 s for each cell, seeds 0 to 1."))
        #expect(Folder.names(in: folder.path + "/experiments") == ["pause.svg"])
        let picture = try #require(folder.text(of: "experiments/pause.svg"))
        // The same again, on as many threads.
        #expect(try Self.run("pause --seeds 2 --jobs 3 --docs \(folder.path)").status == .exited(0))
        #expect(folder.text(of: "experiments.md") == text)
        #expect(folder.text(of: "experiments/pause.svg") == picture)
    }

    @Test("refuses a page without its marks before it begins, and changes nothing")
    func brokenDocs() throws {
        let folder = try TemporaryFolder()
        let page = folder.path + "/experiments.md"
        // Hours of work, if they began.
        let words = "ttl --seeds 1000000 --docs \(folder.path)"
        #expect(try Self.run(words).text.contains("cannot read \(page)"))
        try folder.write("<!-- experiment pause -->\n<!-- end of pause -->\n", to: "experiments.md")
        let (status, text) = try Self.run(words)
        #expect(status == .exited(64))
        #expect(
            text.contains(
                "\(page) has no place for ttl: the lines \"<!-- experiment ttl -->\" and \"<!-- end of ttl -->\""))
        try folder.write("<!-- experiment ttl -->\nold\n", to: "experiments.md")
        #expect(try Self.run(words).text.contains("\(page): 'ttl' of line 1 has no end"))
        #expect(folder.text(of: "experiments.md") == "<!-- experiment ttl -->\nold\n")
        #expect(folder.names == ["experiments.md"])
    }
}
