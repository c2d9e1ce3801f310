import ChildProcesses
import LocalCluster
import PosixLock
import Redlock
import TestSupport
import Testing

@Suite("Fencing tokens")
struct FencingTests {
    private func fenced(_ cluster: LocalCluster) throws -> (redlock: Redlock, events: EventRecorder) {
        try Redlock.observed(cluster.urls) { $0.fencing = true }
    }

    @Test("An acquire is one script on every node, and the token the machine's clock")
    func oneRoundTrip() async throws {
        let cluster = try await startCluster()
        let (redlock, events) = try fenced(cluster)
        await events.nodesConnected(5)
        // The first of all: the nodes learn the scripts.
        await (try redlock.acquire("warm-up", ttl: .seconds(30))).release()
        await eventually("released") { !cluster.hasKey("warm-up") }
        for node in cluster.nodes { node.command("CONFIG", "RESETSTAT") }

        let lease = try await redlock.acquire("invoice:42", ttl: .seconds(30))
        let token = try #require(lease.fencingToken)
        // After this was written, before 2100.
        #expect((1_760_000_000_000_000..<4_102_444_800_000_000).contains(token))
        await eventually("the number on every node") {
            cluster.values(of: "invoice:42:fencing").allSatisfy { $0 == String(token) }
        }
        #expect(Set(cluster.values(of: "invoice:42")).count == 1)
        for node in cluster.nodes {
            guard case .string(let statistics) = node.command("INFO", "commandstats") else { continue }
            #expect(statistics.contains("cmdstat_evalsha:calls=1,"), "\(statistics)")
        }
        #expect(!events.events.contains { $0.kind == .numberRaised })
        #expect(events.events.last { $0.kind == .acquired }?.fencingToken == token)
        await lease.release()
        await redlock.shutdown()
        #expect(!cluster.hasKey("invoice:42"))
        #expect(cluster.values(of: "invoice:42:fencing") == Array(repeating: String(token), count: 5))
    }

    @Test("Without fencing there is no token, and no number on the nodes")
    func off() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let lease = try await redlock.acquire("r", ttl: .seconds(30))
        #expect(lease.fencingToken == nil)
        await lease.release()
        await redlock.shutdown()
        #expect(!cluster.hasKey("r:fencing"))
    }

    @Test("Where a higher number is known, the token is above it")
    func raised() async throws {
        let cluster = try await startCluster()
        for node in cluster.nodes[1...] { node.command("SET", "r:fencing", "3000000000000000") }
        let (redlock, events) = try fenced(cluster)
        let lease = try await redlock.acquire("r", ttl: .seconds(30))
        #expect(lease.fencingToken == 3_000_000_000_000_001)
        #expect(events.events.first { $0.kind == .numberRaised }?.fencingToken == 3_000_000_000_000_001)
        await lease.release()
        await redlock.shutdown()
        #expect(!cluster.hasKey("r"))
    }

    @Test(
        "A key of numbers that holds something else is a failed vote with its reason; a majority of them no lock",
        arguments: ["no number", "-7", "9007199254740990", "9007199254740993"])
    func badNumber(value: String) async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, _) = try fenced(cluster)
        cluster.nodes[0].command("SET", "r:fencing", value)
        let lease = try await redlock.acquire("r", ttl: .seconds(30))
        #expect(lease.fencingToken != nil)
        await lease.release()
        await eventually("released") { !cluster.hasKey("r") }

        cluster.nodes[1].command("DEL", "r:fencing")
        cluster.nodes[1].command("RPUSH", "r:fencing", "1")
        let error = await #expect(throws: RedlockError.self) { try await redlock.acquire("r", ttl: .seconds(30)) }
        #expect(error?.code == .unavailable)
        let details = error?.votes.filter { $0.kind == .errorReply }.map(\.detail) ?? []
        #expect(
            details.contains(
                "FENCING the key of the number holds no whole number below 6755399441055744. "
                    + "Mend it: redlock doctor --resource"))
        #expect(details.contains { $0.hasPrefix("FENCING the key of the number: WRONGTYPE") })
        await redlock.shutdown()
        #expect(!cluster.hasKey("r"))
    }

    @Test(
        "One bad number of five locks nobody out: tokens of all holders stay sane, and the node's vote says why",
        arguments: ["9007199254740990", "6755399441055743", "4503599627370497"])
    func oneBadNumber(value: String) async throws {
        let cluster = try await startCluster(nodes: 5)
        cluster.nodes[0].command("SET", "r:fencing", value)
        var last: Int64 = 0
        for _ in 0..<3 {
            // Another process each time, as far as memory goes.
            let (redlock, events) = try fenced(cluster)
            await events.nodesConnected(5)
            let lease = try await redlock.acquire("r", ttl: .seconds(30), waitingUpTo: .seconds(10))
            let token = try #require(lease.fencingToken)
            #expect(token > last && token < 4_102_444_800_000_000)
            last = token
            await lease.release()
            await redlock.shutdown()
        }
        for node in cluster.nodes[1...] { #expect(node.command("GET", "r:fencing") == .string(String(last))) }
        #expect(cluster.nodes[0].command("GET", "r:fencing") == .string(value))
    }

    @Test(
        "A node that lies about its number costs its vote and no more: successors get the lock with sane numbers",
        arguments: [(Int64(1) << 53) - 2, Limit.highest - 1, .max])
    func lyingNode(number: Int64) async throws {
        let cluster = try await startCluster(nodes: 3)
        let liars = try (0..<2).map { _ in try HostileServer(.reports(number: number)) }
        var last: Int64 = 0
        for _ in 0..<2 {
            let (redlock, events) = try Redlock.observed(cluster.urls + liars.map(\.url)) {
                $0.fencing = true
                $0.quarantine = .off
            }
            await events.nodesConnected(5)
            let lease = try await redlock.acquire("r", ttl: .seconds(30), waitingUpTo: .seconds(10))
            let token = try #require(lease.fencingToken)
            #expect(token > last && token < 4_102_444_800_000_000)
            last = token
            await lease.release()
            await redlock.shutdown()
        }
        // A majority of liars: no lock, and the votes say why.
        let (redlock, events) = try Redlock.observed(cluster.urls.prefix(1) + liars.map(\.url)) {
            $0.fencing = true
            $0.quarantine = .off
            $0.nodeTimeout = .seconds(30)
        }
        await events.nodesConnected(3)
        // What two of three report is what two of three know, unless it is beyond all.
        if number >= Limit.highest {
            let error = await #expect(throws: RedlockError.self) { try await redlock.acquire("r", ttl: .seconds(60)) }
            #expect(error?.code == .unavailable)
            let details = error?.votes.filter { $0.kind == .errorReply }.map(\.detail) ?? []
            #expect(details.count == 2)
            #expect(details.allSatisfy { $0.hasPrefix("it reports the fencing number \(number), which no clock") })
        }
        await redlock.shutdown()
        withExtendedLifetime(liars) {}
    }

    private enum Limit {
        static let highest: Int64 = (1 << 52) + (1 << 51)
    }

    @Test("forget-numbers deletes old numbers node by node, and the next token is above them whatever a clock reads")
    func forgetting() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.flatMap { ["--node", $0] }
        let old = "1700000000000000"
        for node in cluster.nodes {
            node.command("SET", "r:fencing", old)
            node.command("SET", "new:fencing", "4000000000000000", "PX", "100000000")
        }
        let dry = try await Programs.run(
            [Programs.redlock, "forget-numbers", "--older-than", "30d", "--dry-run"] + nodes)
        #expect(dry.status == .exited(0), "\(dry.lines)")
        #expect(
            dry.lines.count == 3 && dry.lines.allSatisfy { $0.contains(": 2 numbers, 1 would be deleted, floor 1") })
        #expect(cluster.values(of: "r:fencing") == [old, old, old])
        #expect(cluster.nodes[0].command("EXISTS", "redlock:fencing-floor") == .integer(0))

        for (numbers, deleted) in [(2, 1), (1, 0)] {
            let expected = "\"numbers\":\(numbers),\"deleted\":\(deleted),\"persisted\":\(deleted)"
            let outcome = try await Programs.run(
                [Programs.redlock, "forget-numbers", "--older-than", "30d", "--json"] + nodes)
            #expect(outcome.status == .exited(0), "\(outcome.lines)")
            #expect(outcome.lines.count == 3 && outcome.lines.allSatisfy { $0.contains(expected) }, "\(outcome.lines)")
        }
        #expect(!cluster.hasKey("r:fencing"))
        for node in cluster.nodes {
            #expect(node.command("PTTL", "new:fencing") == .integer(-1))
            guard case .string(let floor) = node.command("GET", "redlock:fencing-floor") else {
                Issue.record("no floor")
                continue
            }
            #expect(Int64(floor)! > Int64(old)!)
            // As if this client's clock were years behind the floor.
            node.command("SET", "redlock:fencing-floor", "4000000000000000")
        }
        let (redlock, events) = try fenced(cluster)
        let lease = try await redlock.acquire("r", ttl: .seconds(30), waitingUpTo: .seconds(10))
        #expect(lease.fencingToken == 4_000_000_000_000_001)
        #expect(events.events.contains { $0.kind == .numberRaised })
        await lease.release()
        await redlock.shutdown()

        // A node that cannot be asked does not keep the others from it.
        cluster.nodes[0].kill()
        let partial = try await Programs.run([Programs.redlock, "forget-numbers", "--older-than", "30d"] + nodes)
        #expect(partial.status == .exited(69))
        #expect(partial.lines.count == 3 && partial.lines[0].contains("; not finished: "), "\(partial.lines)")
        #expect(partial.lines[1...].allSatisfy { !$0.contains("not finished") })
        for words in [["--older-than", "59m"], [], ["--older-than", "30d", "--rate", "1"]] {
            let outcome = try await Programs.run([Programs.redlock, "forget-numbers"] + words + nodes)
            #expect(outcome.status == .exited(64))
        }
    }

    @Test("redlock doctor finds bad numbers of the resources that it is given, and its advice mends them")
    func doctor() async throws {
        let cluster = try await startCluster(nodes: 3)
        let (redlock, _) = try fenced(cluster)
        let lease = try await redlock.acquire("lock:r", ttl: .seconds(30))
        let token = try #require(lease.fencingToken)
        await lease.release()
        await redlock.shutdown()
        await eventually("the number on every node") {
            cluster.values(of: "lock:r:fencing").allSatisfy { $0 == String(token) }
        }
        let doctor =
            [Programs.redlock, "doctor", "--node-timeout", "1m", "--timeout", "30s", "--json", "--key-prefix", "lock:"]
            + cluster.urls.flatMap { ["--node", $0] } + ["--resource", "other", "--resource", "r"]
        #expect(try await Programs.run(doctor).status == .exited(0))
        for bad in ["9007199254740990", "4503599627370497", "word"] {
            cluster.nodes[1].command("SET", "lock:r:fencing", bad)
            let found = try await Programs.run(doctor)
            #expect(found.status == .exited(1))
            let line = found.lines.first ?? ""
            let node = "127.0.0.1:\(cluster.nodes[1].port)"
            #expect(line.contains("\"code\":\"badNumber\",\"nodes\":[\"\(node)\"]"), "\(line)")
            #expect(line.contains("redis-cli SET 'lock:r:fencing' \(token)."), "\(line)")
        }
        cluster.nodes[1].command("SET", "lock:r:fencing", String(token))
        cluster.nodes[2].command("SET", "redlock:fencing-floor", "9007199254740990")
        let floor = try await Programs.run(doctor)
        #expect(floor.lines.first?.contains("\"code\":\"badFloor\"") == true, "\(floor.lines)")
        cluster.nodes[2].command("DEL", "redlock:fencing-floor")
        #expect(try await Programs.run(doctor).status == .exited(0))
    }

    @Test("Those with tokens and those without exclude each other", arguments: [true, false])
    func mixed(fencedHolds: Bool) async throws {
        let cluster = try await startCluster(nodes: 3)
        let (with, _) = try fenced(cluster)
        let without = try Redlock.patient(cluster.urls)
        let (holder, other) = fencedHolds ? (with, without) : (without, with)
        let lease = try await holder.acquire("r", ttl: .seconds(30))
        let error = await #expect(throws: RedlockError.self) { try await other.acquire("r", ttl: .seconds(30)) }
        #expect(error?.code == .heldByAnother)
        await lease.release()
        let next = try await other.acquire("r", ttl: .seconds(30), waitingUpTo: .seconds(30))
        #expect((next.fencingToken != nil) == !fencedHolds)
        await next.release()
        await with.shutdown()
        await without.shutdown()
        #expect(!cluster.hasKey("r"))
    }

    @Test("Tokens rise from holder to holder, whoever holds, while scripts are forgotten and nodes come and go")
    func rising() async throws {
        let cluster = try await startCluster(nodes: 5, persistence: .everyWrite)
        let tokens = Locked<[Int64]>([])
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    var configuration = Redlock.Configuration()
                    configuration.fencing = true
                    configuration.trustsDurableNodes = true
                    configuration.nodeTimeout = .seconds(10)
                    configuration.retryDelay = .milliseconds(1)
                    configuration.retryJitter = .milliseconds(10)
                    let redlock = try Redlock(nodes: cluster.urls, configuration: configuration)
                    for _ in 0..<25 {
                        try await redlock.withLock("r", ttl: .seconds(60), waitingUpTo: .seconds(300)) { lease in
                            // Under the lock: this is the order of the holders.
                            tokens.withLock { $0.append(lease.fencingToken ?? 0) }
                        }
                    }
                    await redlock.shutdown()
                }
            }
            group.addTask {
                for round in 0..<4 {
                    await eventually("more holders") { tokens.withLock { $0.count } >= (round + 1) * 20 }
                    cluster.nodes[round].command("SCRIPT", "FLUSH")
                    await onOwnThread {
                        cluster.nodes[4].kill()
                        try? cluster.nodes[4].start()
                    }
                }
            }
            try await group.waitForAll()
        }
        let found = tokens.withLock { $0 }
        #expect(found.count == 100)
        #expect(zip(found, found.dropFirst()).allSatisfy { $0 < $1 }, "\(found)")
    }

    // MARK: redlock run

    @Test("redlock run --fencing hands the token to its command; without, the variable cannot be inherited")
    func command() async throws {
        let cluster = try await startCluster(nodes: 3)
        let nodes = cluster.urls.flatMap { ["--node", $0] }
        let script = "echo ${REDLOCK_FENCING_TOKEN-none}; env | grep -c ^REDLOCK_FENCING_TOKEN="
        func run(_ options: [String]) async throws -> [String] {
            try await Programs.run(
                ["env", "REDLOCK_FENCING_TOKEN=999", Programs.redlock, "run"] + nodes + options
                    + ["r", "--", "sh", "-c", script]
            ).lines
        }
        #expect(try await run([]) == ["none", "0"])
        let fenced = try await run(["--fencing"])
        let token = try #require(fenced.first.flatMap { Int64($0) })
        #expect(token > 1_760_000_000_000_000)
        #expect(fenced.last == "1")
        #expect(cluster.values(of: "r:fencing").contains(String(token)))

        // One inside the other: the inner one's lock has no token, and its command must not find the outer one's.
        let nested = try await Programs.run(
            [Programs.redlock, "run", "--fencing"] + nodes + ["outer", "--", Programs.redlock, "run"] + nodes
                + ["inner", "--", "sh", "-c", "echo ${REDLOCK_FENCING_TOKEN-none}"])
        #expect(nested.lines == ["none"])

        let events = try await Programs.run(
            [Programs.redlock, "run", "--fencing", "--json"] + nodes + ["r", "--", "true"]
        ).lines
        #expect(events.contains { $0.contains("\"event\":\"acquired\"") && $0.contains("\"fencing_token\":1") })
    }
}
