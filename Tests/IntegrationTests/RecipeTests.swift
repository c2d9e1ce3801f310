import LocalCluster
import PosixLock
import Redlock
import Testing

/// The recipes of docs/recipes.md, as they stand there, on real servers.
@Suite("Recipes")
struct RecipeTests {
    /// Who is inside, and whether there were ever two.
    private final class Room: Sendable {
        private let state = Locked((inside: [String](), visits: [String](), wasCrowded: false))

        var inside: [String] { state.withLock { $0.inside } }
        var visits: [String] { state.withLock { $0.visits } }
        var wasCrowded: Bool { state.withLock { $0.wasCrowded } }

        func enter(_ name: String) {
            state.withLock { state in
                state.inside.append(name)
                state.visits.append(name)
                if state.inside.count > 1 { state.wasCrowded = true }
            }
        }

        func leave(_ name: String) { state.withLock { $0.inside.removeAll { $0 == name } } }
    }

    private func redlocks(_ count: Int, _ cluster: LocalCluster) throws -> [Redlock] {
        try (0..<count).map { _ in try Redlock.patient(cluster.urls) }
    }

    private func shutDown(_ redlocks: [Redlock]) async {
        for redlock in redlocks { await redlock.shutdown() }
    }

    @Test(
        "The settings of an environment make a coordinator that signs in; what is wrong is named, but for the password")
    func settings() async throws {
        let cluster = try await startCluster(
            nodes: 3, options: ["--user", "bob", "on", ">s e:c@r%t/é", "~lock:*", "&*", "+@all"])
        var environment = [
            // As a secret that was made with echo ends.
            "LOCK_HOSTS": cluster.nodes.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") + "\n",
            "LOCK_USER": "bob", "LOCK_PASSWORD": "s e:c@r%t/é", "LOCK_PREFIX": "lock:", "LOCK_NODE_TIMEOUT_MS": "10000",
            "LOCK_MAX_TTL_S": "3600", "LOCK_TRUST_DURABLE": "1",
        ]
        let redlock = try makeRedlock(from: environment)
        let lease = try await redlock.acquire("report", ttl: .seconds(3_000))
        #expect(cluster.hasKey("lock:report"))
        await lease.release()
        await redlock.shutdown()

        for (name, value) in [
            ("LOCK_NODE_TIMEOUT_MS", "0"), ("LOCK_HOSTS", "a,"), ("LOCK_HOSTS", "a:b"), ("LOCK_HOSTS", nil),
        ] {
            environment[name] = value
            let error = #expect(throws: RedlockError.self) { try makeRedlock(from: environment) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.description.contains("c@r") == false)
            environment["LOCK_NODE_TIMEOUT_MS"] = nil
        }
    }

    private func candidate(_ name: String, _ redlock: Redlock, _ room: Room) -> Task<Void, any Error> {
        Task {
            try await electLeader(redlock, for: "scheduler") { _ in
                room.enter(name)
                defer { room.leave(name) }
                try await Task.sleep(for: .seconds(600))
            }
        }
    }

    @Test("One leads at a time; when it goes, another takes over, and one that lost the lock stands again")
    func leader() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlocks = try redlocks(2, cluster)
        let room = Room()
        let first = candidate("first", redlocks[0], room)
        await eventually("the first leads") { room.inside == ["first"] }
        let second = candidate("second", redlocks[1], room)

        // It loses the lock; whoever gets it next, somebody leads again.
        for node in cluster.nodes { node.command("DEL", "scheduler") }
        await eventually("there was another election") { room.visits.count == 2 && room.inside.count == 1 }
        let (leading, waiting) = room.inside == ["first"] ? (first, second) : (second, first)
        let before = room.visits.count
        leading.cancel()
        await eventually("the other leads") { room.visits.count > before && room.inside.count == 1 }
        waiting.cancel()
        _ = await (first.result, second.result)
        #expect(room.inside.isEmpty)
        await shutDown(redlocks)
    }

    private final class Ledger: RunLog {
        private let days = Locked<Set<String>>([])

        func hasRun(_ job: String, on day: String) -> Bool { days.withLock { $0.contains(job + day) } }
        func noteRun(_ job: String, on day: String) { days.withLock { _ = $0.insert(job + day) } }
    }

    @Test("A job that every machine starts runs once a day, also where a clock is late")
    func nightlyJob() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlocks = try redlocks(3, cluster)
        let (room, ledger) = (Room(), Ledger())
        @Sendable func start(_ redlock: Redlock, _ day: String) async throws -> Bool {
            try await runOnce("report", on: day, redlock, log: ledger) {
                room.enter("report")
                try await Task.sleep(for: .milliseconds(50))
                room.leave("report")
            }
        }
        let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
            for redlock in redlocks { group.addTask { try await start(redlock, "monday") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        // Where they split the votes nobody ran it: that cron starts again, as the late one does.
        #expect(outcomes.count { $0 } <= 1)
        let wasRun = try await start(redlocks[0], "monday")
        #expect(outcomes.contains(true) != wasRun)
        #expect(try await start(redlocks[1], "monday") == false)
        #expect(room.visits.count == 1 && !room.wasCrowded)
        #expect(try await start(redlocks[2], "tuesday"))
        await shutDown(redlocks)
    }

    private final class Database: Migratable {
        private let state = Locked((version: 0, steps: [Int]()))

        var steps: [Int] { state.withLock { $0.steps } }

        func version() -> Int { state.withLock { $0.version } }

        func migrate(from current: Int) async throws {
            try await Task.sleep(for: .milliseconds(20))
            state.withLock { state in
                state.steps.append(current)
                state.version += 1
            }
        }
    }

    @Test("Instances that start together migrate once, and all go on when it is done")
    func migration() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlocks = try redlocks(3, cluster)
        let database = Database()
        try await withThrowingTaskGroup { group in
            for redlock in redlocks {
                group.addTask {
                    try await migrate(database, to: 4, redlock)
                    #expect(database.version() == 4)
                }
            }
            try await group.waitForAll()
        }
        #expect(database.steps == [0, 1, 2, 3])
        await shutDown(redlocks)
    }

    private final class Server: DrainableServer {
        private let state = Locked((isRunning: false, limit: Duration?.none))

        var isRunning: Bool { state.withLock { $0.isRunning } }
        var drained: Duration? { state.withLock { $0.limit } }

        func run() async throws {
            state.withLock { $0.isRunning = true }
            defer { state.withLock { $0.isRunning = false } }
            try await Task.sleep(for: .seconds(600))
        }

        func drain(within limit: Duration) async { state.withLock { $0.limit = limit } }
    }

    @Test("A server that loses its shard drains while the lease is still valid, then ends")
    func draining() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let server = Server()
        let serving = Task { try await serve(server, shard: "shard", redlock) }
        await eventually("it serves") { server.isRunning }
        for node in cluster.nodes { node.command("DEL", "shard") }
        let error = await #expect(throws: RedlockError.self) { try await serving.value }
        #expect(error?.code == .lost)
        #expect(!server.isRunning)
        let drained = try #require(server.drained)
        // What is left depends on how busy this machine is; that it is asked for, and no more than the ttl, does not.
        #expect(drained >= .zero && drained <= .seconds(15))
        await redlock.shutdown()
    }

    @Test("A server that ends by itself, or is cancelled, gives its shard back undrained")
    func undrained() async throws {
        let cluster = try await startCluster(nodes: 3)
        let redlock = try Redlock.patient(cluster.urls)
        let server = Server()
        let serving = Task { try await serve(server, shard: "shard", redlock) }
        await eventually("it serves") { server.isRunning }
        serving.cancel()
        await #expect(throws: CancellationError.self) { try await serving.value }
        #expect(server.drained == nil)
        // A quorum confirmed it; the rest follows.
        await eventually("the shard is free") { !cluster.hasKey("shard") }
        await redlock.shutdown()
    }
}
