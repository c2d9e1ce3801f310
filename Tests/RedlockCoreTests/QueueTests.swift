import Testing

@testable import RedlockCore

@Suite struct DequeTests {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func itAgreesWithAnArrayWhateverIsDone(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var deque = Deque<Int>()
        var model: [Int] = []
        // It grows beyond what it keeps when it is empty, shrinks to nothing and grows again: what moves the elements is
        // emptying, and being half read.
        for phase in 0..<8 {
            let appends = phase.isMultiple(of: 2) ? 3 : 1
            for step in 0..<1_600 {
                if Int.random(in: 0..<4, using: &generator) < appends {
                    deque.append(step)
                    model.append(step)
                } else {
                    let popped = deque.popFirst()
                    #expect(popped == (model.isEmpty ? nil : model.removeFirst()))
                }
                #expect(deque.count == model.count)
                #expect(deque.isEmpty == model.isEmpty)
                #expect(deque.first == model.first)
                if let index = model.indices.randomElement(using: &generator) {
                    #expect(deque[index] == model[index])
                    let looked = deque.look(at: index) { $0 }
                    #expect(looked == model[index])
                }
            }
        }
    }

    @Test func anEmptyOneHasNothing() {
        var deque = Deque<Int>()
        let popped = deque.popFirst()
        #expect(popped == nil)
        #expect(deque.first == nil)
    }

    @Test func whatIsTakenOutIsLetGo() {
        final class Thing {}
        var deque = Deque<Thing>()
        weak var first: Thing?
        do {
            let thing = Thing()
            first = thing
            deque.append(thing)
        }
        deque.append(Thing())
        #expect(first != nil)
        _ = deque.popFirst()
        #expect(first == nil)
    }
}

@Suite struct DeadlineQueueTests {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func itAgreesWithATableWhateverIsDone(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var queue = DeadlineQueue()
        var model: [Int: Instant] = [:]
        for _ in 0..<5_000 {
            let slot = Int.random(in: 0..<50, using: &generator)
            // Few different instants, so that equal ones meet.
            let deadline =
                Int.random(in: 0..<4, using: &generator) == 0
                ? Instant.distantFuture : Instant(nanoseconds: Int64.random(in: -20...20, using: &generator))
            queue.set(slot, to: deadline)
            model[slot] = deadline == .distantFuture ? nil : deadline
            let first = model.min { ($0.value, $0.key) < ($1.value, $1.key) }
            #expect(queue.first?.deadline == first?.value)
            #expect(queue.first?.slot == first?.key)
        }
    }

    @Test func theyComeOutByDeadlineAndThenBySlot() {
        var generator = SplitMix64(seed: 6)
        var queue = DeadlineQueue()
        var expected: [(Int64, Int)] = []
        for slot in (0..<500).shuffled(using: &generator) {
            let deadline = Int64.random(in: 0..<50, using: &generator)
            queue.set(slot, to: Instant(nanoseconds: deadline))
            expected.append((deadline, slot))
        }
        expected.sort { $0 < $1 }
        for (deadline, slot) in expected {
            #expect(queue.first?.deadline == Instant(nanoseconds: deadline))
            #expect(queue.first?.slot == slot)
            queue.set(slot, to: .distantFuture)
        }
        #expect(queue.first == nil)
    }

    @Test func takingOutWhatIsNotThereChangesNothing() {
        var queue = DeadlineQueue()
        queue.set(7, to: .distantFuture)
        #expect(queue.first == nil)
        queue.set(3, to: Instant(nanoseconds: 1))
        queue.set(100, to: .distantFuture)
        #expect(queue.first?.slot == 3)
    }
}
