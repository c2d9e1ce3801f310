import Testing

@testable import RedlockCore

@Suite struct TokenTests {
    private func text(_ token: Token) -> String {
        var bytes: [UInt8] = []
        token.write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func aTokenIsFortyLowerCaseHexadecimalDigits() {
        var generator: any RandomNumberGenerator = SplitMix64(seed: 1)
        for _ in 0..<1_000 {
            let text = text(Token(using: &generator))
            #expect(text.count == 40)
            #expect(text.allSatisfy { "0123456789abcdef".contains($0) })
        }
    }

    @Test func tokensDiffer() {
        var generator: any RandomNumberGenerator = SplitMix64(seed: 2)
        var seen = Set<String>()
        for _ in 0..<10_000 { seen.insert(text(Token(using: &generator))) }
        #expect(seen.count == 10_000)
    }

    @Test func allOfATokenIsRandom() {
        var generator: any RandomNumberGenerator = SplitMix64(seed: 3)
        var seen = [Set<Character>](repeating: [], count: 40)
        for _ in 0..<1_000 {
            for (place, digit) in text(Token(using: &generator)).enumerated() { seen[place].insert(digit) }
        }
        for place in 0..<40 { #expect(seen[place].count == 16, "digit \(place)") }
    }

    @Test func theDigitsSpellTheNumbersThatWereDrawn() {
        struct Given: RandomNumberGenerator {
            var numbers: [UInt64]
            mutating func next() -> UInt64 { numbers.removeFirst() }
        }
        var generator: any RandomNumberGenerator = Given(
            numbers: [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0xdead_beef_0000_a001])
        #expect(text(Token(using: &generator)) == "0123456789abcdeffedcba98765432100000a001")
    }

    @Test func theDigitsAreAppended() {
        var bytes: [UInt8] = [0x20]
        Token(number: 0xff).write(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == " 000000000000000000000000000000ff00000000")
    }
}

@Suite struct NodeSetTests {
    @Test func itAgreesWithASetWhateverIsDone() {
        var generator = SplitMix64(seed: 4)
        var nodes = NodeSet()
        var model = Set<Int>()
        for _ in 0..<10_000 {
            let node = Int.random(in: 0..<Limits.nodes, using: &generator)
            if Bool.random(using: &generator) {
                nodes.insert(node)
                model.insert(node)
            } else {
                nodes.remove(node)
                model.remove(node)
            }
            #expect(nodes.count == model.count)
            #expect(nodes.isEmpty == model.isEmpty)
            #expect(nodes.contains(node) == model.contains(node))
            #expect(Array(nodes) == model.sorted(), "in the order of the nodes")
        }
    }

    @Test(arguments: 0...Limits.nodes)
    func theFirstOfThemAreAllBelowACount(count: Int) {
        #expect(Array(NodeSet(first: count)) == Array(0..<count))
    }

    @Test func setsAreUnitedAndSubtracted() {
        let low = NodeSet(first: 3)
        var mixed = NodeSet(2)
        mixed.insert(14)
        #expect(Array(low.union(mixed)) == [0, 1, 2, 14])
        #expect(Array(low.subtracting(mixed)) == [0, 1])
        #expect(Array(mixed.subtracting(low)) == [14])
        #expect(low.subtracting(low) == NodeSet())
    }
}

@Suite struct TimeTests {
    @Test func unitsAreNanoseconds() {
        #expect(Nanoseconds.microseconds(3).count == 3_000)
        #expect(Nanoseconds.milliseconds(3).count == 3_000_000)
        #expect(Nanoseconds.seconds(3).count == 3_000_000_000)
    }

    @Test(arguments: [
        (Int64(0), Int64(0)), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (-1, 0), (-1_000_000, -1),
        (-1_000_001, -1),
    ])
    func millisecondsAreRoundedUp(count: Int64, milliseconds: Int64) {
        #expect(Nanoseconds(count).millisecondsRoundedUp == milliseconds)
    }

    @Test func lengthsAreAddedSubtractedMultipliedAndDivided() {
        let length = Nanoseconds(7)
        #expect(length + Nanoseconds(5) == Nanoseconds(12))
        #expect(length - Nanoseconds(9) == Nanoseconds(-2))
        #expect(length * 3 == Nanoseconds(21))
        #expect(length / 2 == Nanoseconds(3))
        #expect(Nanoseconds(-1) < .zero)
    }

    @Test func instantsAndLengthsAgree() {
        let instant = Instant(nanoseconds: 100)
        #expect((instant + Nanoseconds(5)).nanoseconds == 105)
        #expect((instant + Nanoseconds(-5)).nanoseconds == 95)
        #expect((instant - Nanoseconds(5)).nanoseconds == 95)
        #expect(Instant(nanoseconds: 130) - instant == Nanoseconds(30))
        #expect(instant - Instant(nanoseconds: 130) == Nanoseconds(-30))
        #expect(instant < Instant(nanoseconds: 101))
    }

    @Test func anInstantWithoutEndStaysThere() {
        let instant = Instant(nanoseconds: 1)
        #expect(instant + .forever == .distantFuture)
        #expect(.distantFuture + .seconds(1) == Instant.distantFuture)
        #expect(.distantFuture + .forever == Instant.distantFuture)
        #expect(Instant(nanoseconds: .max) + Nanoseconds(.max) == .distantFuture)
        #expect(.distantFuture - .seconds(1) < Instant.distantFuture)
    }

    @Test func anArrayThatIsEmptiedKeepsItsRoomUpToALimit() {
        for (count, isKept) in [(1_000, true), (Limits.keptElements + 1, false)] {
            var array = [Int](repeating: 0, count: count)
            array.empty()
            #expect(array.isEmpty)
            #expect((array.capacity >= count) == isKept)
        }
    }
}
