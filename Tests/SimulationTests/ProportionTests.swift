import Testing

@testable import RedlockSimulation

@Suite("Proportions")
struct ProportionTests {
    /// Those with 263, 148, 20 and 29 are examples of Newcombe, "Two-sided confidence intervals for the single
    /// proportion: comparison of seven methods", Statistics in Medicine 17 (1998), table I, method 3.
    @Test(
        "have the score interval",
        arguments: [
            (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718),
            (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1),
        ] as [(Int, Int, Double, Double)])
    func interval(count: Int, total: Int, low: Double, high: Double) {
        let interval = Proportion(count, of: total).interval
        #expect(abs(interval.lowerBound - low) < 0.000_05)
        #expect(abs(interval.upperBound - high) < 0.000_05)
    }

    @Test("know nothing without an observation")
    func empty() {
        #expect(Proportion().interval == 0...1)
        #expect(Proportion().share == 0)
    }

    @Test("have an end where none or all were seen")
    func ends() {
        for total in [1, 7, 1_000, 1_000_000] {
            #expect(Proportion(0, of: total).interval.lowerBound == 0)
            #expect(Proportion(total, of: total).interval.upperBound == 1)
        }
    }

    @Test("add up")
    func sum() {
        var sum = Proportion()
        for number in 0..<10 { sum.add(number < 3) }
        sum.add(Proportion(1, of: 10))
        #expect(sum == Proportion(4, of: 20))
    }

    @Test(
        "are written with as many digits as they are worth",
        arguments: [
            (0, 1_000, "0 % (0 to 0.38)"), (4, 1_000, "0.4 % (0.16 to 1)"), (42, 1_000, "4.2 % (3.1 to 5.6)"),
            (420, 1_000, "42 % (39 to 45)"), (997, 1_000, "99.7 % (99.1 to 99.9)"),
            (1_000, 1_000, "100 % (99.6 to 100)"),
        ])
    func words(count: Int, total: Int, words: String) {
        let proportion = Proportion(count, of: total)
        #expect(Proportion.words(proportion.share, proportion.interval) == words)
    }
}
