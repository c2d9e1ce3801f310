import ChildProcesses
import Folders
import Glibc
import TestSupport
import Testing

@testable import RedlockLive

/// The command as a person uses it, on real servers. A machine that is too busy makes a run inconclusive: exit code 2.
@Suite("redlock-sim live", .serialized, .enabled(if: Workplace.canPreload))
struct LiveCommandTests {
    private static func run(_ line: String, environment: [String] = []) async throws -> ChildProcess.Status {
        try await onOwnThread {
            let command = ["env"] + environment + [Workplace.program] + line.split(separator: " ").map { String($0) }
            return try ChildProcess(command).wait()
        }
    }

    @Test(
        "scenarios come out as in the simulator: what is tolerated holds, what breaks an assumption does break the lock"
    )
    func scenarios() async throws {
        let status = try await Self.run(
            "scenario run happy-path crash-aof crash-amnesia clock-jump-forward power-loss-always flushall-one out-of-memory --live --jobs 3"
        )
        #expect(status == .exited(0) || status == .exited(2))
    }

    @Test("a short soak of tolerated faults holds, and leaves nothing behind")
    func soak() async throws {
        let folder = try TemporaryFolder()
        let report = folder.path + "/report"
        let page = folder.path + "/page"
        let status = try await Self.run(
            "live --profile tolerated --duration 6s --clients 4 --resources 2 --seed 3 --json \(report) --html \(page)",
            environment: ["TMPDIR=\(folder.path)"])
        #expect(status == .exited(0))
        #expect(folder.names == ["page", "report"], "servers' folders are gone")
    }

    @Test("asked to end it ends in order: everything that was started is gone", arguments: [SIGINT, SIGTERM, SIGKILL])
    func interrupted(signal: Int32) async throws {
        let folder = try TemporaryFolder()
        try await onOwnThread {
            let run = try ChildProcess([
                "env", "TMPDIR=\(folder.path)", Workplace.program, "live", "--profile", "tolerated", "--duration",
                "10m",
                "--clients", "3", "--resources", "2",
            ])
            // Clients are there: servers are too.
            try eventually { Self.processes(of: folder).count >= 5 }
            run.signal(signal)
            let status = run.wait()
            #expect(status == (signal == SIGKILL ? .signalled(SIGKILL) : .exited(2)))
            try eventually { folder.names.isEmpty && Self.processes(of: folder).isEmpty }
        }
    }

    /// Those whose environment names the folder.
    private static func processes(of folder: TemporaryFolder) -> [Int] {
        (Folder.names(in: "/proc") ?? []).compactMap { Int($0) }.filter { id in
            id != Int(getpid()) && Folder.text(of: "/proc/\(id)/environ")?.contains(folder.path) == true
        }
    }

    @Test(
        "what makes no sense is told in one line, and starts nothing",
        arguments: [
            "live --profile calm", "live --duration never", "live --clients 0", "live --clients 65",
            "live --scenario nonsense", "live --scenario happy-path --profile chaos", "live --schedule /nowhere.json",
            "live --scenario paused-node-late-set-not-released", "live --stretch 0", "live too much",
            "scenario run happy-path --times 2", "scenario run nonsense --live", "scenario run --live",
        ])
    func badInput(line: String) async throws {
        let folder = try TemporaryFolder()
        #expect(try await Self.run(line, environment: ["TMPDIR=\(folder.path)"]) == .exited(64), "\(line)")
        #expect(folder.names.isEmpty)
    }

    @Test("without servers, without the shim or without a folder it says so")
    func missing() async throws {
        let folder = try TemporaryFolder()
        for environment in ["PATH=/nowhere", "REDLOCK_CLOCK_SHIM=/nowhere", "TMPDIR=/nowhere"] {
            let status = try await Self.run(
                "live --scenario clock-jump-forward", environment: ["TMPDIR=\(folder.path)", environment])
            #expect(status == .exited(64), "\(environment)")
            #expect(folder.names.isEmpty, "\(environment)")
        }
    }
}
