import LocalCluster
import Redlock
import TestSupport
import Testing

@Suite("Nodes that may have forgotten locks")
struct QuarantineTests {
    /// The vote of the only node, or of the first of them.
    private static func vote(_ redlock: Redlock) async -> NodeVote? {
        do throws(RedlockError) {
            await (try redlock.acquire("resource", ttl: .seconds(10))).release()
            return nil
        } catch {
            return error.votes.first
        }
    }

    /// So that they vote at once. A server that was started without it is without it again after a restart.
    private static func keepEverything(_ cluster: LocalCluster) async {
        for node in cluster.nodes {
            node.command("CONFIG", "SET", "appendfsync", "always")
            node.command("CONFIG", "SET", "appendonly", "yes")
        }
        await eventually("the first logs are written") {
            cluster.nodes.allSatisfy { Self.info("aof_rewrite_in_progress", $0) == "0" }
        }
    }

    /// A field of INFO.
    private static func info(_ name: String, _ node: LocalNode) -> String? {
        guard case .string(let text) = node.command("INFO", "everything") else { return nil }
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name):") }
        return line.map { String($0.dropFirst(name.count + 1)) }
    }

    /// Waits until a node has been up for so many seconds.
    private static func age(_ cluster: LocalCluster, seconds: Int) async {
        await eventually("\(seconds) s of uptime") {
            cluster.nodes.allSatisfy { Int(Self.info("uptime_in_seconds", $0) ?? "") ?? 0 >= seconds }
        }
    }

    /// Waits until a node has answered a look that was sent after this.
    private static func look(_ node: LocalNode) async {
        @Sendable func looks() -> Int {
            let stats = Self.info("cmdstat_config|get", node) ?? ""
            return Int(stats.dropFirst("calls=".count).prefix { $0.isNumber }) ?? 0
        }
        let before = looks()
        await eventually("a look") { looks() > before }
    }

    private static func shortest(_ configuration: inout Redlock.Configuration) {
        configuration.trustsDurableNodes = false
        configuration.ttlLimits = .milliseconds(10) ... .seconds(2)
    }

    private static func restart(_ node: LocalNode) async throws {
        try await onOwnThread {
            Result {
                node.kill()
                try node.start()
            }
        }.get()
    }

    private static func quarantined(_ events: EventRecorder) async {
        await events.wait(for: .nodeQuarantined)
    }

    @Test("A node that was just started and keeps nothing has no vote, and the error says why")
    func justStarted() async throws {
        let cluster = try await startCluster(nodes: 1, persistence: .none)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        await Self.quarantined(events)
        let vote = try #require(await Self.vote(redlock))
        #expect(vote.kind == .quarantined)
        #expect(vote.detail.hasPrefix("for another "))
        #expect(vote.detail.contains(" s: it was started "))
        #expect(vote.detail.hasSuffix(" s ago and may have forgotten locks"))
        #expect(redlock.configuration.quarantine == .longestTTL)
        await redlock.shutdown()
    }

    @Test("With the quarantine off it votes")
    func off() async throws {
        let cluster = try await startCluster(nodes: 1, persistence: .none)
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.quarantine = .off }
        #expect(await Self.vote(redlock) == nil)
        #expect(!events.events.contains { $0.kind == .nodeQuarantined })
        await redlock.shutdown()
    }

    @Test("When the time is over it votes again, and both are reported")
    func end() async throws {
        let cluster = try await startCluster(nodes: 1, persistence: .none)
        await Self.keepEverything(cluster)
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.ttlLimits = .milliseconds(10) ... .seconds(1) }
        await events.nodesConnected(1)
        #expect(!events.events.contains { $0.kind == .nodeQuarantined })
        try await Self.restart(cluster.nodes[0])
        await Self.quarantined(events)
        await events.wait(for: .nodeQuarantineEnded)
        let lease = try await redlock.acquire("resource", ttl: .seconds(1))
        await lease.release()
        await redlock.shutdown()
    }

    @Test("A node that is killed and comes back with nothing has no vote; the others go on")
    func amnesia() async throws {
        let cluster = try await startCluster(nodes: 3, persistence: .none)
        await Self.keepEverything(cluster)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        await events.nodesConnected(3)
        await (try redlock.acquire("resource", ttl: .seconds(10))).release()
        let third = cluster.nodes[2]
        try await Self.restart(third)
        await events.wait { $0.kind == .nodeQuarantined && $0.node == "127.0.0.1:\(third.port)" }
        await (try redlock.acquire("resource", ttl: .seconds(10))).release()
        cluster.nodes[0].kill()
        await events.wait(for: .nodeDisconnected)
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("resource", ttl: .seconds(10))
        }
        #expect(error?.code == .unavailable)
        #expect(error?.votes.last?.kind == .quarantined)
        await redlock.shutdown()
    }

    @Test("A node that was just started has no vote, however well it keeps its writes")
    func freshAndDurable() async throws {
        let cluster = try await startCluster(nodes: 1)
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.trustsDurableNodes = false }
        await Self.quarantined(events)
        #expect(await Self.vote(redlock)?.kind == .quarantined)
        await redlock.shutdown()
    }

    @Test("A node votes as soon as it is back, if this client saw it keep every write for the longest ttl")
    func evidence() async throws {
        let cluster = try await startCluster(nodes: 1)
        await Self.age(cluster, seconds: 4)
        let (redlock, events) = try Redlock.observed(cluster.urls, Self.shortest)
        let lease = try await redlock.acquire(
            "resource", ttl: .seconds(2), waitingUpTo: .seconds(60), extendingItself: true)
        for _ in 1...3 { await Self.look(cluster.nodes[0]) }
        try await Self.restart(cluster.nodes[0])
        await events.wait(for: .nodeDisconnected)
        await events.wait { $0.kind == .extended && $0.votes.allSatisfy { $0.kind == .granted } }
        await lease.release()
        #expect(!events.events.contains { $0.kind == .nodeQuarantined })
        await redlock.shutdown()
    }

    @Test("A restart that switches the log on gives no second holder")
    func rollOut() async throws {
        let cluster = try await startCluster(nodes: 3, persistence: .none)
        await Self.age(cluster, seconds: 4)
        let (holder, _) = try Redlock.observed(cluster.urls, Self.shortest)
        let lease = try await holder.acquire("resource", ttl: .seconds(2), waitingUpTo: .seconds(60))
        for node in cluster.nodes[..<2] {
            node.setPersistence(.everyWrite)
            try await Self.restart(node)
        }
        let (newcomer, _) = try Redlock.observed(cluster.urls, Self.shortest)
        let next = try await newcomer.acquire("resource", ttl: .seconds(2), waitingUpTo: .seconds(60))
        #expect(!lease.isValid)
        await next.release()
        await lease.release()
        await holder.shutdown()
        await newcomer.shutdown()
    }

    @Test("A log that was switched off for a while is seen, though the restart has it on again")
    func switchedOff() async throws {
        let cluster = try await startCluster(nodes: 1)
        await Self.age(cluster, seconds: 4)
        let (redlock, events) = try Redlock.observed(cluster.urls, Self.shortest)
        let lease = try await redlock.acquire(
            "resource", ttl: .seconds(2), waitingUpTo: .seconds(60), extendingItself: true)
        for _ in 1...3 { await Self.look(cluster.nodes[0]) }
        cluster.nodes[0].command("CONFIG", "SET", "appendonly", "no")
        await Self.look(cluster.nodes[0])
        await Self.look(cluster.nodes[0])
        try await Self.restart(cluster.nodes[0])
        await Self.quarantined(events)
        await lease.release()
        await redlock.shutdown()
    }

    @Test("While its first log is being written a node is not durable")
    func firstLog() async throws {
        let cluster = try await startCluster(nodes: 1, persistence: .none)
        let node = cluster.nodes[0]
        for index in 0..<200 { node.command("SET", "other:\(index)", "x") }
        node.command("CONFIG", "SET", "rdb-key-save-delay", "200000")
        node.command("CONFIG", "SET", "appendfsync", "always")
        node.command("CONFIG", "SET", "appendonly", "yes")
        let (redlock, events) = try Redlock.observed(cluster.urls)
        await Self.quarantined(events)
        #expect(Self.info("aof_rewrite_in_progress", node) == "1")
        #expect(Self.info("aof_enabled", node) == "1")
        await redlock.shutdown()
    }

    @Test("A node that becomes a replica on an open connection is left, and waits once it is promoted")
    func demoted() async throws {
        let cluster = try await startCluster(nodes: 1)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        let lease = try await redlock.acquire("held", ttl: .seconds(60), waitingUpTo: .seconds(60))
        cluster.nodes[0].command("REPLICAOF", "127.0.0.1", "1")
        await events.wait { $0.kind == .nodeDisconnected && $0.reason == "it is a replica; writes go to its primary" }
        cluster.nodes[0].command("REPLICAOF", "NO", "ONE")
        await Self.quarantined(events)
        #expect(await Self.vote(redlock)?.kind == .quarantined)
        await lease.release()
        await redlock.shutdown()
    }

    @Test("A node that was a replica between two looks waits")
    func demotedForAMoment() async throws {
        let cluster = try await startCluster(nodes: 1)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        let lease = try await redlock.acquire("resource", ttl: .seconds(60), waitingUpTo: .seconds(60))
        await Self.look(cluster.nodes[0])
        cluster.nodes[0].command("REPLICAOF", "127.0.0.1", "1")
        cluster.nodes[0].command("REPLICAOF", "NO", "ONE")
        await Self.quarantined(events)
        await lease.release()
        await redlock.shutdown()
    }

    @Test("A node that was ever promoted is not believed its age by a client that meets it")
    func promotedBefore() async throws {
        let cluster = try await startCluster(nodes: 1)
        cluster.nodes[0].command("REPLICAOF", "127.0.0.1", "1")
        cluster.nodes[0].command("REPLICAOF", "NO", "ONE")
        await Self.age(cluster, seconds: 4)
        let (redlock, events) = try Redlock.observed(cluster.urls, Self.shortest)
        await Self.quarantined(events)
        await events.wait(for: .nodeQuarantineEnded)
        await (try redlock.acquire("resource", ttl: .seconds(1), waitingUpTo: .seconds(60))).release()
        await redlock.shutdown()
    }

    @Test("A write that is refused by a replica ends the connection, if the node does not say what it is")
    func readOnly() async throws {
        let user = ["--user", "bob", "on", ">secret1", "~*", "+@all", "-info"]
        let cluster = try await startCluster(nodes: 1, options: user)
        let (redlock, events) = try Redlock.observed(
            ["redis://bob:secret1@127.0.0.1:\(cluster.nodes[0].port)"], Self.shortest)
        await events.wait(for: .nodeQuarantineEnded)
        cluster.nodes[0].command("REPLICAOF", "127.0.0.1", "1")
        _ = try? await redlock.acquire("resource", ttl: .seconds(2), waitingUpTo: .zero)
        await events.wait { $0.kind == .nodeDisconnected && $0.reason == "it is a replica; writes go to its primary" }
        await redlock.shutdown()
    }

    @Test("A node that keeps every write votes as soon as it is back, where that is trusted")
    func durable() async throws {
        let cluster = try await startCluster(nodes: 1)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        let lease = try await redlock.acquire("resource", ttl: .seconds(60))
        try await Self.restart(cluster.nodes[0])
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("resource", ttl: .seconds(10), waitingUpTo: .seconds(2))
        }
        #expect(error?.votes.first?.kind == .heldByAnother, "it has not forgotten")
        await lease.release()
        await (try redlock.acquire("resource", ttl: .seconds(10), waitingUpTo: .seconds(60))).release()
        #expect(!events.events.contains { $0.kind == .nodeQuarantined })
        await redlock.shutdown()
    }

    @Test("Another server that takes over the address has no vote, though it keeps every write")
    func replaced() async throws {
        let cluster = try await startCluster(nodes: 2)
        let (old, new) = (cluster.nodes[0], cluster.nodes[1])
        // Its uptime must show that it was running while the other one answered.
        await eventually("three seconds of uptime") {
            guard case .string(let text) = new.command("INFO", "server") else { return false }
            return text.split(whereSeparator: \.isNewline).contains { line in
                line.hasPrefix("uptime_in_seconds:") && Int(line.dropFirst(18)) ?? 0 >= 3
            }
        }
        let (redlock, events) = try Redlock.observed([old.url])
        await (try redlock.acquire("resource", ttl: .seconds(10), waitingUpTo: .seconds(10))).release()
        old.kill()
        #expect(new.command("CONFIG", "SET", "port", "\(old.port)") != nil)
        await Self.quarantined(events)
        let event = try #require(events.events.first { $0.kind == .nodeQuarantined })
        #expect(event.reason.hasPrefix("another server has its address"))
        #expect(await Self.vote(redlock)?.kind == .quarantined)
        await redlock.shutdown()
    }

    @Test("If INFO, CONFIG and TIME are denied, the node waits after each connection, then votes; it is reported once")
    func denied() async throws {
        let user = ["--user", "bob", "on", ">secret1", "~*", "+@all", "-info", "-config", "-time"]
        let cluster = try await startCluster(nodes: 1, persistence: .none, options: user)
        let node = cluster.nodes[0]
        let (redlock, events) = try Redlock.observed(["redis://bob:secret1@127.0.0.1:\(node.port)"]) {
            $0.ttlLimits = .milliseconds(10) ... .seconds(1)
        }
        await Self.quarantined(events)
        let lease = try await redlock.acquire("resource", ttl: .seconds(1), waitingUpTo: .seconds(60))
        await lease.release()
        await events.wait { $0.kind == .nodeUnverified && $0.reason.hasPrefix("TIME: NOPERM") }
        node.command("CLIENT", "KILL", "TYPE", "normal")
        await events.wait(for: .nodeDisconnected)
        await (try redlock.acquire("resource", ttl: .seconds(1), waitingUpTo: .seconds(60))).release()
        #expect(events.events.count { $0.kind == .nodeQuarantined } == 2)
        await redlock.shutdown()
        let told = events.events.filter { $0.kind == .nodeUnverified }.map(\.reason)
        #expect(told.count == 2)
        #expect(told.first?.hasPrefix("INFO: NOPERM") == true)
    }

    @Test("An ACL that denies CONFIG leaves it open how well the node keeps its log")
    func unknownPolicy() async throws {
        let user = ["--user", "bob", "on", ">secret1", "~*", "+@all", "-config"]
        let cluster = try await startCluster(nodes: 1, options: user)
        let (redlock, events) = try Redlock.observed(["redis://bob:secret1@127.0.0.1:\(cluster.nodes[0].port)"])
        await events.wait { $0.kind == .nodeUnverified && $0.reason.hasPrefix("CONFIG GET appendfsync: NOPERM") }
        #expect(await Self.vote(redlock)?.kind == .quarantined)
        await redlock.shutdown()
    }

    @Test(
        "A server whose INFO makes no sense has no vote, and the error says what is wrong",
        arguments: [
            ("", "INFO lacks run_id"), ("run_id:a\r\n", "INFO lacks uptime_in_seconds"),
            ("run_id:a\r\nuptime_in_seconds:99999999999999999999\r\n", "INFO says uptime_in_seconds is"),
            ("run_id:a\r\nrun_id:b\r\n", "INFO says 'run_id' twice"),
            ("run_id:a\r\nuptime_in_seconds:1\r\n", "INFO lacks aof_enabled"),
        ])
    func nonsense(info: String, reason: String) async throws {
        let server = try HostileServer(.says(info: info))
        let (redlock, events) = try Redlock.observed([server.url])
        await Self.quarantined(events)
        let vote = try #require(await Self.vote(redlock))
        #expect(vote.kind == .quarantined)
        #expect(vote.detail.contains(reason))
        await redlock.shutdown()
    }

    @Test("An INFO without end is no connection")
    func endless() async throws {
        let server = try HostileServer(.says(info: String(repeating: "x", count: 300_000)))
        let (redlock, events) = try Redlock.observed([server.url])
        await events.wait { $0.kind == .nodeDisconnected && $0.reason.contains("a reply of more than 65536 bytes") }
        #expect(await Self.vote(redlock)?.kind == .unreachable)
        await redlock.shutdown()
    }

    @Test("Clocks are read once a second at most, however many locks are taken")
    func traffic() async throws {
        let cluster = try await startCluster(nodes: 1)
        let (redlock, events) = try Redlock.observed(cluster.urls)
        await events.nodesConnected(1)
        cluster.nodes[0].command("CONFIG", "RESETSTAT")
        let start = ContinuousClock.now
        for _ in 1...200 { await (try redlock.acquire("resource", ttl: .seconds(10))).release() }
        guard case .string(let text) = cluster.nodes[0].command("INFO", "commandstats") else {
            Issue.record("no INFO")
            return
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        func calls(_ command: String) -> Int {
            let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_\(command):calls=") }
            let number = line?.dropFirst("cmdstat_\(command):calls=".count).prefix { $0.isNumber }
            return number.flatMap { Int($0) } ?? 0
        }
        #expect(calls("set") == 200)
        #expect(Double(calls("time")) <= seconds + 2)
        await redlock.shutdown()
    }

    @Test("A node whose clock may not be read keeps its vote; without the guard it is not read")
    func guardOff() async throws {
        let cluster = try await startCluster(nodes: 1)
        let (redlock, events) = try Redlock.observed(cluster.urls) { $0.clockGuard = false }
        await events.nodesConnected(1)
        await (try redlock.acquire("resource", ttl: .seconds(10))).release()
        guard case .string(let text) = cluster.nodes[0].command("INFO", "commandstats") else {
            Issue.record("no INFO")
            return
        }
        #expect(!text.contains("cmdstat_time:"))
        await redlock.shutdown()
    }
}
