import ChildProcesses
import Testing

/// What both commands do with their words, before any work.
@Suite("The command line")
struct CommandLineTests {
    private static let programs = [Programs.redlock, Programs.simulator]

    /// Those that the overview lists.
    private static func subcommands(of program: String) async throws -> [String] {
        let overview = try await Programs.run([program, "help"]).lines
        return overview.filter { $0.hasPrefix("  ") }.compactMap { $0.split(separator: " ").first.map(String.init) }
            .filter { $0.allSatisfy(\.isLetter) }
    }

    @Test(
        "Each help fits a terminal of 24 lines and 80 columns, and asked for in any way it is the same",
        arguments: programs)
    func help(_ program: String) async throws {
        let subcommands = try await Self.subcommands(of: program)
        #expect(subcommands.contains("run") && subcommands.contains("help"))
        var pages = [try await Programs.run([program, "--help"])]
        for subcommand in subcommands {
            let page = try await Programs.run([program, "help", subcommand])
            #expect(try await Programs.run([program, subcommand, "--help"]).lines == page.lines)
            #expect(try await Programs.run([program, subcommand, "-h"]).lines == page.lines)
            #expect(page.lines.first?.hasPrefix("usage: ") == true)
            pages.append(page)
        }
        for (lines, status) in pages {
            #expect(status == .exited(0))
            #expect(lines.count <= 24, "\(lines[0])")
            #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines)")
        }
    }

    @Test("Help for what is not there is 64, and says what there is", arguments: programs)
    func noSuchHelp(_ program: String) async throws {
        for words in [["help", "foo"], ["foo"], ["help", "run", "sweep"]] {
            let outcome = try await Programs.run([program] + words)
            #expect(outcome.status == .exited(64))
            #expect(outcome.lines.last?.hasSuffix("help` tells more") == true, "\(outcome.lines)")
        }
        #expect(try await Programs.run([program, "help", "foo"]).lines[0].contains("there are run, "))
    }

    @Test("The version is one line", arguments: programs, ["--version", "version"])
    func version(_ program: String, _ word: String) async throws {
        let outcome = try await Programs.run([program, word])
        #expect(outcome.status == .exited(0))
        #expect(outcome.lines.count == 1 && outcome.lines[0].hasPrefix("redlock"))
    }

    @Test("The demo tells what it is, and starts nothing")
    func demo() async throws {
        #expect(try await Programs.run([Programs.demo, "--help"]).lines.first == "usage: redlock-demo")
        #expect(try await Programs.run([Programs.demo, "--nonsense"]).status == .exited(64))
        #expect(try await Programs.run([Programs.demo, "now"]).status == .exited(64))
    }

    @Test("With --json a mistake in the words is JSON too, wherever the --json stands")
    func jsonMistakes() async throws {
        for words in [["--json", "--ttl", "1"], ["--ttl", "1", "--json", "r", "--", "true"], ["--nonsense", "--js"]] {
            let outcome = try await Programs.run([Programs.redlock, "run"] + words)
            #expect(outcome.status == .exited(64))
            #expect(outcome.lines.count == 1)
            #expect(outcome.lines[0].contains(#""event":"failed","code":"invalidArgument","message":""#))
            #expect(outcome.lines[0].hasSuffix(#"","hint":"`redlock help run` tells more"}"#))
        }
        // Wrong for the library, not for the words.
        let url = try await Programs.run([Programs.redlock, "run", "--json", "--node", "http://a", "r", "--", "true"])
        #expect(url.status == .exited(64))
        #expect(url.lines.last?.hasSuffix(#","hint":"`redlock help run` tells more"}"#) == true, "\(url.lines)")
        // Behind the -- it is the command's.
        let outcome = try await Programs.run([Programs.redlock, "run", "--ttl", "1", "r", "--", "true", "--json"])
        #expect(outcome.lines.first?.hasPrefix("redlock run: ") == true)
    }

    @Test("No mistake is told in words of Swift")
    func shellWords() async throws {
        let node = ["--node", "redis://127.0.0.1:1"]
        for words in [["--ttl", "99h"], ["--ttl", "1ms"], ["--node-timeout", "2m"], ["--max-hold", "1ms"]] {
            let outcome = try await Programs.run([Programs.redlock, "run"] + node + words + ["r", "--", "true"])
            #expect(outcome.status == .exited(64))
            #expect(outcome.lines[0].hasPrefix("redlock run: \(words[0]) is \(words[1]); it must be from "))
            #expect(!outcome.lines.joined().contains("onfiguration"))
        }
    }

    @Test(
        "A list in one --node is told from a comma that belongs there, and no password is repeated",
        arguments: [
            ("redis://:secret@a,redis://b", true), ("redis://a:1,b:2", true), ("redis://a,", true),
            ("redis://:secret@a\nredis://b", true), ("unix:///a\tunix:///b", true), ("redis://:secret@a\r\nb", true),
            ("redis://:sec,ret@127.0.0.1:1", false), ("unix:///tmp/no,such.sock", false),
        ])
    func list(_ node: String, _ isList: Bool) async throws {
        let words = ["run", "--wait", "0s", "--node", node, "r", "--", "true"]
        let outcome = try await Programs.run([Programs.redlock] + words)
        #expect(outcome.status == .exited(isList ? 64 : 69))
        #expect(outcome.lines[0].contains("give it once for each node") == isList)
        #expect(!outcome.lines.joined().contains("sec"))
    }

    @Test("Colours are for terminals, and for who does not mind")
    func colours() async throws {
        let line = "\(Programs.redlock) help foo"
        let escape = "\u{1b}["
        // `script` runs it on a terminal of its own.
        func onTerminal(_ setting: String) async throws -> String {
            let words = ["env", "-u", "NO_COLOR", setting, "script", "-qec", line, "/dev/null"]
            return try await Programs.run(words).lines.joined()
        }
        #expect(try await onTerminal("TERM=xterm").contains(escape))
        #expect(try await onTerminal("NO_COLOR=1").contains("no subcommand"))
        #expect(try await !onTerminal("NO_COLOR=1").contains(escape))
        #expect(try await !onTerminal("TERM=dumb").contains(escape))
        #expect(try await !Programs.run([Programs.redlock, "help", "foo"]).lines.joined().contains(escape))
    }
}
