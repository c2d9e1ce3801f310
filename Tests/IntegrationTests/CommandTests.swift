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

    @Test("Nodes come from REDLOCK_NODES")
    func environment() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.joined(separator: ", ")
        let outcome = try await Conversation([
            "env", "REDLOCK_NODES=\(nodes)", Programs.redlock, "run", "r", "--", "true",
        ])
        .finish()
        #expect(outcome.status == .exited(0), "\(outcome.lines)")
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

    @Test("--json writes one object a line, and when it happened")
    func json() async throws {
        let cluster = try await startCluster(nodes: 1)
        let outcome = try await run(cluster, "--json", "say \"hi\"", "--", "true")
        #expect(outcome.lines.allSatisfy { $0.hasPrefix("{\"time\":\"20") && $0.hasSuffix("}") }, "\(outcome.lines)")
        #expect(outcome.lines.contains { $0.contains("\"resource\":\"say \\\"hi\\\"\"") })
        #expect(outcome.lines.contains { $0.hasSuffix("\",\"event\":\"commandEnded\",\"exit_code\":0}") })
    }
}
