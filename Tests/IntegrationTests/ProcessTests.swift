import ChildProcesses
import Glibc
import LocalCluster
import Redlock
import TestSupport
import Testing

@Suite("Several processes")
struct ProcessTests {
    @Test(
        "A hundred tasks in three processes add 1 each under the lock alone, and none is lost", .timeLimit(.minutes(5)))
    func counter() async throws {
        let cluster = try await startCluster()
        let file = "\(cluster.folder)/count"
        let workers = try [34, 33, 33].map { tasks in
            try Conversation([
                Programs.worker, "count", cluster.urls.joined(separator: ","), "counter", file, "\(tasks)",
            ])
        }
        for worker in workers {
            let (lines, status) = await worker.finish()
            #expect(status == .exited(0), "\(lines)")
        }
        let total = try Conversation(["sh", "-c", "cat \(file); echo"])
        #expect(await total.finish().lines == ["100"])
        await eventually("no key is left") { !cluster.hasKey("counter") }
    }

    @Test(
        "A process that was stopped for longer than the ttl knows it at once, and does not touch the next holder's key")
    func lapse() async throws {
        let cluster = try await startCluster(nodes: 3)
        let worker = try Conversation([
            Programs.worker, "hold", cluster.urls.joined(separator: ","), "resource", "8000",
        ])
        await worker.expect("held")
        worker.process.signal(SIGSTOP)

        let redlock = try Redlock.patient(cluster.urls)
        let lease = try await redlock.acquire("resource", ttl: .seconds(60), waitingUpTo: .seconds(60))
        // On one node the other's key may have lived a little longer than ours took: two are a quorum.
        let values = cluster.values(of: "resource").compactMap(\.self)
        let ours = try #require(values.first { value in values.count { $0 == value } >= 2 })
        worker.process.signal(SIGCONT)

        await worker.expect("false", to: "valid")
        // `lost` where this machine was so slow that the worker was told ahead of the end, before it was stopped.
        #expect(["expired", "lost"].contains(await worker.ask("extend")))
        await worker.expect("released", to: "release")
        #expect(cluster.values(of: "resource").count { $0 == ours } >= 2)
        #expect(lease.isValid)
        _ = await worker.finish()
        await lease.release()
        await redlock.shutdown()
    }

    @Test("A body during which the lease lapsed does not return as if nothing had happened")
    func bodyLapses() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.joined(separator: ",")
        let worker = try Conversation([Programs.worker, "body", nodes, "resource", "1000"])
        await worker.expect("held")
        worker.process.signal(SIGSTOP)
        await eventually("the keys are gone") { !cluster.hasKey("resource") }
        // The line is there when it wakes: the body ends at once, perhaps before anybody could tell it of the loss.
        worker.write("end")
        worker.process.signal(SIGCONT)
        let end = try #require(await worker.readLine())
        #expect(end.hasPrefix("lost 'resource': "), "\(end)")
        #expect(end.contains("this process did not run for at least"), "\(end)")
        #expect(!end.contains("granted"), "\(end)")
        _ = await worker.finish()
    }

    @Test("A holder that was stopped is told so, and what no node has said since")
    func pausedHolder() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.joined(separator: ",")
        let worker = try Conversation([Programs.worker, "watch", nodes, "1", "3000", "1", "600000"])
        await worker.expect("connected")
        await worker.expect("held", to: "go")
        worker.process.signal(SIGSTOP)
        await eventually("the keys are gone") { !cluster.hasKey("watched:0") }
        worker.process.signal(SIGCONT)
        let (lines, _) = await worker.finish()
        let words = "the validity of the lease is over: this process did not run for at least"
        // The event, and the error.
        for start in ["lost 'watched:0' ", "error lost 'watched:0': "] {
            let line = try #require(lines.first { $0.hasPrefix(start) }, "\(lines)")
            #expect(line.contains(words), "\(line)")
            #expect(line.split(separator: " pending (no answer since)").count == 4, "\(line)")
            #expect(!line.contains("granted"), "\(line)")
        }
        // From the extension that was due at 1 s, or an earlier command, to the end of the keys at 3 s.
        let pause = lines.compactMap { $0.split(separator: "pause of ").first?.split(separator: " ").first }
            .compactMap { Double($0) }.last
        #expect(pause ?? 0 > 1_500, "\(lines)")
    }

    @Test("A node that is slow is no pause of the process")
    func slowNodes() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.joined(separator: ",")
        let worker = try Conversation([Programs.worker, "watch", nodes, "1", "10000", "1", "600000"])
        await worker.expect("connected")
        await worker.expect("held", to: "go")
        for node in cluster.nodes { node.pause() }
        var lines: [String] = []
        while let line = await worker.readLine(), !line.hasPrefix("error") { lines.append(line) }
        for node in cluster.nodes { node.resume() }
        #expect(lines.contains { $0.hasPrefix("lost") && $0.contains("the lease was not extended") }, "\(lines)")
        #expect(!lines.contains { $0.contains("did not run") || $0.contains("pause") }, "\(lines)")
        #expect(lines.contains { $0.contains("timedOut") }, "\(lines)")
        _ = await worker.finish()
    }

    @Test("Processes that contend for locks on healthy nodes are told of no risk", .timeLimit(.minutes(5)))
    func quietContention() async throws {
        let cluster = try await startCluster()
        // In opposite orders, so that they split the votes: one gets three nodes, the other two. 60 locks, each held for
        // longer than repair takes, and not until the first extension.
        let workers = try [cluster.urls, cluster.urls.reversed()].map { nodes in
            try Conversation([Programs.worker, "watch", nodes.joined(separator: ","), "30", "6000", "1", "1500"])
        }
        for worker in workers { await worker.expect("connected") }
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let start = now.tv_sec * 1_000_000_000 + now.tv_nsec + 100_000_000
        for worker in workers { worker.write("\(start)") }
        for worker in workers {
            let (lines, status) = await worker.finish()
            #expect(status == .exited(0))
            #expect(lines.count { $0 == "held" } == 30)
            #expect(lines.filter { $0 != "held" } == ["done"])
        }
    }

    @Test("Answers that came while the client was stopped are no time-outs", arguments: 1...2)
    func pause(_ round: Int) async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.joined(separator: ",")
        let worker = try Conversation([Programs.worker, "once", nodes, "resource", "3000"])
        await worker.expect("connected")
        // All on one thread: tasks of other tests may keep this one waiting for longer than the node timeout.
        let answer = await onOwnThread {
            for node in cluster.nodes { node.pause() }
            worker.write("acquire")
            let answer = worker.readLineBlocking()
            // Far more than it takes to send three commands, and far less than the node timeout.
            usleep(500_000)
            // They are with nodes that stand still; now the worker stands still, and the nodes answer.
            worker.process.signal(SIGSTOP)
            for node in cluster.nodes { node.resume() }
            usleep(3_000_000)
            worker.process.signal(SIGCONT)
            return answer
        }
        #expect(answer == "asked")
        await worker.expect("acquired")
        _ = await worker.finish()
    }

    @Test(
        "A node that goes and comes back 200 times under load leaves no descriptor and no memory behind",
        .timeLimit(.minutes(5)))
    func churn() async throws {
        let cluster = try await startCluster(nodes: 3)
        let worker = try Conversation([
            Programs.worker, "load", cluster.urls.joined(separator: ","), "resource", "20",
        ])
        await worker.expect("started")
        let node = cluster.nodes[0]
        let elsewhere = try FreePorts.next()
        func restart(_ times: Int) async throws {
            try await onOwnThread {
                Result {
                    for turn in 0..<times {
                        node.kill()
                        // Every tenth time it comes up elsewhere first, so that its port refuses for a while.
                        if turn % 10 == 0 {
                            try node.start(port: elsewhere)
                            node.kill()
                        }
                        try node.start()
                    }
                }
            }.get()
        }
        func report() async -> (descriptors: Int, kibibytes: Int)? {
            let numbers = await worker.ask("report")?.split(separator: " ").compactMap { Int($0) } ?? []
            return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
        }
        func connectedReport() async throws -> (descriptors: Int, kibibytes: Int) {
            // When its three connections are there, the number of descriptors says whether there are others.
            await eventually("connected again") {
                guard case .string(let clients) = node.command("CLIENT", "LIST") else { return false }
                return clients.split(separator: "\n").count >= 2
            }
            return try #require(await report())
        }

        // What is allocated once is allocated by then, as a rule; what leaks, leaks in every round.
        try await restart(50)
        var reports = [try await connectedReport()]
        for _ in 1...4 {
            try await restart(50)
            reports.append(try await connectedReport())
        }
        #expect(reports[4].descriptors < reports[0].descriptors + 10)
        let growth = zip(reports, reports.dropFirst()).map { $1.kibibytes - $0.kibibytes }
        #expect(
            growth.contains { $0 < 256 } || Sanitizer.isActive,
            "resident memory grew by \(growth) KiB, 50 restarts each")
        _ = await worker.finish()
    }
}
