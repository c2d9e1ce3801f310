import Testing

@testable import Redlock

@Suite struct LifetimeTests {
    /// Sockets that are not there, a port where nobody listens, and one whose host is looked up.
    @Test(arguments: [absentNodes(3), ["redis://127.0.0.1:1"], ["redis://localhost:1"]])
    func nothingOfACoordinatorIsKeptAfterItsShutdown(nodes: [String]) async throws {
        weak var driver: Driver?
        do {
            let redlock = try Redlock(nodes: nodes)
            driver = redlock.driver
            _ = try? await redlock.acquire("x", ttl: .seconds(1))
            await redlock.shutdown()
        }
        // The loop's thread lets go of it on its way out.
        for _ in 0..<6_000 where driver != nil { try await Task.sleep(for: .milliseconds(10)) }
        #expect(driver == nil)
    }
}
