/// A stream of pseudo-random numbers: SplitMix64 (Steele, Lea, Flood 2014).
///
/// Every entity has a stream of its own for every purpose, so that what one draws does not move what another gets: a
/// fault taken out of a schedule leaves the delays of all other messages as they were, as far as it can.
package struct Randomness: RandomNumberGenerator, Sendable {
    /// Its whole state. Advanced by a constant at each draw, so two equal states have made the same number of draws.
    package private(set) var state: UInt64

    /// What a stream is for.
    package enum Purpose: UInt64, Sendable {
        case options = 1
        case faults
        case network
        case engine
        case workload
        case node
        case clock
        case shell
        case test
        case search
        case fencing
        case experiment
    }

    package init(seed: UInt64, _ purpose: Purpose, _ index: Int = 0, _ epoch: Int = 0) {
        var mixer = Randomness(state: seed ^ (purpose.rawValue &* 0x9e37_79b9_7f4a_7c15))
        mixer.state = mixer.next() ^ UInt64(truncatingIfNeeded: index) &* 0xd1b5_4a32_d192_ed03
        mixer.state = mixer.next() ^ UInt64(truncatingIfNeeded: epoch) &* 0x8cb9_2ba7_2f3d_8dd7
        state = mixer.next()
    }

    private init(state: UInt64) {
        self.state = state
    }

    @inline(__always)
    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    /// A whole number from 0 up to `limit`, `limit` excluded. The bias of the multiplication is below 2^-32 for the
    /// limits in use, and the same on every machine.
    @inline(__always)
    package mutating func below(_ limit: Int64) -> Int64 {
        precondition(limit > 0, "a range to draw from must not be empty")
        return Int64(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(limit)).high)
    }

    package mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// True in `share` of a thousand draws.
    package mutating func chance(perMille share: Int64) -> Bool {
        below(1_000) < share
    }

    /// Every order of magnitude equally likely; both ends are positive.
    mutating func logarithmic(_ range: ClosedRange<Int64>) -> Int64 {
        let low = range.lowerBound
        let high = range.upperBound
        precondition(low > 0, "a logarithmic range is positive")
        // Powers of two between the ends are chosen evenly, then a number between one power and the next.
        var steps: Int64 = 0
        while low << (steps + 1) <= high { steps += 1 }
        let step = below(steps + 1)
        let start = low << step
        return min(high, within(start...(2 * start - 1)))
    }

    package mutating func choose<Element>(_ elements: [Element]) -> Element {
        elements[Int(below(Int64(elements.count)))]
    }
}
