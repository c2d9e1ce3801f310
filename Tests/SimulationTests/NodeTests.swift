import RedlockCore
import RedlockRedis
import Testing

@testable import RedlockSimulation

@Suite("The simulated node against a real server", .serialized, .enabled(if: RealServer.isInstalled))
struct NodeTests {
    private static let millisecond: Int64 = 1_000_000
    /// How near to an expiry no command is sent, and how slow an answer may be before both sides begin anew.
    private static let clearance = 25 * millisecond
    private static let slowest = 8 * millisecond

    private static func answer(_ reply: Reply) -> String {
        switch reply {
        case .ok: "+OK"
        case .null: "$-1"
        case .integer(let number): ":\(number)"
        case .error(let text): "-" + text.prefix { $0 != " " }
        case .unexpected(let text): text
        }
    }

    @Test("thousands of random commands: the same answers, the same expiry", arguments: [1, 2, 3] as [UInt64])
    func sameAnswers(seed: UInt64) throws {
        let server = try #require(RealServer())
        var random = Randomness(seed: seed, .test)
        var generator: any RandomNumberGenerator = Randomness(seed: seed, .engine)
        let tokens = (0..<3).map { _ in Token(using: &generator) }
        var node = SimulatedNode(clock: Clock(reading: 0), resources: 3)
        var formatter = CommandFormatter()
        let start = ContinuousClock.now
        func elapsed() -> Int64 {
            let parts = start.duration(to: .now).components
            return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        }

        var compared = 0
        for _ in 0..<1_500 {
            let resource = Int(random.below(3))
            let key = SimulatedNode.key(of: resource)
            let operation: Command.Operation =
                switch random.below(5) {
                case 0, 1: .acquire(milliseconds: random.choose([60, 90, 5_000, 60_000]))
                case 2, 3: .extend(milliseconds: random.choose([60, 120, 8_000]))
                default: .release
                }
            var command = Command(operation, key: key, token: random.choose(tokens))
            if random.chance(perMille: 500) { command.spelling = .source }

            // Not at an expiry's edge: there the two may differ by what a socket takes.
            while let entry = node.keys[resource],
                abs((entry.expiresAt + 1) * Self.millisecond - elapsed()) < Self.clearance
            {
                pause(milliseconds: 5)
            }
            // Long enough for the short ones to expire.
            if random.chance(perMille: 15) { pause(milliseconds: 70) }
            if random.chance(perMille: 20) {
                #expect(server.ask("SCRIPT", "FLUSH") == "+OK")
                node.forgetScripts()
            }
            let before = elapsed()
            var bytes: [UInt8] = []
            formatter.format(command).append(to: &bytes)
            let real = server.ask(bytes)
            let rest = server.ask("PTTL", String(decoding: key, as: UTF8.self))
            let after = elapsed()
            let simulated = node.execute(command, attempt: 0, connection: 0, at: before).reply
            guard after - before < Self.slowest else {
                // The machine was busy elsewhere: nothing can be said about this one.
                #expect(server.ask("FLUSHALL") == "+OK")
                node.forgetAll(at: after)
                continue
            }
            compared += 1
            #expect(String(real.prefix { $0 != " " }) == Self.answer(simulated), "\(operation) at \(before)")
            let left = node.live(resource, at: before).map { $0.expiresAt - before / Self.millisecond } ?? -2
            let realLeft = Int64(rest.dropFirst()) ?? -99
            #expect(abs(left - realLeft) <= 10, "\(operation): \(left) ms simulated, \(realLeft) ms real")
        }
        #expect(compared > 500, "the machine was too busy to compare anything")
    }
}
