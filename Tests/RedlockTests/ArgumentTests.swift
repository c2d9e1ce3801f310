import Testing

@testable import Redlock

/// Addresses of nodes that do not exist: nothing here needs a server.
func absentNodes(_ count: Int) -> [String] {
    (0..<count).map { "unix:///nonexistent/redlock-\($0).sock" }
}

@Suite struct NodeArgumentTests {
    private func refusal(
        _ nodes: [String], _ location: SourceLocation = #_sourceLocation
    ) throws -> RedlockError {
        try #require(throws: RedlockError.self, sourceLocation: location) { try Redlock(nodes: nodes) }
    }

    @Test func noNodesAreRefused() throws {
        let error = try refusal([])
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("no nodes are given; at least one is needed"))
    }

    @Test(arguments: [1, 15])
    func theFewestAndTheMostNodesAreAccepted(count: Int) async throws {
        let redlock = try Redlock(nodes: absentNodes(count))
        #expect(redlock.nodes.count == count)
        await redlock.shutdown()
    }

    @Test func sixteenNodesAreRefused() throws {
        let error = try refusal(absentNodes(16))
        #expect(error.code == .invalidArgument)
        #expect(error.message == "16 nodes are given; at most 15 are allowed")
    }

    @Test(arguments: [
        (["redis://h:1", "redis://h:1"], "h:1"),
        (["redis://h:1", "redis://other", "redis://H:1"], "h:1"),
        (["redis://h", "redis://h:6379"], "h:6379"),
        // Another database, or another user, of the same server is no independent node.
        (["redis://h:1/0", "redis://h:1/1"], "h:1"),
        (["redis://a:hunter2@h:1", "redis://b:hunter2@h:1"], "h:1"),
        (["unix:///s", "unix:///s?db=1"], "/s"),
        (["redis://[::1]:1", "redis://[::1]:1"], "[::1]:1"),
    ])
    func theSameServerTwiceIsRefused(nodes: [String], name: String) throws {
        let error = try refusal(nodes)
        #expect(error.code == .invalidArgument)
        #expect(error.message == "the node \(name) is given twice; a quorum needs independent nodes")
    }

    @Test(arguments: ["http://h", "h:6379", "", "rediss://h", "redis://"])
    func aNodeThatIsNoURLOfRedisIsRefused(node: String) throws {
        let error = try refusal([absentNodes(1)[0], node])
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("'\(node)'"))
    }

    @Test func nodesAreNamedByTheirEndpoints() async throws {
        let redlock = try Redlock(nodes: ["unix://me:hunter2@/nonexistent/a?db=3", "unix:///nonexistent/b"])
        #expect(redlock.nodes == ["/nonexistent/a", "/nonexistent/b"])
        await redlock.shutdown()
    }
}

@Suite struct LockArgumentTests {
    private func refusal(
        _ resource: Resource = "resource", ttl: Duration = .seconds(1), wait: Duration = .zero,
        _ location: SourceLocation = #_sourceLocation, _ change: (inout Redlock.Configuration) -> Void = { _ in }
    ) async throws -> RedlockError {
        var configuration = Redlock.Configuration()
        change(&configuration)
        let redlock = try Redlock(nodes: absentNodes(1), configuration: configuration)
        let error = await #expect(throws: RedlockError.self, sourceLocation: location) {
            _ = try await redlock.acquire(resource, ttl: ttl, waitingUpTo: wait)
        }
        let again = await #expect(throws: RedlockError.self, sourceLocation: location) {
            try await redlock.withLock(resource, ttl: ttl, waitingUpTo: wait) { _ in
                Issue.record("the body ran", sourceLocation: location)
            }
        }
        #expect(error?.code == again?.code, sourceLocation: location)
        #expect(error?.message == again?.message, sourceLocation: location)
        await redlock.shutdown()
        return try #require(error, sourceLocation: location)
    }

    /// What is in order gets as far as the nodes, which are not there.
    private func isInOrder(_ error: RedlockError) -> Bool { error.code == .unavailable }

    @Test(arguments: [Duration.zero, .milliseconds(-5), .milliseconds(9), .milliseconds(300_001), .seconds(Int64.max)])
    func aTTLOutsideItsLimitsIsRefused(ttl: Duration) async throws {
        let error = try await refusal(ttl: ttl)
        #expect(error.code == .invalidArgument)
        #expect(error.resource == "resource")
        #expect(error.message.contains("the ttl is \(ttl)"))
        #expect(error.message.contains("from \(Duration.milliseconds(10)) to \(Duration.seconds(60))"))
    }

    @Test(arguments: [Duration.milliseconds(10), .seconds(60)])
    func aTTLAtItsLimitsIsInOrder(ttl: Duration) async throws {
        #expect(isInOrder(try await refusal(ttl: ttl)))
    }

    @Test func theLimitsOfTheTTLAreThoseOfTheConfiguration() async throws {
        let limits = Duration.seconds(2) ... .seconds(3)
        #expect(try await refusal(ttl: .seconds(1)) { $0.ttlLimits = limits }.code == .invalidArgument)
        #expect(isInOrder(try await refusal(ttl: .seconds(2)) { $0.ttlLimits = limits }))
        #expect(isInOrder(try await refusal(ttl: .seconds(3)) { $0.ttlLimits = limits }))
        #expect(try await refusal(ttl: .seconds(4)) { $0.ttlLimits = limits }.code == .invalidArgument)
    }

    @Test func aResourceWithoutANameIsRefused() async throws {
        let error = try await refusal("")
        #expect(error.code == .invalidArgument)
        #expect(error.message == "the resource name is empty; it must have 1 to 1024 bytes")
        #expect(try await refusal("") { $0.keyPrefix = "locks:" }.code == .invalidArgument)
    }

    @Test func aResourceOfAsManyBytesAsAllowedIsInOrder() async throws {
        #expect(isInOrder(try await refusal(Resource(String(repeating: "x", count: 1_024)))))
        #expect(isInOrder(try await refusal(Resource(bytes: [0]))))
    }

    @Test func aResourceOfMoreBytesIsRefused() async throws {
        let error = try await refusal(Resource(String(repeating: "x", count: 1_025)))
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("has 1025 bytes"))
        #expect(error.message.contains("at most 1024"))
        // Bytes, not characters.
        #expect(try await refusal(Resource(String(repeating: "é", count: 513))).code == .invalidArgument)
    }

    @Test func thePrefixCounts() async throws {
        #expect(
            isInOrder(try await refusal(Resource(String(repeating: "x", count: 1_018))) { $0.keyPrefix = "locks:" }))
        let error = try await refusal(Resource(String(repeating: "x", count: 1_019))) { $0.keyPrefix = "locks:" }
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("has 1025 bytes with its prefix"))
    }

    @Test func aNegativeWaitIsRefused() async throws {
        let error = try await refusal(wait: .nanoseconds(-1))
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("it must be zero or more"))
        #expect(error.resource == "resource")
    }

    @Test func afterTheShutdownNothingIsAcquired() async throws {
        let redlock = try Redlock(nodes: absentNodes(3))
        await redlock.shutdown()
        await redlock.shutdown()
        let error = await #expect(throws: RedlockError.self) {
            _ = try await redlock.acquire("resource", ttl: .seconds(1), waitingUpTo: .seconds(3_600))
        }
        #expect(error?.code == .shutDown)
        #expect(error?.votes.map(\.node) == redlock.nodes)
    }

    @Test func aTaskThatIsCancelledAcquiresNothing() async throws {
        let redlock = try Redlock(nodes: absentNodes(3))
        let task = Task {
            _ = try await redlock.acquire("resource", ttl: .seconds(1), waitingUpTo: .seconds(3_600))
        }
        // Before, while or after it asks: the outcome is the same.
        task.cancel()
        let error = await #expect(throws: RedlockError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        await redlock.shutdown()
    }

    @Test func nodesThatAreNotThereAreNamedWithTheirReasons() async throws {
        let redlock = try Redlock(nodes: absentNodes(3))
        let error = await #expect(throws: RedlockError.self) {
            _ = try await redlock.acquire("resource", ttl: .seconds(1))
        }
        #expect(error?.code == .unavailable)
        #expect(error?.resource == "resource")
        #expect(error?.votes.map(\.node) == absentNodes(3).map { String($0.dropFirst("unix://".count)) })
        // Two decide it; the third need not be heard.
        #expect(error?.votes.filter { $0.kind == .unreachable }.count ?? 0 >= 2)
        await redlock.shutdown()
    }
}
