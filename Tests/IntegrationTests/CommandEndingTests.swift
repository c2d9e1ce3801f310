import ChildProcesses
import Folders
import Glibc
import LocalCluster
import TestSupport
import Testing

/// How a command ends when its lock is lost, and how a terminal ends both.
@Suite("redlock run and the end of its command")
struct CommandEndingTests {
    private func words(_ cluster: LocalCluster, _ rest: [String]) -> [String] {
        [Programs.redlock, "run", "--trust-durable", "--node-timeout", "10s"] + cluster.urls.flatMap { ["--node", $0] }
            + rest
    }

    private func takeAway(_ key: String, _ cluster: LocalCluster) {
        for node in cluster.nodes { node.command("SET", key, "taken", "PX", "300000") }
    }

    // MARK: - The lock is lost

    @Test("The grace is for the whole group, also when the command itself ends at once")
    func graceOfTheGroup() async throws {
        let cluster = try await startCluster(nodes: 3)
        // The shell dies of SIGTERM; what it started needs a while longer.
        let script = """
            sh -c 'trap "sleep 0.3; echo cleaned up; exit" TERM; echo ready; while :; do sleep 0.05; done' &
            wait
            """
        let program = try Conversation(
            words(cluster, ["--ttl", "3s", "--grace", "60s", "r", "--", "sh", "-c", script]))
        await program.expect("ready")
        takeAway("r", cluster)
        let outcome = await program.finish()
        #expect(outcome.status == .exited(76))
        #expect(outcome.lines.contains("cleaned up"), "\(outcome.lines)")
    }

    @Test("What is left of the group when the grace is over is killed")
    func endOfTheGrace() async throws {
        let cluster = try await startCluster(nodes: 3)
        let script = "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & wait"
        let program = try Conversation(
            words(cluster, ["--ttl", "3s", "--grace", "100ms", "r", "--", "sh", "-c", script]))
        let process = try #require(await program.readLine().flatMap { Int32($0) })
        takeAway("r", cluster)
        #expect(await program.finish().status == .exited(76))
        await eventually("it is gone") { kill(process, 0) != 0 || isZombie(process) }
    }

    private static let canDropRights = getuid() == 0

    /// Without the right to signal the processes of other users.
    private static let withoutRights = ["setpriv", "--bounding-set=-kill", "--inh-caps=-kill"]
    private static let asAnotherUser = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c"]

    @Test(
        "A command that may not be signalled is told of at once, and its end as it was",
        .enabled(if: canDropRights, "rights have to be given up"))
    func notPermitted() async throws {
        let cluster = try await startCluster(nodes: 3)
        let program = try Conversation(
            Self.withoutRights + words(cluster, ["--ttl", "3s", "r", "--"]) + Self.asAnotherUser
                + ["echo ready; read line; exit 5"])
        await program.expect("ready")
        takeAway("r", cluster)
        let warning = await program.readLine()
        #expect(
            warning?.contains("runs on WITHOUT the lock: it runs as another user") == true, "\(warning ?? "nothing")")
        #expect(warning?.contains("lost 'r'") == true)
        let outcome = await program.finish()
        #expect(outcome.status == .exited(76))
        #expect(outcome.lines.last?.contains("it ended by itself") == true, "\(outcome.lines)")
        #expect(outcome.lines.last?.contains("with exit code 5") == true)
    }

    @Test(
        "A signal that may not be passed on is told of", .enabled(if: canDropRights, "rights have to be given up"))
    func signalNotPermitted() async throws {
        let cluster = try await startCluster(nodes: 1)
        let program = try Conversation(
            Self.withoutRights + words(cluster, ["r", "--"]) + Self.asAnotherUser + ["echo ready; read line; exit 5"])
        await program.expect("ready")
        program.process.signal(SIGTERM)
        #expect(await program.readLine()?.contains("signal 15 was not passed on") == true)
        #expect(await program.finish().status == .exited(5))
    }

    @Test("During the grace signals reach what is left of the group")
    func signalInTheGrace() async throws {
        let cluster = try await startCluster(nodes: 3)
        // The command itself ends at once; what it started ends by USR1 alone.
        let script = """
            bash -c 'trap "" TERM; trap "echo signalled; exit" USR1; echo ready; while :; do sleep 0.05; done' &
            exec sleep 600
            """
        let program = try Conversation(
            words(cluster, ["-v", "--ttl", "3s", "--grace", "5m", "r", "--", "bash", "-c", script]))
        while let line = await program.readLine(), line != "ready" {}
        takeAway("r", cluster)
        while let line = await program.readLine(), !line.contains("command ended") {}
        program.process.signal(SIGUSR1)
        let outcome = await program.finish()
        #expect(outcome.lines.contains("signalled"), "\(outcome.lines)")
        #expect(outcome.status == .exited(76))
    }

    // MARK: - Stopping

    @Test("A stop signal never stops redlock beside a command that goes on", arguments: [SIGTSTP, SIGTTIN, SIGTTOU])
    func stopSignals(_ signal: Int32) async throws {
        let cluster = try await startCluster(nodes: 1)
        let script = "trap '' TSTP; echo ready; exec cat"
        let program = try Conversation(words(cluster, ["--ttl", "1s", "r", "--", "sh", "-c", script]))
        await program.expect("ready")
        program.process.signal(signal)
        // The lock is extended as before.
        for _ in 1...2 {
            await eventually("it runs down") { cluster.remainingTime(of: "r").contains { $0 < 700 } }
            await eventually("it is extended") { cluster.remainingTime(of: "r").contains { $0 > 900 } }
        }
        await program.expect("still here", to: "still here")
        #expect(await program.finish().status == .exited(0))
    }

    @Test("Where no shell could let it go on, nothing is stopped", arguments: [true, false])
    func orphanedGroup(_ isRunning: Bool) async throws {
        let cluster = try await startCluster(nodes: 1)
        if !isRunning { takeAway("r", cluster) }
        let program = try Conversation(words(cluster, ["-v", "--wait", "1h", "r", "--", "cat"]))
        let start = isRunning ? "command started" : "retry"
        while let line = await program.readLine(), !line.contains(start) {}
        program.process.signal(SIGTSTP)
        if isRunning {
            program.write("goes on")
            while let line = await program.readLine(), line != "goes on" {}
        } else {
            for node in cluster.nodes { node.command("DEL", "r") }
            while let line = await program.readLine(), !line.contains("command started") {}
        }
        #expect(await program.finish().status == .exited(0))
    }

    // MARK: - Terminals

    @Test(
        "A command that reads gets the terminal; a pager behind it, and a script around it, keep theirs",
        .enabled(if: Terminal.isAvailable, "there are no terminals"))
    func terminalOnDemand() async throws {
        let cluster = try await startCluster(nodes: 1)
        func run(_ script: String) -> String {
            words(cluster, ["r", "--", "sh", "-c", script]).map(Self.quoted).joined(separator: " ")
        }
        let pager = "sh -c 'cat >/dev/null; echo asks; read word </dev/tty; echo pager $word'"
        let terminal = try Terminal(
            running: """
                \(run("echo asks; read word; echo command $word"))
                \(run("echo output; sleep 0.2")) | \(pager)
                for i in 1 2; do \(run("kill -INT $$")); echo round $i; done
                """)
        var output = ""
        for name in ["command", "pager"] {
            let asked = await terminal.read { $0.contains("asks") }
            #expect(asked.contains("asks"))
            terminal.type("one\n")
            let answered = await terminal.read { $0.contains("\(name) one") }
            #expect(answered.contains("\(name) one"))
            output = answered
        }
        // A signal that is no key of the terminal is nobody else's.
        output += await terminal.read { _ in false }
        #expect(output.contains("round 2"), "\(output)")
    }

    @Test(
        "Ctrl-C ends a script in whose loop redlock runs, while the command runs and while it waits",
        .enabled(if: Terminal.isAvailable, "there are no terminals"), arguments: [true, false])
    func interruptInAScript(_ isHeld: Bool) async throws {
        let cluster = try await startCluster(nodes: 1)
        if !isHeld { takeAway("r", cluster) }
        let command = words(cluster, ["-v", "--wait", "1h", "r", "--", "sh", "-c", "echo ready; exec sleep 600"])
        let script =
            "for i in 1 2 3; do \(command.map(Self.quoted).joined(separator: " ")); echo round $i; done; echo all"
        let terminal = try Terminal(running: script)
        let start = isHeld ? "ready" : "retry"
        let before = await terminal.read { $0.contains(start) }
        #expect(before.contains(start), "\(before)")
        terminal.type("\u{3}")
        let after = await terminal.read { _ in false }
        #expect(!after.contains("round") && !after.contains("all"), "\(after)")
        #expect(await terminal.status() == .signalled(SIGINT))
        await eventually("nothing is left") { isHeld ? !cluster.hasKey("r") : cluster.values(of: "r") == ["taken"] }
    }

    @Test(
        "A command that takes Ctrl-C and goes on goes on, and so does the script",
        .enabled(if: Terminal.isAvailable, "there are no terminals"))
    func interruptTaken() async throws {
        let cluster = try await startCluster(nodes: 1)
        let inner = "trap 'echo taken; exit 4' INT; echo ready; while :; do sleep 0.05; done"
        let command = words(cluster, ["r", "--", "bash", "-c", inner]).map(Self.quoted).joined(separator: " ")
        let terminal = try Terminal(running: "\(command); echo code $?")
        _ = await terminal.read { $0.contains("ready") }
        terminal.type("\u{3}")
        let after = await terminal.read { _ in false }
        #expect(after.contains("taken") && after.contains("code 4"), "\(after)")
    }

    @Test(
        "On a terminal a long wait is told once, with what is waited for",
        .enabled(if: Terminal.isAvailable, "there are no terminals"))
    func waitingLine() async throws {
        let cluster = try await startCluster(nodes: 1)
        takeAway("r", cluster)
        let command = words(cluster, ["--wait", "6s", "r", "--", "true"]).map(Self.quoted).joined(separator: " ")
        let terminal = try Terminal(running: "\(command); echo code $?")
        let text = await terminal.read { _ in false }
        #expect(text.components(of: "waiting for 'r': another holds it") == 2, "\(text)")
        #expect(text.contains("code 75"), "\(text)")
    }

    @Test("Elsewhere a wait is silent")
    func silentWait() async throws {
        let cluster = try await startCluster(nodes: 1)
        takeAway("r", cluster)
        let outcome = try await Programs.run(words(cluster, ["--wait", "4s", "r", "--", "true"]))
        #expect(outcome.lines.count == 2, "\(outcome.lines)")
        #expect(outcome.lines.first?.hasPrefix("redlock: heldByAnother") == true)
    }

    private static func quoted(_ word: String) -> String {
        "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    // MARK: - Starting

    @Test("A command that waits for what its own `redlock run` holds is told so")
    func nested() async throws {
        let cluster = try await startCluster(nodes: 3)
        let inner = words(cluster, ["--wait", "0s", "r", "--", "true"])
        let between = words(cluster, ["other", "--"])
        for middle in [[], between] {
            let outcome = try await Programs.run(words(cluster, ["r", "--"]) + middle + inner)
            #expect(outcome.status == .exited(75))
            let process = outcome.lines.joined().contains("the `redlock run` that started it, process ")
            #expect(process, "\(outcome.lines)")
        }
        // Another lock, another key of the same name, and another database are nobody's own.
        let database = cluster.urls.flatMap { ["--node", "\($0)/1"] }
        let elsewhere =
            [Programs.redlock, "run", "--trust-durable", "--node-timeout", "10s"] + database + ["r", "--", "true"]
        #expect(try await Programs.run(words(cluster, ["r", "--"]) + elsewhere) == ([], .exited(0)))
        let prefixed = words(cluster, ["--key-prefix", "p:", "r", "--", "true"])
        #expect(try await Programs.run(words(cluster, ["r", "--"]) + prefixed) == ([], .exited(0)))
    }

    @Test("A script without #! runs as in a shell; a missing interpreter is named")
    func interpreters() async throws {
        let cluster = try await startCluster(nodes: 1)
        let folder = cluster.folder
        func run(_ name: String, _ text: String, mode: String = "+x") async throws -> Programs.Outcome {
            let path = "\(folder)/\(name)"
            let make = try await Programs.run([
                "sh", "-c", #"printf %b "$1" >"$0" && chmod "$2" "$0""#, path, text, mode,
            ])
            #expect(make.status == .exited(0))
            return try await Programs.run(words(cluster, ["r", "--", path, "word"]))
        }
        #expect(try await run("plain", "echo hello $1; exit 4\\n") == (["hello word"], .exited(4)))
        let missing = try await run("missing", "#! /no/such/interpreter -x\\n")
        #expect(missing.status == .exited(127))
        #expect(
            missing.lines == [
                "redlock: \(folder)/missing cannot be executed: its interpreter /no/such/interpreter was not found"
            ])
        let windows = try await run("windows", "#!/bin/sh\\r\\necho hello\\r\\n")
        #expect(
            windows.lines.first?.contains(#"/bin/sh\r was not found; the first line ends with a carriage return"#)
                == true)
        let chain = try await run("chain", "#!\(folder)/missing\\n")
        #expect(chain.lines == missing.lines)
        let folderAsOne = try await run("folder", "#!\(folder)\\n")
        #expect(folderAsOne.lines.first?.hasSuffix("its interpreter \(folder) may not be executed") == true)
        // A program header far beyond the file.
        let header = #"\0177ELF\02\01\01"# + String(repeating: #"\0"#, count: 25)
        let table = String(repeating: #"\0377"#, count: 7) + #"\0177"#
        let crafted = try await run("crafted", header + table + String(repeating: #"\01"#, count: 200), mode: "-x")
        #expect(crafted.status == .exited(126) && crafted.lines.count == 1, "\(crafted)")
    }

    @Test("A password is printed nowhere, in whatever place its URL stands")
    func misplacedPasswords() async throws {
        let url = "redis://:s3cret@127.0.0.1:1"
        let words: [[String]] = [
            ["doctor", url], ["bench", url], ["version", url], [url], ["help", url], ["completion", url],
            ["run", "job", url, "--", "true"], ["run", "--ttl", url, "r", "--", "true"],
            ["run", "-w", url, "r", "--", "true"],
            ["run", "-w\(url)", "r", "--", "true"], ["run", "-E", url, "r", "--", "true"],
            ["doctor", "--interval", url],
            ["run", "-n\(url)", "r", "--", "true"], ["run", "-x\(url)"], ["run", "--node\(url)"], ["run", "--\(url)"],
            ["doctor", "--\(url)"], ["bench", "--callers", url], ["run", "-n\(url.dropFirst(8))"],
        ]
        for words in words {
            let outcome = try await Programs.run([Programs.redlock] + words)
            #expect(outcome.status == .exited(64))
            #expect(!outcome.lines.joined().contains("s3cret"), "\(words): \(outcome.lines)")
        }
        let list = "unix://:s3cr,et@/tmp/none"
        let outcome = try await Programs.run([
            "env", "REDLOCK_NODES=\(list)", Programs.redlock, "run", "r", "--", "true",
        ])
        #expect(outcome.status == .exited(64) && !outcome.lines.joined().contains("s3cr"), "\(outcome.lines)")
    }

    @Test("No option of the library is named where the command has another")
    func ownWords() async throws {
        let cluster = try await startCluster(nodes: 1)
        let outcome = try await Programs.run(
            words(cluster, ["--max-hold", "1s", "--ttl", "1s", "r", "--", "sleep", "600"]))
        #expect(outcome.status == .exited(76))
        #expect(outcome.lines.first?.contains("(--max-hold)") == true, "\(outcome.lines)")
    }

    @Test(
        "No name reaches a terminal raw",
        arguments: ["\u{1b}[31m", "\u{9b}31m", "\u{202e}", "\u{2066}", "\u{2028}", "\u{85}", "\r", "\u{200f}"])
    func names(_ text: String) async throws {
        let cluster = try await startCluster(nodes: 1)
        for words in [
            words(cluster, ["r", "--", "no-such-\(text)command"]), words(cluster, ["-v", "r\(text)", "--", "true"]),
            words(cluster, ["--json", "r\(text)", "--", "true"]), [Programs.redlock, "run", "--\(text)"],
            [Programs.redlock, "no-\(text)"], words(cluster, ["r", text]),
            [Programs.redlock, "run", "--wait", "0s", "--node", "redis://a\(text)b", "r", "--", "true"],
            [Programs.redlock, "run", "--ttl", text, "r", "--", "true"], [Programs.redlock, "doctor", "x\(text)"],
        ] {
            let printed = try await Programs.run(words).lines.joined(separator: "\n")
            #expect(!printed.isEmpty)
            #expect(!printed.unicodeScalars.contains { text.unicodeScalars.contains($0) && !$0.isPlain }, "\(printed)")
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isPlain: Bool { (0x20..<0x7f).contains(value) }
}

extension String {
    /// How many parts this text cuts it into.
    fileprivate func components(of separator: String) -> Int {
        var (count, rest) = (1, self[...])
        while let first = rest.indices.first(where: { rest[$0...].hasPrefix(separator) }) {
            count += 1
            rest = rest[first...].dropFirst(separator.count)
        }
        return count
    }
}

/// Whether a process has ended, and nobody has taken its status: its parent may be a process 1 that takes none.
private func isZombie(_ process: pid_t) -> Bool {
    (Folder.text(of: "/proc/\(process)/stat") ?? "").contains(") Z ")
}
