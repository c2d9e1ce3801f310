import Folders
import Glibc
import LocalCluster
import Redlock
import RedlockSimulation
import TestSupport
import Testing

@testable import RedlockLive

/// What is preloaded into a real server is seen by that server, and by nobody else.
@Suite("The clock shim", .enabled(if: Workplace.canPreload))
struct ClockShimTests {
    /// A server under the shim, in a folder of its own.
    private final class Server {
        let folder: TemporaryFolder
        let node: LiveNode
        let undertaker: Undertaker

        init(_ persistence: WorldPersistence = .aofAlways) throws {
            folder = try TemporaryFolder()
            undertaker = try Undertaker(folder: folder.path + "/nodes")
            _ = unsafe mkdir(folder.path + "/nodes", 0o700)
            var options = WorldOptions()
            options.persistence = persistence
            node = try LiveNode(
                index: 0, folder: folder.path + "/nodes/0", options: options, withShim: true, undertaker: undertaker)
            try node.start()
        }

        deinit {
            node.stop()
            undertaker.dismiss()
        }

        /// How far the server's wall clock is from the machine's, in nanoseconds: between these two.
        func offset() throws -> ClosedRange<Int64> {
            let wall = MachineClock.wallOffset()
            let before = MachineClock.now()
            let answer = node.server.command("TIME")
            let after = MachineClock.now()
            guard case .array(let parts)? = answer, case .string(let seconds) = parts[0],
                case .string(let microseconds) = parts[1]
            else { throw Unexpected("\(String(describing: answer))") }
            let time = try #require(Int64(seconds)) * 1_000_000_000 + (try #require(Int64(microseconds))) * 1_000 - wall
            // A microsecond is what the server's answer leaves out.
            return (time - after)...(time - before + 1_000)
        }

        func timeLeft(_ key: String) throws -> Int64 {
            guard case .integer(let left)? = node.server.command("PTTL", key) else { throw Unexpected("no PTTL") }
            return left
        }
    }

    private static let second: Int64 = 1_000_000_000

    @Test("a jump moves the server's clock and the life of its keys, at once and to and fro")
    func jump() async throws {
        try await onOwnThread {
            let server = try Server()
            #expect(try server.offset().overlaps(-1_000_000...1_000_000))
            server.node.server.command("SET", "key", "value", "PX", "1000000")
            server.node.jump(by: 500 * Self.second)
            #expect(try server.offset().overlaps(500 * Self.second - 1_000_000...500 * Self.second + 1_000_000))
            #expect(try server.timeLeft("key") <= 500_000)
            server.node.jump(by: -500 * Self.second)
            #expect(try server.offset().overlaps(-1_000_000...1_000_000))
            #expect(try server.timeLeft("key") > 500_000)
            server.node.jump(by: 2_000 * Self.second)
            #expect(try server.timeLeft("key") == -2, "it is over by the clock that the server reads")
        }
    }

    @Test("a jump by six weeks takes no fencing number away")
    func fencingNumber() async throws {
        let server = try Server()
        var configuration = Redlock.Configuration()
        configuration.fencing = true
        configuration.quarantine = .off
        let redlock = try Redlock(nodes: ["redis://127.0.0.1:\(server.node.port)"], configuration: configuration)
        let lease = try await redlock.acquire("r", ttl: .seconds(30), waitingUpTo: .seconds(30))
        let token = try #require(lease.fencingToken)
        await lease.release()
        await redlock.shutdown()
        server.node.server.command("SET", "other", "value", "PX", "3600000")
        server.node.jump(by: 42 * 86_400 * Self.second)
        #expect(server.node.server.command("EXISTS", "other") == .integer(0))
        #expect(server.node.server.command("GET", "r:fencing") == .string(String(token)))
    }

    @Test("a rate makes the server's clock gain, and goes on from where it was")
    func rate() async throws {
        try await onOwnThread {
            let server = try Server()
            let clock = try #require(server.node.clock)
            clock.setRate(1_000_000_000)
            let first = try server.offset()
            usleep(100_000)
            let second = try server.offset()
            // Twice as fast: it gained at least what passed between the two looks.
            #expect(second.upperBound - first.lowerBound >= 100_000_000)
            clock.setRate(0)
            let third = try server.offset()
            #expect(third.upperBound >= second.lowerBound, "it does not fall back")
            usleep(50_000)
            let gained = third.lowerBound - 10_000_000...third.upperBound + 10_000_000
            #expect(try server.offset().overlaps(gained), "and gains no more")
            clock.reset()
            #expect(try server.offset().overlaps(-1_000_000...1_000_000))
        }
    }

    @Test("what was synced once stays, however often power is lost")
    func manyPowerLosses() async throws {
        try await onOwnThread {
            let server = try Server(.aofAlways)
            server.node.server.command("SET", "key", "value")
            for loss in 1...20 {
                server.node.kill(losingPower: true)
                try server.node.restart()
                guard server.node.server.command("GET", "key") == .string("value") else {
                    throw Unexpected("the key is gone after loss \(loss)")
                }
            }
        }
    }

    @Test("what a server has synced is known, and a loss of power leaves just that")
    func powerLoss() async throws {
        try await onOwnThread {
            let server = try Server(.aofAlways)
            server.node.server.command("SET", "key", "value")
            server.node.kill(losingPower: true)
            try server.node.restart()
            #expect(server.node.server.command("GET", "key") == .string("value"), "synced before it was answered")

            let lazy = try Server(.aofEverySecond)
            // Synced every second: of two writes within one, the second is not on the disk yet; a second may end
            // between.
            var lost = false
            for attempt in 0..<20 where !lost {
                lazy.node.server.command("SET", "first", "\(attempt)")
                lazy.node.server.command("SET", "second", "\(attempt)")
                lazy.node.kill(losingPower: true)
                try lazy.node.restart()
                lost = lazy.node.server.command("GET", "second") != .string("\(attempt)")
            }
            #expect(lost, "the last second is lost with the power")

            lazy.node.server.command("SET", "third", "value")
            lazy.node.kill(losingPower: false)
            try lazy.node.restart()
            #expect(lazy.node.server.command("GET", "third") == .string("value"), "a process that dies loses nothing")
        }
    }
}
