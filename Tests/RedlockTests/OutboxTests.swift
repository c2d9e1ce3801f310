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
            #expect(taken[node] == nil, "a node is handed its bytes once")
            taken[node] = bytes
        }
        #expect(nodes.elementsEqual((0..<3).filter { taken[$0] != nil }))
        return taken
    }

    @Test func eachNodeGetsTheCommandsThatAreForItInOrderAndOnce() {
        var outbox = Outbox()
        outbox.add(acquire, for: NodeSet(first: 2))
        outbox.add(release, for: NodeSet(0))
        outbox.add(release, for: NodeSet())
        #expect(!outbox.isEmpty)
        #expect(taken(from: &outbox) == [bytes(acquire, release), bytes(acquire), nil])
        #expect(outbox.isEmpty)
        #expect(taken(from: &outbox) == [nil, nil, nil])
        outbox.add(release, for: NodeSet(1))
        #expect(taken(from: &outbox) == [nil, bytes(release), nil], "nothing that was left in its place")
    }

    @Test func aSubscriptionAndItsEndAreForOneNode() {
        var outbox = Outbox()
        let key = [UInt8]("a".utf8)
        outbox.add(subscription: true, to: key, for: 2)
        outbox.add(subscription: false, to: key, for: 2)
        var formatter = CommandFormatter()
        var expected: [UInt8] = []
        formatter.format(subscription: true, to: key).append(to: &expected)
        formatter.format(subscription: false, to: key).append(to: &expected)
        #expect(taken(from: &outbox) == [nil, nil, expected])
    }

    @Test func nodesShareTheirBytesUntilOneIsToGetOthers() {
        var outbox = Outbox()
        outbox.add(acquire, for: NodeSet(first: 3))
        outbox.add(release, for: NodeSet(2))
        outbox.add(acquire, for: NodeSet(first: 3))
        outbox.add(release, for: NodeSet(first: 2))
        let first = bytes(acquire, acquire, release)
        #expect(taken(from: &outbox) == [first, first, bytes(acquire, release, acquire)])
    }

    @Test func aNodeThatComesLaterGetsNothingOfWhatWasForOthersBefore() {
        var outbox = Outbox()
        outbox.add(acquire, for: NodeSet(first: 2))
        outbox.add(release, for: NodeSet(first: 3))
        let both = bytes(acquire, release)
        #expect(taken(from: &outbox) == [both, both, bytes(release)])
    }

    /// A connection that could not send all at once keeps what is left.
    @Test func whatWasHandedOutStaysAsItIs() {
        var outbox = Outbox()
        outbox.add(acquire, for: NodeSet(first: 3))
        let kept = taken(from: &outbox)
        outbox.add(release, for: NodeSet(first: 3))
        #expect(taken(from: &outbox) == [[UInt8]?](repeating: bytes(release), count: 3))
        #expect(kept == [[UInt8]?](repeating: bytes(acquire), count: 3))
    }

    @Test func moreRoomThanTheLimitIsNotKept() {
        var outbox = Outbox()
        for (wanted, isKept) in [(1_000, true), (Limits.keptBytes + 1, false)] {
            for _ in 0...wanted / bytes(acquire).count { outbox.add(acquire, for: NodeSet(0)) }
            _ = outbox.handOut { _, _ in }
            outbox.add(acquire, for: NodeSet(0))
            _ = outbox.handOut { _, bytes in #expect((bytes.capacity >= 1_000) == isKept) }
        }
    }

    @Test func anotherConnectionGetsNothingOfWhatWasForTheOneBefore() {
        var outbox = Outbox()
        outbox.add(acquire, for: NodeSet(first: 2))
        outbox.drop(0)
        outbox.add(release, for: NodeSet(first: 1))
        #expect(taken(from: &outbox) == [bytes(release), bytes(acquire), nil])
    }
}
