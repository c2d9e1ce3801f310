import LocalCluster
import RedlockCore
import Testing

@testable import RedlockRedis

/// What the scripts of fencing do on a real server, answer by answer.
@Suite struct FencingScriptTests {
    private static let week = 7 * 86_400 * 1_000

    private func run(_ cluster: LocalCluster, _ operation: Command.Operation, token: UInt64 = 1) -> Reply {
        var command = Command(operation, key: [UInt8]("k".utf8), token: Token(number: token))
        command.spelling = .source
        var formatter = CommandFormatter()
        var bytes: [UInt8] = []
        formatter.format(command).append(to: &bytes)
        guard let client = try? BlockingClient(port: cluster.nodes[0].port) else { return .unexpected("no connection") }
        switch client.send(formatted: bytes) {
        case .array(let elements):
            guard elements.count == 2, case .integer(let one) = elements[0], case .integer(let other) = elements[1]
            else { return .unexpected("\(elements)") }
            return .pair(one, other)
        case .error(let text): return .error(text)
        case .integer(let number): return .integer(number)
        case let answer: return .unexpected("\(String(describing: answer))")
        }
    }

    private func acquire(_ cluster: LocalCluster, _ number: Int64, token: UInt64 = 1) -> Reply {
        run(cluster, .acquireFenced(milliseconds: 60_000, number: number), token: token)
    }

    @Test func theDigestsAreThoseThatRedisComputes() throws {
        let cluster = try LocalCluster(nodes: 1)
        for (source, digest) in [
            (Script.acquireFenced, Script.acquireFencedDigest), (Script.raise, Script.raiseDigest),
        ] {
            #expect(cluster.nodes[0].command("SCRIPT", "LOAD", source) == .string(digest))
            #expect(source.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
        }
    }

    @Test func aGrantKeepsTheNumberForWeeksAndAnAcceptanceBeginsThemAnew() throws {
        let cluster = try LocalCluster(nodes: 1)
        let node = cluster.nodes[0]
        #expect(acquire(cluster, 100) == .pair(1, 100))
        #expect(node.command("GET", "k:fencing") == .string("100"))
        guard case .integer(let left) = node.command("PTTL", "k:fencing") else { throw CancellationError() }
        #expect(left > 3 * Self.week && left <= 4 * Self.week)
        node.command("PEXPIRE", "k:fencing", "1000000")
        #expect(run(cluster, .raise(to: 101)) == .pair(1, 101))
        guard case .integer(let again) = node.command("PTTL", "k:fencing") else { throw CancellationError() }
        #expect(again > 3 * Self.week)
    }

    @Test func aNumberIsAcceptedOnlyIfItIsHigher() throws {
        let cluster = try LocalCluster(nodes: 1)
        cluster.nodes[0].command("SET", "k:fencing", "100")
        #expect(acquire(cluster, 100) == .pair(2, 100))
        #expect(cluster.nodes[0].command("EXISTS", "k") == .integer(1))
        #expect(run(cluster, .raise(to: 100)) == .pair(2, 100))
        #expect(run(cluster, .raise(to: 99)) == .pair(2, 100))
        #expect(run(cluster, .raise(to: 101)) == .pair(1, 101))
        #expect(cluster.nodes[0].command("GET", "k:fencing") == .string("101"))
    }

    @Test func whatAnotherHoldsIsLeftAlone() throws {
        let cluster = try LocalCluster(nodes: 1)
        #expect(acquire(cluster, 100, token: 2) == .pair(1, 100))
        guard case .pair(0, let left) = acquire(cluster, 200) else { throw CancellationError() }
        #expect((1...60_000).contains(left))
        guard case .pair(0, _) = run(cluster, .raise(to: 300)) else { throw CancellationError() }
        #expect(cluster.nodes[0].command("GET", "k:fencing") == .string("100"))
        // One without a ttl, or that is no string, is another's too.
        cluster.nodes[0].command("SET", "k", "foreign")
        #expect(acquire(cluster, 200) == .pair(0, -1))
        cluster.nodes[0].command("DEL", "k")
        cluster.nodes[0].command("RPUSH", "k", "x")
        #expect(acquire(cluster, 200) == .pair(0, -1))
        cluster.nodes[0].command("DEL", "k")
        #expect(run(cluster, .raise(to: 300)) == .pair(0, -2))
        #expect(cluster.nodes[0].command("GET", "k:fencing") == .string("100"))
    }

    @Test(arguments: [
        "", "no number", "-1", "1.5", "1e3", "0x10", " 7", "nan", "inf", "9007199254740991", "9007199254740992",
        "9223372036854775807", "99999999999999999999999",
    ])
    func whatIsNoNumberIsAnErrorAndSetsNothing(value: String) throws {
        let cluster = try LocalCluster(nodes: 1)
        cluster.nodes[0].command("SET", "k:fencing", value)
        let error = Reply.error("FENCING the key of the number holds no whole number below 9007199254740991")
        #expect(acquire(cluster, 100) == error)
        #expect(cluster.nodes[0].command("EXISTS", "k") == .integer(0))
        cluster.nodes[0].command("SET", "k", "0000000000000000000000000000000100000000")
        #expect(run(cluster, .raise(to: 100)) == error)
        #expect(cluster.nodes[0].command("GET", "k:fencing") == .string(value))
    }

    @Test func aKeyOfAnotherTypeIsAnErrorAndSetsNothing() throws {
        let cluster = try LocalCluster(nodes: 1)
        cluster.nodes[0].command("RPUSH", "k:fencing", "1")
        guard case .error(let text) = acquire(cluster, 100) else { throw CancellationError() }
        #expect(text.hasPrefix("FENCING the key of the number: WRONGTYPE"))
        #expect(cluster.nodes[0].command("EXISTS", "k") == .integer(0))
    }

    @Test func numbersUpToTheHighestKeepEveryDigit() throws {
        let cluster = try LocalCluster(nodes: 1)
        #expect(acquire(cluster, Limits.fencingNumber - 2) == .pair(1, Limits.fencingNumber - 2))
        #expect(run(cluster, .raise(to: Limits.fencingNumber - 1)) == .pair(1, Limits.fencingNumber - 1))
        #expect(cluster.nodes[0].command("GET", "k:fencing") == .string("9007199254740990"))
        #expect(run(cluster, .raise(to: Limits.fencingNumber - 1)) == .pair(2, Limits.fencingNumber - 1))
        #expect(run(cluster, .raise(to: Limits.fencingNumber)) == .pair(1, Limits.fencingNumber))
    }
}
