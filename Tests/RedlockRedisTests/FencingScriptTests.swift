import LocalCluster
import RedlockCore
import Testing

@testable import RedlockRedis

/// What the scripts of fencing do on a real server, answer by answer.
@Suite struct FencingScriptTests {
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

    @Test func aNumberHasNoExpiryAndAnAcceptanceEndsOneThatAnOlderVersionSet() throws {
        let cluster = try LocalCluster(nodes: 1)
        let node = cluster.nodes[0]
        #expect(acquire(cluster, 100) == .pair(1, 100))
        #expect(node.command("GET", "k:fencing") == .string("100"))
        #expect(node.command("PTTL", "k:fencing") == .integer(-1))
        node.command("PEXPIRE", "k:fencing", "1000000")
        #expect(run(cluster, .raise(to: 101)) == .pair(1, 101))
        #expect(node.command("PTTL", "k:fencing") == .integer(-1))
        node.command("PEXPIRE", "k:fencing", "1000000")
        node.command("DEL", "k")
        #expect(acquire(cluster, 102) == .pair(1, 102))
        #expect(node.command("PTTL", "k:fencing") == .integer(-1))
    }

    @Test func theFloorTakesThePlaceOfANumberThatIsMissing() throws {
        let cluster = try LocalCluster(nodes: 1)
        let node = cluster.nodes[0]
        node.command("SET", Command.floorKey, "500")
        #expect(acquire(cluster, 500) == .pair(2, 500))
        #expect(run(cluster, .raise(to: 500)) == .pair(2, 500))
        #expect(node.command("EXISTS", "k:fencing") == .integer(0))
        #expect(run(cluster, .raise(to: 501)) == .pair(1, 501))
        // A number that is there counts, whatever the floor is.
        node.command("SET", Command.floorKey, "900")
        #expect(run(cluster, .raise(to: 502)) == .pair(1, 502))
        #expect(node.command("GET", Command.floorKey) == .string("900"))
    }

    @Test(arguments: ["x", "-1", "6755399441055744"])
    func aFloorThatIsNoNumberIsAnErrorAndSetsNothing(value: String) throws {
        let cluster = try LocalCluster(nodes: 1)
        cluster.nodes[0].command("SET", Command.floorKey, value)
        guard case .error(let text) = acquire(cluster, 100) else { throw CancellationError() }
        #expect(text.hasPrefix("FENCING the key of the floor (redlock:fencing-floor) holds no whole number below"))
        #expect(cluster.nodes[0].command("EXISTS", "k") == .integer(0))
        // It is read only where the number is missing.
        cluster.nodes[0].command("SET", "k:fencing", "99")
        #expect(acquire(cluster, 100) == .pair(1, 100))
    }

    // MARK: Forgetting numbers

    /// All keys in one step.
    private func forget(
        _ cluster: LocalCluster, cutoff: Int64, age: Int64 = 0, prefix: String = "", dry: Bool = false
    ) -> [BlockingClient.Answer] {
        let answer = cluster.nodes[0].command(
            "EVAL", Script.forgetNumbers, "1", Command.floorKey, String(cutoff), String(age), "0", "10000", prefix,
            dry ? "1" : "0")
        guard case .array(let elements) = answer else {
            Issue.record("\(String(describing: answer))")
            return []
        }
        return elements
    }

    private func counts(
        floor: Int64, _ seen: Int64, _ deleted: Int64, _ persisted: Int64 = 0, _ bad: Int64 = 0, _ others: Int64 = 0
    ) -> [BlockingClient.Answer] {
        [.string("0"), .string(String(floor))]
            + [seen, deleted, persisted, bad, others].map { BlockingClient.Answer.integer($0) }
    }

    @Test func forgettingRaisesTheFloorAndDeletesWhatIsNotAboveIt() throws {
        let cluster = try LocalCluster(nodes: 1)
        let node = cluster.nodes[0]
        for (key, value) in [
            ("a:fencing", "99"), ("b:fencing", "100"), ("c:fencing", "101"), ("d:fencing", "9007199254740990"),
            ("e:fencing", "word"), ("f", "1"),
        ] { node.command("SET", key, value) }
        node.command("PEXPIRE", "c:fencing", "1000000")
        node.command("RPUSH", "g:fencing", "1")
        #expect(forget(cluster, cutoff: 100, dry: true) == counts(floor: 100, 4, 2, 1, 1, 2))
        #expect(node.command("DBSIZE") == .integer(7))
        #expect(node.command("PTTL", "c:fencing") != .integer(-1))
        #expect(forget(cluster, cutoff: 100) == counts(floor: 100, 4, 2, 1, 1, 2))
        #expect(node.command("GET", Command.floorKey) == .string("100"))
        #expect(node.command("PTTL", Command.floorKey) == .integer(-1))
        #expect(node.command("EXISTS", "a:fencing", "b:fencing") == .integer(0))
        #expect(node.command("EXISTS", "c:fencing", "d:fencing", "e:fencing", "f", "g:fencing") == .integer(5))
        #expect(node.command("PTTL", "c:fencing") == .integer(-1))
        // Again, and with a lower cutoff: nothing more, and the floor is never lowered.
        #expect(forget(cluster, cutoff: 50) == counts(floor: 100, 2, 0, 0, 1, 2))
        #expect(node.command("GET", Command.floorKey) == .string("100"))
    }

    @Test func forgettingKeepsToThePrefixAndToTheClockOfTheNode() throws {
        let cluster = try LocalCluster(nodes: 1)
        let node = cluster.nodes[0]
        node.command("SET", "lock:a:fencing", "99")
        node.command("SET", "other:a:fencing", "99")
        #expect(forget(cluster, cutoff: 100, prefix: "lock:") == counts(floor: 100, 1, 1))
        #expect(node.command("EXISTS", "other:a:fencing") == .integer(1))
        // A caller whose clock is far ahead.
        let day: Int64 = 86_400_000_000
        guard case .string(let text)? = forget(cluster, cutoff: Limits.fencingProposal, age: day).dropFirst().first,
            let floor = Int64(text), case .array(let time) = node.command("TIME"), case .string(let seconds) = time[0]
        else { throw CancellationError() }
        #expect(floor <= (Int64(seconds) ?? 0) * 1_000_000 + 1_000_000 - day)
    }

    @Test func aFloorThatIsNoNumberIsNotForgottenUnder() throws {
        let cluster = try LocalCluster(nodes: 1)
        cluster.nodes[0].command("SET", Command.floorKey, "word")
        cluster.nodes[0].command("SET", "a:fencing", "1")
        guard
            case .error(let text) = cluster.nodes[0].command(
                "EVAL", Script.forgetNumbers, "1", Command.floorKey, "100", "0", "0", "10", "", "0")
        else { throw CancellationError() }
        #expect(text.hasPrefix("FENCING the key of the floor"))
        #expect(cluster.nodes[0].command("EXISTS", "a:fencing") == .integer(1))
    }

    // MARK: What is accepted

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
        "", "no number", "-1", "1.5", "1e3", "0x10", " 7", "nan", "inf", "6755399441055744", "9007199254740990",
        "9007199254740991", "9007199254740992", "9223372036854775807", "99999999999999999999999",
    ])
    func whatIsNoNumberIsAnErrorAndSetsNothing(value: String) throws {
        let cluster = try LocalCluster(nodes: 1)
        cluster.nodes[0].command("SET", "k:fencing", value)
        let error = Reply.error(
            "FENCING the key of the number holds no whole number below 6755399441055744. "
                + "Mend it: redlock doctor --resource")
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

    @Test func numbersUpToTheHighestKeepEveryDigitAndNoneAboveIsStored() throws {
        let cluster = try LocalCluster(nodes: 1)
        #expect(acquire(cluster, Limits.fencingNumber - 2) == .pair(1, Limits.fencingNumber - 2))
        #expect(run(cluster, .raise(to: Limits.fencingNumber - 1)) == .pair(1, Limits.fencingNumber - 1))
        #expect(cluster.nodes[0].command("GET", "k:fencing") == .string("6755399441055743"))
        #expect(run(cluster, .raise(to: Limits.fencingNumber - 1)) == .pair(2, Limits.fencingNumber - 1))
        let error = Reply.error("FENCING the number offered is too high")
        #expect(run(cluster, .raise(to: Limits.fencingNumber + 1)) == error)
        #expect(run(cluster, .raise(to: Limits.fencingNumber)) == .pair(1, Limits.fencingNumber))
        cluster.nodes[0].command("DEL", "k", "k:fencing")
        #expect(acquire(cluster, Limits.fencingNumber + 1) == error)
        #expect(cluster.nodes[0].command("EXISTS", "k", "k:fencing") == .integer(0))
    }
}
