import ChildProcesses
import Glibc
import Testing

@Suite("The command")
struct CommandTests {
    private static let program = "\(buildFolder)/redlock-sim"

    private static func run(_ words: [String]) throws -> ChildProcess.Status {
        try ChildProcess([program] + words).wait()
    }

    @Test(
        "tells by its exit code what came of it",
        arguments: [
            ("help", 0), ("scenario run happy-path", 0), ("sweep --seeds 40 --regressions none", 0),
            ("determinism --seeds 5", 0), ("search --seeds 16 --rounds 1", 0),
            // 1: a rule is broken, and that endangers the lock.
            ("run --seed 0 --mutant delete-without-check", 1), ("mutants --budget 1 no-jitter", 1),
            ("sweep --seeds 40 --mutant quorum-half --regressions none", 1),
            ("search --seeds 40 --mutant quorum-half", 1),
            // 2: an assumption was broken first, or too little happened.
            ("run --schedule SCENARIO", 2), ("replay SCENARIO", 2),
            // 3: a rule is broken, and that costs progress.
            ("run --seed 0 --mutant release-where-granted", 3),
            ("sweep --seeds 4 --mutant release-where-granted --regressions none", 3),
            // 64: it makes no sense.
            ("", 64), ("dance", 64), ("run --seed -1", 64), ("run --profile calm", 64), ("run --mutant none", 64),
            ("run --fault nodes=0", 64), ("sweep", 64), ("sweep --seeds 0", 64), ("search", 64),
            ("search --seeds 4 --rounds -1", 64), ("replay", 64), ("replay /nowhere/at-all.json", 64),
            ("shrink SCENARIO", 64), ("scenario run nonsense", 64), ("exhaust --nodes 9", 64),
        ] as [(String, Int32)])
    func exitCodes(line: String, expected: Int32) throws {
        let folder = try Folder()
        let scenario = folder.path + "/scenario.json"
        #expect(try Self.run(["scenario", "run", "crash-amnesia", "--save", scenario]) == .exited(0))
        let words = line.split(separator: " ").map { $0 == "SCENARIO" ? scenario : String($0) }
        #expect(try Self.run(words) == .exited(expected), "redlock-sim \(line)")
    }

    @Test(
        "writes nothing when the input is bad",
        arguments: [
            "", "{", "[]", #"{"schema": "redlock-sim/schedule", "version": 99}"#, "\u{0}\u{1}\u{2}",
            #"{"schema": "redlock-sim/schedule", "version": 1, "seed": 1, "world": {"nodes": 1000000, "clients": 2}, "#
                + #""heal_us": 1, "end_us": 2, "faults": []}"#,
        ])
    func nothingWritten(content: String) throws {
        let folder = try Folder()
        let input = folder.path + "/in.json"
        try folder.write(content, to: input)
        let output = folder.path + "/out"
        for words in [
            ["run", "--schedule", input, "--json", output, "--trace", output, "--html", output, "--save", output],
            ["replay", input, "--json", output, "--html", output, "--trace", output], ["shrink", input, "-o", output],
        ] {
            #expect(try Self.run(words) == .exited(64), "\(words[0])")
            #expect(folder.names == ["in.json"], "\(words[0])")
        }
    }

    @Test("leaves nothing beside an output that cannot be put in its place")
    func unwritable() throws {
        let folder = try Folder()
        // A folder cannot be replaced by a file.
        let output = folder.path + "/out"
        #expect(unsafe mkdir(output, 0o755) == 0)
        for option in ["--json", "--trace", "--html", "--save"] {
            #expect(try Self.run(["run", "--seed", "1", option, output]) == .exited(64), "\(option)")
            #expect(folder.names == ["out"], "\(option)")
        }
    }

    @Test("looks before a long run whether its outputs can be written")
    func unwritableNoticedFirst() throws {
        // Hours of work, if they began.
        let long = ["sweep", "--seeds", "1000000000", "--regressions", "none"]
        for output in [
            ["--json", "/no/such/file"], ["--junit", "/"], ["--save", "/no/such/folder"], ["--json", ""],
        ] {
            #expect(try Self.run(long + output) == .exited(64), "\(output)")
        }
    }
}
