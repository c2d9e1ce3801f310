import Testing

@testable import RedlockCore

/// What a request takes that waits behind others: there may be very many.
@Suite struct SizeTests {
    /// A bound that was chosen once, so that nothing is put there without thought.
    @Test func aSlotIsSmall() {
        #expect(MemoryLayout<LockTable.Slot>.stride <= 160)
    }

    @Test func theyShareTheBytesOfTheResourcesName() {
        var engine = Engine(Parameters(nodes: 1))
        var generator: any RandomNumberGenerator = SplitMix64(seed: 1)
        var directives: [Directive] = []
        for _ in 0..<3 {
            let request = AcquireRequest(key: Array("name".utf8), ttl: .seconds(1), deadline: .distantFuture)
            let lock = engine.newLock()!
            engine.handle(
                .acquire(lock, request), at: Instant(nanoseconds: 0), using: &generator, into: &directives)
        }
        let places = engine.locks.indices.map { slot in
            unsafe engine.locks[slot].request.key.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
        }
        #expect(places.count == 3)
        #expect(Set(places).count == 1)
    }

    @Test func aCopyOfWhatIsOnTheHeapIsAValueOfItsOwn() {
        var one = OnHeap([1, 2])
        let other = one
        one.value.append(3)
        #expect(one.value == [1, 2, 3])
        #expect(other.value == [1, 2])
    }
}
