import ChildProcesses
import Folders
import Glibc
import LocalCluster
import Redlock
import TestSupport
import Testing

/// Processes that are stopped between the grant and the start of what needs the lock.
@Suite("Start under the lock")
struct StartTests {
    private static let shim = "\(buildFolder)/libStopShim.so"

    /// Waits until the process stands still, and its keys are over.
    private func awaitLapse(_ process: ChildProcess, _ cluster: LocalCluster) async {
        await eventually("it stands still") { state(of: process) == "T" }
        await eventually("the keys are gone") { !cluster.hasKey("resource") }
    }

    private func state(of process: ChildProcess) -> String? {
        Folder.text(of: "/proc/\(process.id)/stat")?.split(separator: ")").last?.split(separator: " ").first.map(
            String.init)
    }

    /// It was refused, and waits for the release of another.
    private func awaitWait(_ cluster: LocalCluster) async {
        await eventually("it waits for the lock") {
            cluster.nodes[0].command("PUBSUB", "NUMSUB", "redlock:resource")
                == .array([.string("redlock:resource"), .integer(1)])
        }
    }

    @Test("A body does not start after a pause that outlasted the lease: its task waits for the lock again")
    func body() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.joined(separator: ",")
        let worker = try Conversation([Programs.worker, "stop", nodes, "resource", "1000", "60000"])
        await awaitLapse(worker.process, cluster)
        let redlock = try Redlock.patient(cluster.urls)
        let lease = try await redlock.acquire("resource", ttl: .seconds(60), waitingUpTo: .seconds(60))
        worker.process.signal(SIGCONT)
        await awaitWait(cluster)
        await lease.release()
        await worker.expect("held")
        worker.write("end")
        // As of a lease of its own: it is valid.
        await worker.expect("returned")
        _ = await worker.finish()
        await redlock.shutdown()
    }

    @Test("If no time is left after such a pause, the error is expired and names the pause")
    func noTimeLeft() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.joined(separator: ",")
        let worker = try Conversation([Programs.worker, "stop", nodes, "resource", "1000", "0"])
        await awaitLapse(worker.process, cluster)
        worker.process.signal(SIGCONT)
        let end = try #require(await worker.readLine())
        #expect(end.hasPrefix("expired 'resource': the lease ended before its holder could begin"), "\(end)")
        #expect(end.contains("this process did not run for at least"), "\(end)")
        await eventually("no key is left") { !cluster.hasKey("resource") }
        _ = await worker.finish()
    }

    @Test("A command does not start after a pause that outlasted the lock", .enabled(if: !Sanitizer.isActive))
    func command() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.flatMap { ["--node", $0] }
        // The line is written by a thread of its own. Where the command was faster, it is another case.
        for _ in 1...20 {
            let program = try Conversation(
                ["env", "LD_PRELOAD=\(Self.shim)", "REDLOCK_STOP_BEFORE=\"acquired\"", Programs.redlock, "run"]
                    + ["--json", "--ttl", "1s", "--wait", "60s"] + nodes + ["resource", "--", "echo", "body"])
            await eventually("it stands still") { state(of: program.process) == "T" }
            let id = program.process.id
            guard Folder.text(of: "/proc/\(id)/task/\(id)/children")?.isEmpty == true else {
                program.process.signal(SIGCONT)
                _ = await program.finish()
                continue
            }
            await awaitLapse(program.process, cluster)
            let redlock = try Redlock.patient(cluster.urls)
            let lease = try await redlock.acquire("resource", ttl: .seconds(60), waitingUpTo: .seconds(60))
            program.process.signal(SIGCONT)
            await awaitWait(cluster)
            await lease.release()
            let outcome = await program.finish()
            #expect(outcome.status == .exited(0))
            #expect(outcome.lines.count { $0 == "body" } == 1, "\(outcome.lines)")
            #expect(outcome.lines.count { $0.contains("\"event\":\"acquired\"") } == 2, "\(outcome.lines)")
            await redlock.shutdown()
            return
        }
        Issue.record("the command was always faster than the line about the grant")
    }
}
