import ChildProcesses
import Glibc
import LocalCluster
import Redlock
import TestSupport
import Testing

@Suite("redlock run")
struct CommandTests {
    private func run(
        _ cluster: LocalCluster?, _ arguments: String...
    ) async throws -> Programs.Outcome {
        let nodes = cluster?.urls.flatMap { ["--node", $0] } ?? []
        return try await Programs.run([Programs.redlock, "run"] + nodes + arguments)
    }

    @Test(
        "The exit code is the command's own; the name and the signals reach it",
        arguments: [
            ("exit 0", ChildProcess.Status.exited(0)), ("exit 3", .exited(3)), ("kill -9 $$", .exited(137)),
            ("test \"$REDLOCK_RESOURCE\" = 'a resource'", .exited(0)),
        ])
    func exitCode(_ script: String, _ status: ChildProcess.Status) async throws {
        let cluster = try await startCluster(nodes: 3)
        let outcome = try await run(cluster, "a resource", "--", "sh", "-c", script)
        #expect(outcome.status == status, "\(outcome.lines)")
        #expect(!cluster.hasKey("a resource"))
    }

    @Test("A command that is not there is 127, one that cannot be executed 126, and no key is left")
    func notExecutable() async throws {
        let cluster = try await startCluster(nodes: 1)
        let missing = try await run(cluster, "r", "--", "no-such-command-here")
        #expect(missing.status == .exited(127))
        #expect(missing.lines == ["redlock: no-such-command-here was not found"])
        #expect(try await run(cluster, "r", "--", "/").status == .exited(126))
        #expect(!cluster.hasKey("r"))
    }

    @Test(
        "Wrong arguments are 64, and say what is wrong",
        arguments: [
            (["run"], "resource is missing"),
            (["run", "r"], "after the resource"),
            (["run", "r", "--"], "command is missing"),
            (["run", "r", "true"], "after the resource"),
            (["run", "--ttl", "r", "--", "true"], "--ttl 'r'"),
            (["run", "--ttl", "10", "r", "--", "true"], "--ttl '10'"),
            (["run", "--ttl"], "needs a value"),
            (["run", "--nonsense", "r", "--", "true"], "--nonsense"),
            (["run", "--json=yes", "r", "--", "true"], "takes no value"),
            (["run", "-n", "--wait", "0s", "r", "--", "true"], "--nonblock and --wait exclude each other"),
            (["run", "-nw5", "r", "--", "true"], "--nonblock and --wait exclude each other"),
            (["run", "-E256", "r", "--", "true"], "a number from 0 to 255"),
            (["run", "-w", "1w", "r", "--", "true"], "write seconds, or a number and a unit"),
            (["run", "--grace", "5", "r", "--", "true"], "--grace '5' is no time; write a number and a unit"),
            (["run", "r", "-c", "make all"], "no option -c; write r -- sh -c 'COMMAND'"),
            (["run", "-nc", "make all", "r"], "no option -c; write RESOURCE -- sh -c 'COMMAND'"),
            (["run", "--timeout", "5", "r", "--", "true"], "no option --timeout; write --wait TIME"),
            (["run", "r", "--", "true"], "no nodes"),
            (["run", "--node", "http://a", "r", "--", "true"], "unknown scheme; write redis://"),
            (["run", "--node", "redis://a:0", "r", "--", "true"], "from 1 to 65535"),
            (["run", "--node", "redis://a", "--node", "redis://a", "r", "--", "true"], "twice"),
            (["run", "--node", "redis://a", "--ttl", "1ms", "r", "--", "true"], "ttl"),
            (["run", "--node", "redis://a", "", "--", "true"], "empty"),
            (["walk"], "walk"), ([], "usage"),
        ])
    func usage(_ arguments: [String], _ words: String) async throws {
        let outcome = try await Programs.run([Programs.redlock] + arguments)
        #expect(outcome.status == .exited(64))
        #expect(outcome.lines.joined().contains(words), "\(outcome.lines)")
    }

    @Test(
        "Help is on standard output, and ends with 0",
        arguments: [["--help"], ["help", "run"], ["run", "--help"], ["version"]])
    func help(_ arguments: [String]) async throws {
        let outcome = try await Programs.run([Programs.redlock] + arguments)
        #expect(outcome.status == .exited(0))
        #expect(outcome.lines.first?.contains("redlock") == true)
    }

    @Test("Held by another until the wait is over is 75; no quorum is 69")
    func refused() async throws {
        let cluster = try await startCluster(nodes: 3)
        for node in cluster.nodes { node.command("SET", "r", "other", "PX", "300000") }
        #expect(
            try await run(cluster, "--node-timeout", "10s", "--wait", "0s", "r", "--", "true").status == .exited(75))
        #expect(
            try await run(cluster, "--node-timeout", "10s", "--wait", "300ms", "r", "--", "true").status == .exited(75))
        for node in cluster.nodes[..<2] { node.kill() }
        #expect(try await run(cluster, "--wait=0s", "r", "--", "true").status == .exited(69))
    }

    private func run(nodes: String, _ arguments: String...) async throws -> Programs.Outcome {
        try await Programs.run(["env", "REDLOCK_NODES=\(nodes)", Programs.redlock, "run"] + arguments)
    }

    @Test("Nodes come from REDLOCK_NODES, between commas or line breaks, whatever ends the last line")
    func environment() async throws {
        let cluster = try await startCluster(nodes: 3)
        for (separator, end) in [
            (",", ""), (", ", " "), (",", "\n"), (",\n", "\n"), ("\n", ""), ("\r\n", "\r\n"), ("\t", " \n\n"),
        ] {
            let nodes = cluster.urls.joined(separator: separator) + end
            let outcome = try await run(nodes: nodes, "r", "--", "echo", "held")
            #expect(outcome.status == .exited(0), "\(outcome.lines)")
            #expect(outcome.lines == ["held"])
        }
    }

    @Test("An empty entry of REDLOCK_NODES is 64 and names the entry, and no password is repeated")
    func emptyEntries() async throws {
        for (nodes, number) in [
            ("redis://:secret@a,", 2), (",redis://:secret@a", 1), ("redis://:secret@a,,redis://b", 2),
            ("redis://:secret@a\nredis://b, ,redis://c", 3), (",", 1), ("redis://:secret@a,\n", 2),
        ] {
            let outcome = try await run(nodes: nodes, "r", "--", "true")
            #expect(outcome.status == .exited(64))
            #expect(outcome.lines[0].contains("entry \(number) of REDLOCK_NODES is empty"), "\(outcome.lines)")
            #expect(!outcome.lines.joined().contains("secret"))
        }
        for nodes in ["redis://:zig,zag@a,redis://b", "redis://:zig\nzag@a", "redis://:47,zig,zag@a"] {
            let outcome = try await run(nodes: nodes, "r", "--", "true")
            #expect(outcome.status == .exited(64))
            #expect(outcome.lines[0].contains("write %2C for a comma"), "\(outcome.lines)")
            for part in ["zig", "zag", "47"] { #expect(!outcome.lines.joined().contains(part)) }
        }
        for nodes in ["", "\n", " \r\n\t"] {
            #expect(try await run(nodes: nodes, "r", "--", "true").lines[0].contains("no nodes"))
        }
    }

    @Test(
        "-n and -w wait as with flock(1); -E is the code when another holds the lock",
        arguments: [
            (["-n"], ChildProcess.Status.exited(75)), (["-nE9"], .exited(9)), (["-n", "-E", "0"], .exited(0)),
            (["--nonblock", "--conflict-exit-code=255"], .exited(255)), (["-w0.2"], .exited(75)),
            (["-w", ".2", "-E3"], .exited(3)), (["-w", "200ms", "--conflict", "4"], .exited(4)),
        ])
    func flockOptions(_ options: [String], _ status: ChildProcess.Status) async throws {
        let cluster = try await startCluster(nodes: 1)
        cluster.nodes[0].command("SET", "r", "other", "PX", "300000")
        let words = ["--node", cluster.urls[0], "--node-timeout", "10s"] + options
        let held = try await Programs.run([Programs.redlock, "run"] + words + ["r", "--", "true"])
        #expect(held.status == status, "\(held.lines)")
        #expect(held.lines.joined().contains("heldByAnother"))
        // The code of the command is its own.
        let free = try await Programs.run([Programs.redlock, "run"] + words + ["free", "--", "sh", "-c", "exit 5"])
        #expect(free.status == .exited(5), "\(free.lines)")
    }

    @Test("The code of -E is not for a quorum that cannot be reached")
    func conflictCode() async throws {
        let words = ["run", "--node", "redis://127.0.0.1:1", "-n", "-E9", "r", "--", "true"]
        #expect(try await Programs.run([Programs.redlock] + words).status == .exited(69))
    }

    @Test("The key has the bytes of --key-prefix, and REDLOCK_RESOURCE is the name without them")
    func prefixBytes() async throws {
        let cluster = try await startCluster(nodes: 1)
        // The shell makes bytes that are no text.
        let script = #"exec "$1" run --trust-durable --node "$2" --key-prefix "$(printf '\377é:')" r -- "#
        let command = #"sh -c 'echo "$REDLOCK_RESOURCE"; read line'"#
        let program = try Conversation(["sh", "-c", script + command, "sh", Programs.redlock, cluster.urls[0]])
        #expect(await program.readLine() == "r")
        #expect(cluster.nodes[0].command("EVAL", #"return redis.call('EXISTS', '\255é:r')"#, "0") == .integer(1))
        program.write("")
        #expect(await program.finish().status == .exited(0))
        #expect(cluster.nodes[0].command("DBSIZE") == .integer(0))
    }

    @Test("A signal reaches the command and all of its group", arguments: [SIGTERM, SIGHUP, SIGUSR1])
    func signals(_ signal: Int32) async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.flatMap { ["--node", $0] }
        // Two processes: the shell, and one in the background that only the group's signal ends.
        let script = "trap 'exit 9' USR1; sleep 600 & echo $!; wait"
        let program = try Conversation(
            [Programs.redlock, "run", "--node-timeout", "10s"] + nodes + ["r", "--", "sh", "-c", script])
        let background = try #require(await program.readLine().flatMap { Int32($0) })
        program.process.signal(signal)
        let outcome = await program.finish()
        #expect(outcome.status == .exited(signal == SIGUSR1 ? 9 : 128 + signal))
        await eventually("the whole group is gone") { kill(background, 0) != 0 }
        #expect(!cluster.hasKey("r"))
    }

    @Test("A signal while it waits ends the wait, with the signal's code")
    func signalWhileWaiting() async throws {
        let cluster = try await startCluster(nodes: 3)
        for node in cluster.nodes { node.command("SET", "r", "other", "PX", "300000") }
        let nodes = cluster.urls.flatMap { ["--node", $0] }
        let program = try Conversation(
            [Programs.redlock, "run", "--json"] + nodes + ["--wait", "1h", "r", "--", "true"])
        while let line = await program.readLine(), !line.contains("\"retry\"") {}
        program.process.signal(SIGTERM)
        #expect(await program.finish().status == .exited(128 + SIGTERM))
        #expect(cluster.values(of: "r") == ["other", "other", "other"])
    }

    @Test("A lock that is lost ends the command and its group, and is 76")
    func lost() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.flatMap { ["--node", $0] }
        let script = "trap 'echo told' TERM; sleep 600 & echo $!; wait; sleep 600"
        let program = try Conversation(
            [Programs.redlock, "run", "--node-timeout", "10s", "--ttl", "1s"] + nodes + ["r", "--", "sh", "-c", script])
        let background = try #require(await program.readLine().flatMap { Int32($0) })
        for node in cluster.nodes[..<2] { node.kill() }
        let outcome = await program.finish()
        #expect(outcome.status == .exited(76))
        #expect(outcome.lines.contains("told"))
        // The last line but the hint.
        #expect(outcome.lines.dropLast().last?.hasPrefix("redlock: lost 'r'") == true)
        await eventually("the whole group is gone") { kill(background, 0) != 0 }
    }

    @Test("A lock at risk is told on standard error, and so is the end of the risk")
    func atRisk() async throws {
        let cluster = try await startCluster(nodes: 3, persistence: .everyWrite)
        cluster.nodes[2].kill()
        let nodes = cluster.urls.flatMap { ["--node", $0] }
        let program = try Conversation(
            [Programs.redlock, "run", "--node-timeout", "2s", "--ttl", "10s"] + nodes + ["r", "--", "cat"])
        let risk = await program.readLine()
        #expect(risk?.hasPrefix("redlock: the lock is at risk: no spare node is left") == true, "\(risk ?? "nothing")")
        #expect(risk?.contains("127.0.0.1:\(cluster.nodes[2].port) unreachable") == true)
        try await onOwnThread { Result { try cluster.nodes[2].start() } }.get()
        #expect(await program.readLine() == "redlock: the lock is at risk no longer")
        #expect(await program.finish().status == .exited(0))
        #expect(!cluster.hasKey("r"))
    }

    @Test("A server under two names is a line, also without -v")
    func sameServer() async throws {
        let cluster = try await startCluster(nodes: 2)
        let port = cluster.nodes[0].port
        let program = try Conversation(
            [Programs.redlock, "run", "--trust-durable", "--node-timeout", "10s", "--node", cluster.urls[0]]
                + ["--node", cluster.urls[1], "--node", "redis://127.1:\(port)", "r", "--", "cat"])
        let line = await program.readLine()
        #expect(line?.contains(":\(port): it is the same server as 127.") == true, "\(line ?? "nothing")")
        let outcome = await program.finish()
        #expect(outcome.status == .exited(0))
    }

    @Test("--json writes one object a line, and when it happened")
    func json() async throws {
        let cluster = try await startCluster(nodes: 1)
        let outcome = try await run(cluster, "--json", "say \"hi\"", "--", "true")
        #expect(outcome.lines.allSatisfy { $0.hasPrefix("{\"time\":\"20") && $0.hasSuffix("}") }, "\(outcome.lines)")
        #expect(outcome.lines.contains { $0.contains("\"resource\":\"say \\\"hi\\\"\"") })
        #expect(outcome.lines.contains { $0.hasSuffix("\",\"event\":\"commandEnded\",\"exit_code\":0}") })
    }
}
