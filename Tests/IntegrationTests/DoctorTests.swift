import ChildProcesses
import FoundationEssentials
import Glibc
import LocalCluster
import RedlockDoctor
import Testing

@Suite("redlock doctor")
struct DoctorTests {
    /// On a busy machine a healthy node may be slow, which would be found.
    private func doctor(_ nodes: [String], _ arguments: String...) async throws -> Programs.Outcome {
        try await Programs.run(
            [Programs.redlock, "doctor", "--node-timeout", "1m", "--timeout", "30s"]
                + nodes.flatMap { ["--node", $0] } + arguments)
    }

    private struct Report: Decodable {
        struct Node: Decodable {
            let node: String
            let reachable: Bool
            let votes: Bool
            let run_id: String?
            let role: String?
            let quarantine_left_us: Int?
            let missing_rights: [String]?
        }
        struct Finding: Decodable {
            let severity: String
            let code: String
            let nodes: [String]
            let seen: String
            let risk: String
            let change: String
        }
        let schema: String
        let verdict: String
        let exit_code: Int32
        let voting: Int
        let nodes: [Node]
        let findings: [Finding]

        /// Those that make it less than fine.
        var codes: [String] { findings.filter { $0.severity != "note" }.map(\.code) }
    }

    private func report(_ nodes: [String], _ arguments: [String] = []) async throws -> Report {
        let outcome = try await Programs.run(
            [Programs.redlock, "doctor", "--json", "--node-timeout", "1m", "--timeout", "30s"]
                + nodes.flatMap { ["--node", $0] } + arguments)
        #expect(outcome.lines.count == 1, "\(outcome.lines)")
        let report = try JSONDecoder().decode(Report.self, from: Data(outcome.lines.joined().utf8))
        #expect(report.schema == "redlock-doctor")
        #expect(outcome.status == .exited(report.exit_code))
        return report
    }

    @Test("Five nodes that keep every write are fine: 0, a row for each, and nothing on them has changed")
    func healthy() async throws {
        let cluster = try await startCluster(nodes: 5)
        let outcome = try await doctor(cluster.urls)
        #expect(outcome.status == .exited(0), "\(outcome.lines)")
        #expect(outcome.lines.last == "fine: 5 nodes, quorum 3: bears 2 failures.")
        for (node, line) in zip(cluster.nodes, outcome.lines.dropFirst()) {
            #expect(line.hasPrefix("127.0.0.1:\(node.port) ") && line.contains(" votes "))
            #expect(line.contains(" always ") && line.contains(" master ") && line.contains(" all "))
            #expect(node.command("DBSIZE") == .integer(0))
            // Neither set and deleted, nor refused.
            for (section, words, isThere) in [
                ("persistence", "rdb_changes_since_last_save:0\r\n", true), ("errorstats", "errorstat_", false),
            ] {
                guard case .string(let info) = node.command("INFO", section) else {
                    Issue.record("no INFO")
                    continue
                }
                #expect(info.contains(words) == isThere, "\(info)")
            }
        }
        let report = try await report(cluster.urls)
        #expect(report.verdict == "fine" && report.voting == 5 && report.codes == [])
        #expect(Set(report.nodes.map(\.run_id)).count == 5)
    }

    @Test(
        "Nodes that keep nothing wait after their start: no quorum. With a shorter longest ttl they vote, with warnings"
    )
    func forgetful() async throws {
        let cluster = try await startCluster(nodes: 3, persistence: .none)
        let waiting = try await report(cluster.urls, ["--max-ttl", "24h"])
        #expect(waiting.exit_code == 69 && waiting.voting == 0)
        #expect(waiting.nodes.allSatisfy { $0.reachable && !$0.votes && $0.quarantine_left_us! > 0 })
        await eventually("they are two seconds old") {
            cluster.nodes.allSatisfy {
                guard case .string(let info) = $0.command("INFO", "server") else { return false }
                return !info.contains("uptime_in_seconds:0") && !info.contains("uptime_in_seconds:1\r\n")
            }
        }
        let voting = try await report(cluster.urls, ["--max-ttl", "10ms"])
        #expect(voting.exit_code == 1 && voting.voting == 3)
        #expect(voting.codes == ["noLog", "noLog", "noLog"])
    }

    @Test("A node that is down, and one that hangs, cost their votes; one time-out is all that they cost")
    func faults() async throws {
        let cluster = try await startCluster(nodes: 5)
        cluster.nodes[0].kill()
        let one = try await report(cluster.urls)
        #expect(one.exit_code == 1 && one.voting == 4 && one.codes == ["refused"])
        cluster.nodes[1].pause()
        cluster.nodes[2].pause()
        defer { for node in cluster.nodes[1...2] { node.resume() } }
        let start = ContinuousClock.now
        let two = try await report(cluster.urls, ["--timeout", "10s"])
        // Twice the time-out would be what they cost one after the other. It is a long one, as machines can be slow.
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(two.exit_code == 69 && two.codes == ["refused", "hung", "hung", "noQuorum"])
    }

    @Test("Two names of one server are found out")
    func sameServer() async throws {
        let cluster = try await startCluster(nodes: 3)
        let port = cluster.nodes[0].port
        let report = try await report(cluster.urls + ["redis://localhost:\(port)"])
        #expect(report.exit_code == 1 && report.voting == 3)
        #expect(report.codes == ["sameServer", "noSpare"])
        #expect(report.findings[0].nodes == ["127.0.0.1:\(port)", "localhost:\(port)"])
    }

    @Test("A replica, and a node of a cluster, are no nodes of a lock")
    func roles() async throws {
        let cluster = try await startCluster(nodes: 3)
        cluster.nodes[1].command("REPLICAOF", "127.0.0.1", "\(cluster.nodes[0].port)")
        await eventually("the replica is known") {
            guard case .string(let info) = cluster.nodes[0].command("INFO", "replication") else { return false }
            return info.contains("connected_slaves:1")
        }
        let replicas = try await report(cluster.urls)
        #expect(replicas.codes.contains("replica") && replicas.codes.contains("hasReplicas"))
        #expect(!replicas.nodes[1].votes && replicas.nodes[1].role == "replica")

        let clustered = try await startCluster(nodes: 1, options: ["--cluster-enabled", "yes"])
        #expect(try await report(clustered.urls).codes == ["cluster", "noQuorum"])
    }

    @Test("Memory that evicts is a warning; memory that is full costs the vote")
    func memory() async throws {
        let cluster = try await startCluster(nodes: 3)
        cluster.nodes[0].command("CONFIG", "SET", "maxmemory", "100mb")
        cluster.nodes[0].command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        cluster.nodes[1].command("CONFIG", "SET", "maxmemory", "1")
        let report = try await report(cluster.urls)
        #expect(report.codes == ["evicts", "refusesWrites", "noSpare"])
        #expect(report.findings[1].seen.contains("OOM"))
    }
}

// MARK: - Rights

extension DoctorTests {
    /// The line of docs/operations.md.
    private static let rules: [String] = {
        let line = TextFile.lines(of: "docs/operations.md").first { $0.hasPrefix("    user redlock ") } ?? ""
        return line.split(separator: " ").dropFirst().map { $0 == ">PASSWORD" ? ">secret" : String($0) }
    }()

    @Test("The rights that are tried are those of the page, in its line and in its table")
    func sameRights() {
        #expect(Set(Right.all.map(\.rule)) == Set(Self.rules.filter { $0.hasPrefix("+") }))
        let rows = TextFile.lines(of: "docs/operations.md").filter { $0.hasPrefix("| `+") }
        for right in Right.all {
            let rule = right.rule.split(separator: "|").joined(separator: "\\|")
            #expect(rows.contains { $0.contains("`\(rule)`") }, "\(right.rule) has no row")
        }
    }

    @Test("docs/command.md has each word that a finding may have, and each option")
    func words() async throws {
        let page = TextFile.lines(of: "docs/command.md").joined(separator: "\n")
        for code in Finding.Code.allCases { #expect(page.contains("`\(code.rawValue)`"), "\(code)") }
        let help = try await Programs.run([Programs.redlock, "help", "doctor"]).lines
        let options = help.compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("--") && line.hasPrefix("  ") }
        }
        #expect(options.count > 5)
        for option in options where option != "--help" { #expect(page.contains("`\(option)"), "\(option)") }
    }

    @Test("The user of the page has all rights, and its refusals fill no log")
    func allRights() async throws {
        let cluster = try await startCluster(nodes: 1)
        let node = cluster.nodes[0]
        node.command(["ACL", "SETUSER"] + Self.rules)
        let urls = ["redis://redlock:secret@127.0.0.1:\(node.port)"]
        try Self.closeToStrangers(node)
        let report = try await report(urls, ["--key-prefix", "lock:"])
        #expect(report.codes == ["noSpare"])
        #expect(report.nodes[0].missing_rights == [])
        #expect(try Self.asAdministrator(node, "ACL", "LOG") == .array([]))
        // Without the beginning of the names it says what to give.
        let unknown = try await self.report(urls)
        #expect(unknown.codes == ["otherNames", "noSpare"])
        #expect(unknown.findings[0].change.contains("--key-prefix"))
        let others = try await self.report(urls, ["--key-prefix", "other:"])
        #expect(others.codes == ["otherNames", "noQuorum"])
    }

    @Test("The rights are tried on a key with the bytes of --key-prefix")
    func prefixBytes() async throws {
        let cluster = try await startCluster(nodes: 1)
        let node = cluster.nodes[0]
        node.command(["ACL", "SETUSER"] + Self.rules + ["resetkeys", "resetchannels"])
        // Keys and channels of a prefix that is no text.
        let prefix: [UInt8] = [0xff, 0x3a]
        let words = ["ACL", "SETUSER", "redlock", "~", "&redlock:"].map { [UInt8]($0.utf8) }
        let rule = words[..<3] + words[3...].map { $0 + prefix + [UInt8(ascii: "*")] }
        let command = rule.reduce([UInt8]("*\(rule.count)\r\n".utf8)) {
            $0 + "$\($1.count)\r\n".utf8 + $1 + "\r\n".utf8
        }
        #expect(try BlockingClient(port: node.port).send(formatted: command) == .status("OK"))
        try Self.closeToStrangers(node)
        func doctor(_ prefix: String) async throws -> Programs.Outcome {
            let script =
                #"exec "$1" doctor --trust-durable --timeout 30s --node-timeout 1m --node "$2" --key-prefix "$(printf '\#(prefix)')""#
            let url = "redis://redlock:secret@127.0.0.1:\(node.port)"
            return try await Programs.run(["sh", "-c", script, "sh", Programs.redlock, url])
        }
        let right = try await doctor("\\377:")
        #expect(right.status == .exited(1), "\(right.lines)")
        #expect(!right.lines.joined().contains("may not use"), "\(right.lines)")
        let wrong = try await doctor("\\376:")
        #expect(wrong.status == .exited(69))
        #expect(wrong.lines.joined(separator: " ").contains(#"'\xfe:redlock-doctor-"#), "\(wrong.lines)")
    }

    /// The other line of the page; who looks after the server needs a name of his own then.
    private static func closeToStrangers(_ node: LocalNode) throws {
        node.command("ACL", "SETUSER", "admin", "on", ">admin", "~*", "&*", "+@all")
        node.command("ACL", "SETUSER", "default", "off")
        #expect(node.command("GET", "lock:x") != .null)
    }

    private static func asAdministrator(_ node: LocalNode, _ words: String...) throws -> BlockingClient.Answer? {
        let client = try BlockingClient(port: node.port)
        _ = client.command("AUTH", "admin", "admin")
        return client.command(words)
    }

    @Test("A password that nobody needs is told, until strangers are kept out, or are let do nothing")
    func unneededPassword() async throws {
        let cluster = try await startCluster(nodes: 1)
        let node = cluster.nodes[0]
        node.command(["ACL", "SETUSER"] + Self.rules)
        let urls = ["redis://redlock:secret@127.0.0.1:\(node.port)"]
        let open = try await report(urls, ["--key-prefix", "lock:"])
        #expect(open.codes == ["passwordNotNeeded", "noSpare"])
        #expect(open.findings[0].change.contains("user default off"))
        // Without a password in the URL, on the loopback interface, it is how people try it out.
        #expect(try await report(cluster.urls).findings.map(\.code) == ["noSpare"])
        try Self.closeToStrangers(node)
        #expect(try await report(urls, ["--key-prefix", "lock:"]).codes == ["noSpare"])
        _ = try Self.asAdministrator(node, "ACL", "SETUSER", "default", "on", "nopass", "-@all", "+ping")
        #expect(try await report(urls, ["--key-prefix", "lock:"]).codes == ["noSpare"])
        _ = try Self.asAdministrator(node, "ACL", "SETUSER", "default", "+del", "resetkeys", "~cache:*")
        #expect(try await report(urls, ["--key-prefix", "lock:"]).codes == ["noSpare"])
        _ = try Self.asAdministrator(node, "ACL", "SETUSER", "default", "~lock:*")
        #expect(try await report(urls, ["--key-prefix", "lock:"]).codes == ["passwordNotNeeded", "noSpare"])
    }

    @Test("No password is noted of a node on another address than the loopback's, and no alarm")
    func noPassword() async throws {
        let cluster = try await startCluster(nodes: 3)
        // By its name no address of this machine, and leads there all the same.
        let report = try await report(cluster.nodes.map { "redis://0.0.0.0:\($0.port)" })
        #expect(report.verdict == "fine")
        #expect(report.findings.map(\.code) == ["noPassword", "noPassword", "noPassword", "sameHost"])
        #expect(report.findings[0].severity == "note")
    }

    @Test("Each right that is taken away is missed", arguments: Right.all.map { $0.rule })
    func missing(_ rule: String) async throws {
        let cluster = try await startCluster(nodes: 1)
        let node = cluster.nodes[0]
        #expect(node.command(["ACL", "SETUSER"] + Self.rules + ["-" + rule.dropFirst()]) == .status("OK"))
        // However long this test waits for its turn, the server was started less than a day ago.
        let report = try await report(
            ["redis://redlock:secret@127.0.0.1:\(node.port)"], ["--key-prefix", "lock:", "--max-ttl", "24h"])
        #expect(report.nodes[0].missing_rights == [rule])
        let right = Right.all.first { $0.rule == rule }!
        // One that does not tell how it keeps its log counts as one that forgets, and it was started just now.
        #expect(report.exit_code == (right.need == .vote || ["+info", "+config|get"].contains(rule) ? 69 : 1))
        #expect(report.findings.contains { $0.change.contains("Grant \(rule) ") })
    }

    @Test("A wrong password, none, and a database that is not there are told, and no password is")
    func signingIn() async throws {
        let cluster = try await startCluster(nodes: 1, options: ["--requirepass", "secret"])
        let place = "127.0.0.1:\(cluster.nodes[0].port)"
        for (url, code) in [
            ("redis://:wrong@\(place)", "signIn"), ("redis://\(place)", "signIn"),
            ("redis://:secret@\(place)/99", "database"),
        ] {
            let report = try await report([url])
            #expect(report.codes == [code, "noQuorum"])
            let text = report.findings.map { $0.seen + $0.change + $0.risk }.joined()
            #expect(!text.contains("wrong") && !text.contains("secret"), "\(text)")
        }
        #expect(try await report(["redis://:secret@\(place)"]).codes == ["noSpare"])
    }
}

// MARK: - Strangers, and the command itself

extension DoctorTests {
    @Test("What is no Redis server is told")
    func strangers() async throws {
        for (behaviour, code) in [
            (HostileServer.Behaviour.closesAtOnce, "connectionLost"), (.sends("HTTP/1.1 400 Bad\r\n"), "notRedis"),
            (.sends("-DENIED Redis is running in protected mode\r\n"), "turnedAway"), (.floods, "notRedis"),
        ] {
            let server = try HostileServer(behaviour)
            let report = try await report([server.url])
            #expect(report.codes == [code, "noQuorum"], "\(behaviour.testDescription)")
        }
        let nowhere = try await report(["unix:///tmp/no/such.sock", "redis://no-such-host.invalid"])
        #expect(nowhere.codes == ["unreachable", "nameUnknown", "noQuorum"])
    }

    @Test(
        "Wrong arguments are 64, and say what is wrong",
        arguments: [
            ([], "no nodes"), (["--node", "http://a"], "unknown scheme"),
            (["--node", "redis://a", "b"], "is too much"),
            (["--node", "redis://a", "--node", "redis://a"], "twice"), (["--timeout", "0s"], "--timeout"),
            (["--node", "redis://a", "--interval", "1s"], "--interval is for --watch"),
            (["--watch", "--interval", "1ms"], "--interval"), (["--max-ttl", "1"], "is no time"),
        ])
    func usage(_ arguments: [String], _ words: String) async throws {
        let outcome = try await Programs.run(
            ["env", "-u", "REDLOCK_NODES", Programs.redlock, "doctor"] + arguments)
        #expect(outcome.status == .exited(64))
        #expect(outcome.lines.joined().contains(words), "\(outcome.lines)")
    }

    @Test("--watch tells what changes, a line each, until a signal ends it")
    func watch() async throws {
        let cluster = try await startCluster(nodes: 3)
        let program = try Conversation(
            [Programs.redlock, "doctor", "--watch", "--interval", "100ms", "--node-timeout", "1m", "--timeout", "30s"]
                + cluster.urls.flatMap { ["--node", $0] })
        let place = "127.0.0.1:\(cluster.nodes[0].port)"
        #expect(await program.readLine()?.hasSuffix("Z fine: 3 nodes, quorum 2: bears 1 failure") == true)
        cluster.nodes[0].kill()
        // Caught while it ends, it may be found in other ways first.
        var lines: [String] = []
        while let line = await program.readLine() {
            lines.append(line)
            if line.hasSuffix("problem: \(place): it refuses the connection") { break }
        }
        #expect(lines.contains { $0.contains("it refuses") }, "\(lines)")
        program.process.signal(SIGINT)
        let outcome = await program.finish()
        #expect(outcome.status == .exited(130))
        #expect((lines + outcome.lines).count < 10, "only changes are told")
    }

    @Test("On a terminal --watch draws over what it drew")
    func screen() async throws {
        let cluster = try await startCluster(nodes: 1)
        let command = "\(Programs.redlock) doctor --watch --interval 100ms --node \(cluster.urls[0])"
        let program = try Conversation(["env", "TERM=xterm", "script", "-qfec", command, "/dev/null"])
        var tables = 0
        while tables < 2, let line = await program.readLine() {
            if line.contains("\u{1b}[H") { tables += 1 }
        }
        #expect(tables == 2)
        program.process.signal(SIGTERM)
        _ = await program.finish()
    }
}
