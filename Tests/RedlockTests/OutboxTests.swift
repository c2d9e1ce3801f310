import RedlockCore
import RedlockRedis
import Testing

@testable import Redlock

@Suite struct OutboxTests {
    private let acquire = Command(.acquire(milliseconds: 10_000), key: [UInt8]("a".utf8), token: Token(number: 1))
    private let release = Command(.release, key: [UInt8]("a".utf8), token: Token(number: 1))

    private func bytes(_ commands: Command...) -> [UInt8] {
        var formatter = CommandFormatter()
        var bytes: [UInt8] = []
        for command in commands { formatter.format(command).append(to: &bytes) }
        return bytes
    }

    /// What it hands out, by node; nil for nodes that nothing is for.
    private func taken(from outbox: inout Outbox) -> [[UInt8]?] {
        var taken = [[UInt8]?](repeating: nil, count: 3)
        let nodes = outbox.handOut { node, bytes in
            taken[node] = bytes
            bytes = [UInt8]("what a connection sent before".utf8)
        }
        #expect(nodes.elementsEqual((0..<3).filter { taken[$0] != nil }))
        return taken
    }

    @Test func eachNodeGetsTheCommandsThatAreForItInOrderAndOnce() {
        var outbox = Outbox(nodes: 3)
        outbox.add(acquire, for: NodeSet(first: 2))
        outbox.add(release, for: NodeSet(0))
        outbox.add(release, for: NodeSet())
        #expect(taken(from: &outbox) == [bytes(acquire, release), bytes(acquire), nil])
        #expect(taken(from: &outbox) == [nil, nil, nil])
        outbox.add(release, for: NodeSet(1))
        #expect(taken(from: &outbox) == [nil, bytes(release), nil], "nothing that was left in its place")
    }

    @Test func aSubscriptionAndItsEndAreForOneNode() {
        var outbox = Outbox(nodes: 3)
        let key = [UInt8]("a".utf8)
        outbox.add(subscription: true, to: key, for: 2)
        outbox.add(subscription: false, to: key, for: 2)
        var formatter = CommandFormatter()
        var expected: [UInt8] = []
        formatter.format(subscription: true, to: key).append(to: &expected)
        formatter.format(subscription: false, to: key).append(to: &expected)
        #expect(taken(from: &outbox) == [nil, nil, expected])
    }

    @Test func moreRoomThanTheLimitIsNotKept() {
        var outbox = Outbox(nodes: 1)
        for (left, isKept) in [(1_000, true), (Limits.keptBytes + 1, false)] {
            outbox.add(acquire, for: NodeSet(0))
            _ = outbox.handOut { _, bytes in bytes = [UInt8](repeating: 0, count: left) }
            outbox.add(acquire, for: NodeSet(0))
            _ = outbox.handOut { _, bytes in #expect((bytes.capacity >= 1_000) == isKept) }
        }
    }

    @Test func anotherConnectionGetsNothingOfWhatWasForTheOneBefore() {
        var outbox = Outbox(nodes: 3)
        outbox.add(acquire, for: NodeSet(first: 2))
        outbox.drop(0)
        outbox.add(release, for: NodeSet(first: 1))
        #expect(taken(from: &outbox) == [bytes(release), bytes(acquire), nil])
    }
}
