import ChildProcesses
import Folders
import Glibc
import LocalCluster
import TestSupport
import Testing

@Suite("redlock bench")
struct BenchCommandTests {
    private func bench(_ arguments: String...) async throws -> Programs.Outcome {
        try await Programs.run([Programs.redlock, "bench"] + arguments)
    }

    @Test("A quick run on servers of its own has figures for every case, as a table and as JSON")
    func quick() async throws {
        let json = try await bench("--local", "--quick", "--time", "30ms", "--leases", "200", "--json")
        #expect(json.status == .exited(0), "\(json.lines)")
        let object = try #require(json.lines.first)
        #expect(json.lines.count == 1)
        #expect(object.hasPrefix("{\"schema\":\"redlock-bench\",\"version\":2,"))
        for benchCase in ["healthy", "refused", "hung", "two-hung", "delay"] {
            #expect(object.contains("{\"case\":\"\(benchCase)\",\"callers\":1,"))
            #expect(object.contains("{\"case\":\"\(benchCase)\",\"callers\":64,"))
        }
        for member in [
            "\"one-process\"", "\"processes\"", "bytes_per_waiter", "fairness_jain", "\"to_task_floor\"",
            "\"on_its_thread_to_floor\"", "\"to_hiredis\"",
        ] {
            #expect(object.contains(member))
        }

        let table = try await bench("--local", "--quick", "--time", "30ms", "--case", "healthy")
        #expect(table.status == .exited(0))
        // The lock, the lock with callers on its thread, the wire with tasks, and hiredis as people use it.
        #expect(table.lines.count { $0.hasPrefix("healthy ") } == 8)
    }

    @Test("On nodes given it measures what harms nobody, and leaves no key")
    func nodesGiven() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.flatMap { ["--node", $0] }
        let outcome = try await Programs.run(
            [Programs.redlock, "bench"] + nodes + ["--quick", "--time", "30ms", "--leases", "200", "--json"])
        #expect(outcome.status == .exited(0), "\(outcome.lines)")
        #expect(outcome.lines.first?.contains("\"own_nodes\":0") == true)
        #expect(outcome.lines.first?.contains("\"case\":\"healthy\"") == true)
        #expect(outcome.lines.first?.contains("\"case\":\"hung\"") == false)
        for node in cluster.nodes { #expect(node.command("DBSIZE") == .integer(0)) }
    }

    @Test("Wrong arguments are 64, and say what is wrong; a node that is not there is 69")
    func refusals() async throws {
        for (arguments, words) in [
            (["--case", "sick"], "--case is 'sick'; it must be"), (["--rounds", "many"], "must be a number"),
            (["--rounds", "0"], "from 1 to 100"), (["--callers", "1,,2"], "no list of whole numbers"),
            (["--time", "5"], "is no time"), (["extra"], "'extra' is too much"),
            (["--node", "redis://a", "--case", "hung"], "cannot run on nodes given"),
            (["--node", "redis://a", "--local"], "exclude each other"),
        ] {
            let outcome = try await Programs.run([Programs.redlock, "bench"] + arguments)
            #expect(outcome.status == .exited(64))
            #expect(outcome.lines.joined().contains(words), "\(outcome.lines)")
        }
        let outcome = try await bench("--node", "redis://127.0.0.1:1", "--quick")
        #expect(outcome.status == .exited(69), "\(outcome.lines)")
    }

    @Test("Interrupted, it ends with 130 and leaves no server")
    func interrupted() async throws {
        let conversation = try Conversation(
            [Programs.redlock, "bench", "--local", "--rounds", "100", "--time", "1s", "--case", "hung"])
        // On a thread of its own: while the pool has other things to do, the bench would come to its end.
        let started = await onOwnThread {
            let id = conversation.process.id
            // Five servers, and the shell that would bury them. A minute at most.
            var looks = 0
            while looks < 6_000, children(of: id).count < 6 {
                looks += 1
                usleep(10_000)
            }
            let children = children(of: id)
            conversation.process.signal(SIGINT)
            return children
        }
        #expect(started.count >= 6)
        let outcome = await conversation.finish()
        #expect(outcome.status == .exited(130), "\(outcome.lines)")
        #expect(outcome.lines.last?.contains("interrupted") == true)
        await eventually("no server is left") { started.allSatisfy { kill($0, 0) != 0 } }
    }
}

/// The children of a process, from the kernel's list of all.
private func children(of id: pid_t) -> [pid_t] {
    (Folder.names(in: "/proc") ?? []).compactMap { pid_t($0) }.filter { parent(of: $0) == id }
}

/// The fourth word of /proc/ID/stat; the second is a name in brackets.
private func parent(of id: pid_t) -> pid_t? {
    guard let text = Folder.text(of: "/proc/\(id)/stat"), let bracket = text.lastIndex(of: ")") else { return nil }
    let words = text[text.index(after: bracket)...].split(separator: " ")
    return words.count > 1 ? pid_t(words[1]) : nil
}
