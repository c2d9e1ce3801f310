import Redlock

// The code of README.md, of docs/ and of the API's documentation, so that it compiles. It is not run.
enum Snippets {
    struct TooLate: Error {}

    static func charge() async throws {}
    static func write() async throws {}
    static func store(_ page: Int) async throws {}

    static func overview() async throws {
        let redlock = try Redlock(nodes: ["redis://10.0.0.1", "redis://10.0.0.2", "redis://10.0.0.3"])

        try await redlock.withLock("invoice:42", ttl: .seconds(10), waitingUpTo: .seconds(30)) { lease in
            try await charge()  // extended while it runs; cancelled before a lock that cannot be kept ends
        }

        await redlock.shutdown()
    }

    static func first() async {
        let nodes = ["redis://127.0.0.1:7101", "redis://127.0.0.1:7102", "redis://127.0.0.1:7103"]
        do {
            var configuration = Redlock.Configuration()
            configuration.trustsDurableNodes = true  // these servers always kept every write
            let redlock = try Redlock(nodes: nodes, configuration: configuration)
            do {
                try await redlock.withLock("first", ttl: .seconds(5), waitingUpTo: .seconds(90)) { lease in
                    for second in 1...60 {
                        print(second, lease.remaining)
                        try await Task.sleep(for: .seconds(1))
                    }
                }
            } catch {
                print(error)  // held by another for too long, lost, or no quorum: with what each node said
            }
            await redlock.shutdown()
        } catch {
            print(error)  // a URL that is none
        }
    }

    static func byHand(_ redlock: Redlock) async throws {
        let lease = try await redlock.acquire("report", ttl: .seconds(30), waitingUpTo: .seconds(5))
        print(lease.remaining, lease.isValid)
        try await lease.extend()
        await lease.release()
    }

    static func errors(_ redlock: Redlock) async throws {
        do {
            try await redlock.withLock("invoice:42", ttl: .seconds(10)) { _ in try await charge() }
        } catch let error as RedlockError where error.code == .heldByAnother {
            print("somebody else is at it")
        } catch let error as RedlockError {
            print(error)  // one line: the code, the resource, what happened, and what each node said
            for vote in error.votes { print(vote.node, vote.kind.rawValue, vote.detail) }
        }
    }

    static func nodeList(_ environment: [String: String]) async throws {
        let nodes = try Redlock.nodes(inList: environment["REDLOCK_NODES"] ?? "", named: "REDLOCK_NODES")
        let redlock = try Redlock(nodes: nodes)
        await redlock.shutdown()
    }

    static func fencingTokens() async throws {
        var fencing = Redlock.Configuration()
        fencing.fencing = true
        let fenced = try Redlock(nodes: ["redis://10.0.0.1"], configuration: fencing)
        try await fenced.withLock("invoice:42", ttl: .seconds(10)) { lease in
            // UPDATE … SET fence = 1700000000000000 WHERE id = 42 AND fence < 1700000000000000
            print(lease.fencingToken!)
        }
    }

    static func events() throws -> Redlock {
        var configuration = Redlock.Configuration()
        let (events, queue) = AsyncStream.makeStream(of: Redlock.Event.self, bufferingPolicy: .bufferingNewest(1_000))
        configuration.observer = { event in
            if event.kind == .lost || event.kind == .nodeDisconnected { queue.yield(event) }
        }
        Task { for await event in events { print(event) } }
        let observed = try Redlock(nodes: ["redis://10.0.0.1"], configuration: configuration)
        return observed
    }

    static func onItsThread(_ redlock: Redlock) async throws {
        try await withTaskExecutorPreference(redlock.taskExecutor) {
            let lease = try await redlock.acquire("invoice:42", ttl: .seconds(10), waitingUpTo: .seconds(30))
            await lease.release()
        }
    }

    static func asking(_ lease: Lease) async throws {
        guard lease.remaining > .seconds(2) else { throw TooLate() }
        try await write()
    }

    static func heedingCancellation(_ pages: [Int]) async throws {
        for page in pages {
            try Task.checkCancellation()
            try await store(page)
        }
    }

    static func times(_ nodes: [String]) async throws {
        var configuration = Redlock.Configuration()
        configuration.nodeTimeout = .milliseconds(250)  // nodes in three regions, 80 ms apart
        configuration.lossMargin = .seconds(3)
        let redlock = try Redlock(nodes: nodes, configuration: configuration)
        try await redlock.withLock("report", ttl: .seconds(30), waitingUpTo: .seconds(60)) { _ in
            try await charge()
        }
    }
}
