import Glibc
import LocalCluster
import RedlockCore
import RedlockRedis
import Testing

@testable import RedlockSimulation

@Suite("The simulated node against a real server", .serialized)
struct NodeTests {
    private static let millisecond: Int64 = 1_000_000
    /// How near to an expiry no command is sent, and how slow an answer may be before both sides begin anew.
    private static let clearance = 25 * millisecond
    private static let slowest = 8 * millisecond

    /// What the real node's answer would be for the library; of errors the code alone.
    private static func reply(_ answer: BlockingClient.Answer?) -> Reply {
        switch answer {
        case .status("OK"): .ok
        case .null: .null
        case .integer(let number): .integer(number)
        case .error(let text): .error(String(text.prefix { $0 != " " }))
        case .array(let elements): pair(elements) ?? .unexpected("\(elements)")
        case .status, .string, nil: .unexpected("\(String(describing: answer))")
        }
    }

    private static func pair(_ elements: [BlockingClient.Answer]) -> Reply? {
        guard elements.count == 2, case .integer(let one) = elements[0], case .integer(let other) = elements[1] else {
            return nil
        }
        return .pair(one, other)
    }

    /// What is left of a holder's key may differ by what a socket takes.
    private static func isSame(_ real: Reply, _ simulated: Reply) -> Bool {
        if case .pair(0, let one) = real, case .pair(0, let other) = simulated, one >= 0, other >= 0 {
            return abs(one - other) <= 10
        }
        return real == simulated
    }

    private static func withoutText(_ reply: Reply) -> Reply {
        if case .error(let text) = reply { .error(String(text.prefix { $0 != " " })) } else { reply }
    }

    private static func operation(_ random: inout Randomness) -> Command.Operation {
        switch random.below(12) {
        case 0, 1: .acquire(milliseconds: random.choose([60, 90, 5_000, 60_000]))
        case 2, 3: .extend(milliseconds: random.choose([60, 120, 8_000]))
        case 4: .repair(milliseconds: random.choose([60, 120, 8_000]))
        case 6, 7: .acquireFenced(milliseconds: random.choose([60, 90, 5_000]), number: 1 + random.below(50))
        case 8, 9: .raise(to: 1 + random.below(50))
        case 10: .contend(milliseconds: random.choose([60, 90, 5_000, 60_000]))
        case 11: .announce
        default: .release
        }
    }

    /// The server's own clock: should the machine's wall clock be set meanwhile, both sides see it.
    private static func wallClock() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    @Test(
        "thousands of random commands, with and without memory: the same answers, the same expiry",
        arguments: [1, 2, 3] as [UInt64])
    func sameAnswers(seed: UInt64) throws {
        let cluster = try LocalCluster(nodes: 1)
        let server = try BlockingClient(port: cluster.nodes[0].port)
        var random = Randomness(seed: seed, .test)
        var generator: any RandomNumberGenerator = Randomness(seed: seed, .engine)
        let tokens = (0..<3).map { _ in Token(using: &generator) }
        var node = SimulatedNode(clock: Clock(reading: 0), resources: 3)
        var formatter = CommandFormatter()
        let start = Self.wallClock()
        func elapsed() -> Int64 { Self.wallClock() - start }

        var compared = 0
        for _ in 0..<1_500 {
            let resource = Int(random.below(3))
            let key = SimulatedNode.key(of: resource)
            let operation = Self.operation(&random)
            var command = Command(operation, key: key, token: random.choose(tokens))
            if random.chance(perMille: 500) { command.spelling = .source }

            // Long enough for the short ones to expire.
            if random.chance(perMille: 15) { usleep(70_000) }
            if random.chance(perMille: 20) {
                #expect(server.command("SCRIPT", "FLUSH") == .status("OK"))
                node.forgetScripts()
            }
            if random.chance(perMille: 100) {
                node.isOutOfMemory.toggle()
                let limit = node.isOutOfMemory ? "1" : "0"
                #expect(server.command("CONFIG", "SET", "maxmemory", limit) == .status("OK"))
            }
            // Not at an expiry's edge: there the two may differ by what a socket takes. Last before the command, as
            // everything above takes as long as the machine likes.
            var before = elapsed()
            while let entry = node.keys[resource],
                abs((entry.expiresAt + 1) * Self.millisecond - before) < Self.clearance
            {
                usleep(5_000)
                before = elapsed()
            }
            var bytes: [UInt8] = []
            formatter.format(command).append(to: &bytes)
            let real = server.send(formatted: bytes)
            let rest = server.command("PTTL", String(decoding: key, as: UTF8.self))
            let after = elapsed()
            let simulated = node.execute(command, attempt: 0, connection: 0, at: before).reply
            guard after - before < Self.slowest else {
                // The machine was busy elsewhere: nothing can be said about this one.
                #expect(server.command("FLUSHALL") == .status("OK"))
                node.forgetAll(at: after)
                continue
            }
            compared += 1
            if case .integer(let one) = simulated, case .contend = operation,
                case .integer(let other) = Self.reply(real)
            {
                #expect(abs(one - other) <= 10, "\(operation): \(one) ms simulated, \(other) ms real")
            } else {
                #expect(Self.isSame(Self.reply(real), Self.withoutText(simulated)), "\(operation) at \(before)")
            }
            let left = node.live(resource, at: before).map { $0.expiresAt - before / Self.millisecond } ?? -2
            guard case .integer(let realLeft) = rest else {
                Issue.record("no PTTL: \(String(describing: rest))")
                continue
            }
            #expect(abs(left - realLeft) <= 10, "\(operation): \(left) ms simulated, \(realLeft) ms real")
        }
        #expect(compared > 500, "the machine was too busy to compare anything")
    }

    @Test(
        "out of memory a server evicts what the simulated one may evict",
        arguments: [.noEviction, .volatileTTL, .volatileRandom, .allKeysRandom, .allKeysLRU]
            as [Fault.EvictionPolicy])
    func sameEviction(policy: Fault.EvictionPolicy) throws {
        let cluster = try LocalCluster(nodes: 1)
        let server = try BlockingClient(port: cluster.nodes[0].port)
        #expect(server.command("SET", "a", "token", "PX", "60000") == .status("OK"))
        #expect(server.command("SET", "a:fencing", "7") == .status("OK"))
        var node = SimulatedNode(clock: Clock(reading: 0), resources: 1)
        var generator: any RandomNumberGenerator = Randomness(seed: 1, .engine)
        var command = Command(
            .acquireFenced(milliseconds: 60_000, number: 7), key: SimulatedNode.key(of: 0),
            token: Token(using: &generator))
        command.spelling = .source
        #expect(node.execute(command, attempt: 0, connection: 0, at: 0).reply == .pair(1, 7))

        #expect(server.command("CONFIG", "SET", "maxmemory-policy", policy.rawValue) == .status("OK"))
        #expect(server.command("CONFIG", "SET", "maxmemory", "1") == .status("OK"))
        for victim in node.evictable(policy) { node.evict(victim, at: 0) }
        let deadline = Self.wallClock() + 5_000 * Self.millisecond
        func left(_ key: String) -> Bool { server.command("EXISTS", key) == .integer(1) }
        // A server evicts in the background what it does not evict at once.
        while left("a") != (node.keys[0] != nil) || left("a:fencing") != (node.numbers[0] > 0) {
            guard Self.wallClock() < deadline else { break }
            usleep(1_000)
        }
        #expect(left("a") == (node.keys[0] != nil))
        #expect(left("a:fencing") == (node.numbers[0] > 0))
        #expect(Self.reply(server.command("SET", "b", "token", "NX", "PX", "1000")) == .error("OOM"))
    }
}
