import ChildProcesses
import Folders
import Glibc
import LocalCluster
import Testing

/// The worked examples of docs/fencing.md, as they stand there: each refuses a lower token than it has seen.
@Suite("Resources that check a fencing token")
struct FencedResourceTests {
    /// The first code block of this language in the document.
    private func example(_ language: String) throws -> String {
        let lines = TextFile.lines(of: "docs/fencing.md")
        let start = try #require(lines.firstIndex { $0 == "```" + language })
        return lines[(start + 1)...].prefix { $0 != "```" }.joined(separator: "\n")
    }

    private func run(_ words: String...) async throws -> Programs.Outcome {
        try await Programs.run(words)
    }

    @Test("A Redis key")
    func redisKey() async throws {
        let cluster = try await startCluster(nodes: 1)
        let script = try example("lua")
        func write(_ words: String...) -> BlockingClient.Answer? {
            switch words.count {
            case 1: cluster.nodes[0].command("EVAL", script, "2", "value", "fence", words[0])
            default: cluster.nodes[0].command("EVAL", script, "2", "value", "fence", words[0], words[1])
            }
        }
        #expect(write("10", "first") == .integer(1))
        #expect(write("10", "again") == .integer(1))
        #expect(write("11") == .integer(1))
        #expect(write("10", "late") == .integer(0))
        #expect(cluster.nodes[0].command("GET", "value") == .string("again"))
        #expect(write("9007199254740991", "last") == .integer(1))
        #expect(write("9007199254740990", "late") == .integer(0))
    }

    @Test("A file store")
    func fileStore() async throws {
        let folder = try TemporaryFolder()
        let script = try example("sh")
        func store(_ token: String, _ content: String, _ option: String = "") async throws -> ChildProcess.Status {
            try await run(
                "env", "REDLOCK_FENCING_TOKEN=\(token)", "sh", "-c",
                "printf '%s' '\(content)' | sh -c \"$1\" fenced-store \(folder.path)/file \(option)", "outer", script
            ).status
        }
        #expect(try await store("10", "first") == .exited(0))
        #expect(try await store("10", "again") == .exited(0))
        #expect(try await store("11", "", "--claim") == .exited(0))
        #expect(try await store("10", "late") == .exited(1))
        #expect(try await run("sh", "-c", "test \"$(cat \(folder.path)/file)\" = again").status == .exited(0))
        #expect(try await run("sh", "-c", "ls \(folder.path) | grep -c new").lines == ["0"])
        withExtendedLifetime(folder) {}
    }

    @Test("A SQL table", .enabled(if: unsafe access("/usr/bin/sqlite3", X_OK) == 0))
    func sqlTable() async throws {
        let folder = try TemporaryFolder()
        // A comment in front would be an option to sqlite3.
        let statements = try example("sql").split(separator: "\n").filter { !$0.hasPrefix("--") }.map(String.init)
        try #require(statements.count == 2)
        func changed(_ sql: String, token: Int, total: Int = 0) async throws -> String? {
            let bound = sql.split(separator: ":token", omittingEmptySubsequences: false).joined(separator: "\(token)")
                .split(separator: ":total", omittingEmptySubsequences: false).joined(separator: "\(total)")
            return try await run("sqlite3", "\(folder.path)/db", bound + "; SELECT changes();").lines.last
        }
        _ = try await run(
            "sqlite3", "\(folder.path)/db",
            "CREATE TABLE invoice (id INTEGER PRIMARY KEY, total INTEGER, fence BIGINT NOT NULL DEFAULT 0);"
                + "INSERT INTO invoice (id, total) VALUES (42, 0);")
        #expect(try await changed(statements[0], token: 10) == "1")
        #expect(try await changed(statements[1], token: 10, total: 1) == "1")
        #expect(try await changed(statements[1], token: 10, total: 2) == "1")
        #expect(try await changed(statements[0], token: 11) == "1")
        #expect(try await changed(statements[1], token: 10, total: 3) == "0")
        #expect(try await changed(statements[0], token: 10) == "0")
        #expect(try await run("sqlite3", "\(folder.path)/db", "SELECT total FROM invoice;").lines == ["2"])
        withExtendedLifetime(folder) {}
    }
}
