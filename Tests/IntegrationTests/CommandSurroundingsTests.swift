import ChildProcesses
import Folders
import Glibc
import LocalCluster
import TestSupport
import Testing

/// What a process inherits, and what becomes of its output: none of it may cost the lock.
@Suite("redlock run, whatever it inherits")
struct CommandSurroundingsTests {
    /// The words before the options, all that is the same for all.
    private func words(_ cluster: LocalCluster, _ rest: [String]) -> [String] {
        [Programs.redlock, "run", "--trust-durable", "--node-timeout", "10s"] + cluster.urls.flatMap { ["--node", $0] }
            + rest
    }

    private static let isRoot = getuid() == 0

    // MARK: - Output

    @Test("The lock is kept while nobody reads standard error, and the lines come when somebody does")
    func standardErrorIsNotRead() async throws {
        let cluster = try await startCluster(nodes: 3)
        let errors = try UnreadOutput()
        let (input, ownInput) = try socketPair()
        defer { close(ownInput) }
        errors.fill()
        let program = try ChildProcess(
            words(cluster, ["-v", "--ttl", "1s", "r", "--", "sh", "-c", "exec 2>/dev/null; cat"]), input: input,
            errors: errors.end)
        close(input)
        await eventually("the lock is held") { cluster.hasKey("r") }
        // Each extension is seen by a rise of what is left.
        for _ in 1...4 {
            await eventually("it is extended") { cluster.remainingTime(of: "r").contains { $0 < 700 } }
            await eventually("it is extended") { cluster.remainingTime(of: "r").contains { $0 > 900 } }
        }
        let text = await onOwnThread { errors.readBlocking { $0.contains("extended") } }
        #expect(text.contains("command started"))
        shutdown(ownInput, Int32(SHUT_WR))
        #expect(await onOwnThread { program.wait() } == .exited(0))
        #expect(!cluster.hasKey("r"))
    }

    @Test(
        "The reader of standard error may leave: the lock stays, and the exit code is the command's", arguments: [0, 3])
    func readerLeaves(_ code: Int32) async throws {
        let cluster = try await startCluster(nodes: 1)
        let errors = try UnreadOutput()
        errors.leave()
        let status = try await onOwnThread {
            Result {
                try ChildProcess(
                    words(cluster, ["-v", "--ttl", "1s", "r", "--", "sh", "-c", "exit \(code)"]),
                    errors: errors.end
                ).wait()
            }
        }.get()
        #expect(status == .exited(code))
        #expect(!cluster.hasKey("r"))
    }

    @Test(
        "Without a reader nothing dies of SIGPIPE, whatever is printed",
        arguments: ["help", "version", "no-such-thing"])
    func noReader(_ word: String) async throws {
        let output = try UnreadOutput()
        output.leave()
        let status = try await onOwnThread {
            Result { try ChildProcess([Programs.redlock, word], output: output.end, errors: output.end).wait() }
        }.get()
        #expect(status == .exited(word == "no-such-thing" ? 64 : 0))
    }

    @Test("A reader of standard output that leaves ends the doctor's watch, and nothing dies of it")
    func watchWithoutReader() async throws {
        let cluster = try await startCluster(nodes: 1)
        let outcome = try await Programs.run([
            "bash", "-c", #""$0" doctor --node "$1" --watch --interval 100ms | head -n 1; echo "${PIPESTATUS[0]}""#,
            Programs.redlock, cluster.urls[0],
        ])
        #expect(outcome.lines.last == "0", "\(outcome.lines)")
    }

    @Test(
        "While nobody reads what it prints, a signal ends it as it ends any program",
        arguments: ["help", "no-such-thing"])
    func blockedOutput(_ word: String) async throws {
        let output = try UnreadOutput()
        output.fill()
        let program = try ChildProcess([Programs.redlock, word], output: output.end, errors: output.end)
        await eventually("it waits for a reader") { program.isBlocked }
        program.signal(SIGTERM)
        #expect(await onOwnThread { program.wait() } == .signalled(SIGTERM))
    }

    @Test("Output that cannot be written is an error")
    func fullDisk() async throws {
        let outcome = try await Programs.run(["sh", "-c", #""$0" help >/dev/full"#, Programs.redlock])
        #expect(outcome.status == .exited(74))
        #expect(outcome.lines == ["redlock: its output cannot be written: No space left on device"])
    }

    // MARK: - Signals that were ignored or blocked

    @Test("The command gets the signals as they were inherited: ignored, blocked, or neither")
    func inheritedSignals() async throws {
        let cluster = try await startCluster(nodes: 1)
        func state(_ prefix: [String]) async throws -> [String] {
            let script = ["grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"]
            return try await Programs.run(prefix + words(cluster, ["r", "--"]) + script).lines
        }
        func bare(_ prefix: [String]) async throws -> [String] {
            try await Programs.run(prefix + ["grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"]).lines
        }
        for prefix in [
            ["env"], ["env", "--ignore-signal=PIPE,CHLD,HUP,INT,USR1,TTOU,TSTP"],
            ["env", "--block-signal=TERM,USR2,CHLD,WINCH,PIPE"],
        ] {
            #expect(try await state(prefix) == bare(prefix))
        }
    }

    @Test(
        "The end of the command is noticed, with its exit code, where SIGCHLD was ignored or blocked",
        arguments: ["--ignore-signal=CHLD", "--block-signal=CHLD"])
    func childSignal(_ option: String) async throws {
        let cluster = try await startCluster(nodes: 1)
        let words = ["env", option] + words(cluster, ["r", "--", "sh", "-c", "exit 3"])
        #expect(try await Programs.run(words).status == .exited(3))
        #expect(!cluster.hasKey("r"))
    }

    @Test("A child whose status something else took has ended, with a status that is not known")
    func statusTaken() async throws {
        let child = try ChildProcess(["sh", "-c", "exit 3"])
        #expect(await onOwnThread { child.wait() } == .exited(3))
        #expect(child.poll() == .unknown)
        #expect(child.wait() == .unknown)
    }

    @Test(
        "A signal that was ignored or blocked at the start does not end the wait",
        arguments: ["--ignore-signal=HUP", "--block-signal=HUP"])
    func ignoredWhileWaiting(_ option: String) async throws {
        let cluster = try await startCluster(nodes: 1)
        cluster.nodes[0].command("SET", "r", "other", "PX", "300000")
        let program = try Conversation(
            ["env", option] + words(cluster, ["--json", "--wait", "1h", "r", "--", "echo", "it runs"]))
        while let line = await program.readLine(), !line.contains("\"retry\"") {}
        program.process.signal(SIGHUP)
        // Only then does the lock become free.
        cluster.nodes[0].command("DEL", "r")
        cluster.nodes[0].command("PUBLISH", "redlock:r", "")
        let outcome = await program.finish()
        #expect(outcome.status == .exited(0))
        #expect(outcome.lines.contains("it runs"))
    }

    // MARK: - Descriptors, threads, folders

    @Test(
        "A standard stream that is missing stays missing, and nothing of redlock takes its place",
        arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    func missingStreams(_ redirection: String) async throws {
        let cluster = try await startCluster(nodes: 3)
        let file = "\(cluster.folder)/descriptors"
        // Its own, and its parent's: what redlock itself has there must be nothing that it could write into by mistake.
        let tell = """
            exec 9>"$0"
            for p in $$ $PPID; do for n in 0 1 2; do readlink "/proc/$p/fd/$n" >&9 || echo none >&9; done; done
            """
        let script = #"exec </dev/zero >/dev/full 2>/dev/random; exec "$@" \#(redirection)"#
        func streams(_ prefix: [String]) async throws -> [String] {
            let words = ["bash", "-c", script, "bash"] + prefix + ["bash", "-c", tell, file]
            #expect(try await Programs.run(words).status == .exited(0))
            return try await Programs.run(["cat", file]).lines
        }
        let expected = try await streams([]).prefix(3)
        #expect(expected.count == 3 && expected.contains("none"))
        let found = try await streams(words(cluster, ["-v", "r", "--"]))
        #expect(found.prefix(3) == expected)
        #expect(found.suffix(3).map { $0 == "none" } == [false, false, false], "\(found)")
        #expect(!found.contains { $0.contains("socket:") || $0.contains("anon_inode:") }, "\(found)")
    }

    @Test("With few descriptors it works, or says in a line what is missing", arguments: 4...14)
    func fewDescriptors(_ limit: Int) async throws {
        let cluster = try await startCluster(nodes: 1)
        let script = #"n=$1; shift; ulimit -n "$n"; exec "$@""#
        let outcome = try await Programs.run(
            ["bash", "-c", script, "bash", "\(limit)"] + words(cluster, ["--wait", "100ms", "r", "--", "true"]))
        // What the loader cannot open ends the program before it begins.
        guard outcome.lines.first?.contains("shared libraries") != true else { return }
        #expect([.exited(0), .exited(69), .exited(71)].contains(outcome.status), "\(outcome.lines)")
        if outcome.status != .exited(0) {
            #expect(outcome.lines.first?.contains("Too many open files") == true, "\(outcome.lines)")
        }
        #expect(!cluster.hasKey("r"))
    }

    @Test(
        "Where the system refuses threads or processes, a line says so, and nothing hangs",
        .enabled(if: isRoot, "another user has to be had"), arguments: 1...6)
    func fewThreads(_ limit: Int) async throws {
        let cluster = try await startCluster(nodes: 1)
        // A user that nobody else is, so that only this counts.
        let user = "\(61_000 + limit)"
        let prefix = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
        guard try await Programs.run(prefix + [Programs.redlock, "version"]).status == .exited(0) else { return }
        for subject in [
            words(cluster, ["--wait", "100ms", "r", "--", "true"]),
            [Programs.redlock, "doctor", "--node", cluster.urls[0]],
        ] {
            let outcome = try await Programs.run(prefix + ["prlimit", "--nproc=\(limit)"] + subject)
            let isRefused = outcome.lines.joined().contains("Resource temporarily unavailable")
            #expect(
                outcome.status == .exited(71)
                    ? isRefused : outcome.status == .exited(0) || outcome.status == .exited(1), "\(outcome)")
        }
        #expect(!cluster.hasKey("r"))
    }

    @Test(
        "It runs without /proc, /dev and /tmp, and with an empty environment",
        .enabled(if: isRoot && !Sanitizer.isActive, "folders have to be taken away, which a sanitizer reports"))
    func bareMachine() async throws {
        let cluster = try await startCluster(nodes: 1)
        let script = #"mount --make-rprivate / && umount -l /proc && mount -t tmpfs none /dev && exec "$@""#
        let prefix = ["unshare", "--mount", "sh", "-c", script, "sh"]
        // Where no such namespace can be made there is nothing to try.
        guard try await Programs.run(prefix + ["true"]).status == .exited(0) else { return }
        let outcome = try await Programs.run(
            prefix + ["env", "-i"] + words(cluster, ["r", "--", "sh", "-c", "echo $REDLOCK_RESOURCE; exit 4"]))
        #expect(outcome.lines == ["r"])
        #expect(outcome.status == .exited(4))
    }

    @Test(
        "As process 1 it takes orphans, ends with the command, and heeds signals",
        .enabled(if: isRoot, "a namespace has to be made"))
    func processOne() async throws {
        let cluster = try await startCluster(nodes: 1)
        let prefix = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        guard try await Programs.run(prefix + ["true"]).status == .exited(0) else { return }
        // An orphan that ends is a zombie until process 1 takes it.
        let script = """
            for i in 1 2 3 4; do (sleep 0.01 &); done
            for i in $(seq 500); do
                sleep 0.02
                [ "$(cat /proc/[0-9]*/stat 2>/dev/null | grep -cE '^[0-9]+ \\(sleep\\)')" -gt 0 ] || exit 5
            done
            """
        let outcome = try await Programs.run(prefix + words(cluster, ["r", "--", "sh", "-c", script]))
        #expect(outcome.status == .exited(5), "\(outcome.lines)")
    }

    // MARK: - The end of redlock itself

    @Test("The command is killed with redlock, and is not where that is not wanted", arguments: [true, false])
    func killedWithParent(_ isKilled: Bool) async throws {
        let cluster = try await startCluster(nodes: 1)
        let program = try Conversation(
            words(cluster, isKilled ? [] : ["--no-die-with-parent"]) + ["r", "--", "sh", "-c", "echo $$; exec cat"])
        let command = try #require(await program.readLine().flatMap { Int32($0) })
        program.process.signal(SIGKILL)
        if isKilled {
            // It is the only one left who holds the output open.
            #expect(await program.readLine() == nil)
        } else {
            await program.expect("still here", to: "still here")
            kill(command, SIGKILL)
        }
        _ = await program.finish()
    }

    @Test("The main thread is what starts the command, so that no thread that ends is taken for redlock's end")
    func ownDeathSignal() async throws {
        let cluster = try await startCluster(nodes: 1)
        let program = try Conversation(
            words(cluster, ["r", "--", "setpriv", "--pdeathsig", "KILL", "sh", "-c", "echo $PPID $$; exec cat"]))
        let processes = try #require(await program.readLine()).split(separator: " ")
        let children = try await Programs.run(["cat", "/proc/\(processes[0])/task/\(processes[0])/children"]).lines
        // Not every kernel tells.
        if let children = children.first, !children.contains("No such file") {
            #expect(children.split(separator: " ").contains(processes[1]), "\(children)")
        }
        #expect(await program.finish().status == .exited(0))
    }
}

extension ChildProcess {
    /// Whether it waits in the kernel to write.
    fileprivate var isBlocked: Bool {
        // Only then is this the call that it is in; 1 is write.
        (Folder.text(of: "/proc/\(id)/syscall") ?? "").hasPrefix("1 ")
    }
}

extension LocalCluster {
    /// How long the key lives on each node, in milliseconds; negative where it is not there.
    func remainingTime(of key: String) -> [Int] {
        nodes.map { node in
            guard case .integer(let left) = node.command("PTTL", key) else { return -3 }
            return Int(left)
        }
    }
}
