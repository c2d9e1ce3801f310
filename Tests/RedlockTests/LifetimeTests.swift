import Testing

@testable import Redlock

@Suite struct LifetimeTests {
    @Test func nothingOfACoordinatorIsKeptAfterItsShutdown() async throws {
        weak var driver: Driver?
        do {
            // Each way to a node has ended by itself by then, or is about to be tried again.
            let redlock = try Redlock(nodes: absentNodes(3))
            driver = redlock.driver
            _ = try? await redlock.acquire("x", ttl: .seconds(1))
            await redlock.shutdown()
        }
        // The loop's thread lets go of it on its way out.
        for _ in 0..<6_000 where driver != nil { try await Task.sleep(for: .milliseconds(10)) }
        #expect(driver == nil)
    }
}
