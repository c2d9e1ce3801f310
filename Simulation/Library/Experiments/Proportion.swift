/// How often something happened, of so many times, and how well that is known.
package struct Proportion: Hashable, Sendable {
    package var count = 0
    package var total = 0

    package init(_ count: Int = 0, of total: Int = 0) {
        self.count = count
        self.total = total
    }

    package mutating func add(_ happened: Bool) {
        count += happened ? 1 : 0
        total += 1
    }

    package mutating func add(_ other: Proportion) {
        count += other.count
        total += other.total
    }

    package var share: Double { total == 0 ? 0 : Double(count) / Double(total) }

    package var interval: ClosedRange<Double> { Self.interval(share, of: total) }

    /// Where a true share is, at 95 %, when this one was seen in so many independent observations: the score interval
    /// (Wilson 1927). Unlike that of the normal approximation it is right near none and near all too.
    package static func interval(_ share: Double, of observations: Int) -> ClosedRange<Double> {
        guard observations > 0 else { return 0...1 }
        let z = 1.959_963_985
        let n = Double(observations)
        let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        let reach = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        // Exactly none and all at the ends, where rounding would leave a trace.
        return (share <= 0 ? 0 : max(0, middle - reach))...(share >= 1 ? 1 : min(1, middle + reach))
    }

    /// `3.1 % (2.2 to 4.4)`.
    package static func words(_ share: Double, _ interval: ClosedRange<Double>) -> String {
        "\(percent(share)) % (\(percent(interval.lowerBound)) to \(percent(interval.upperBound)))"
    }

    /// Two decimals below one per cent, one below ten and above ninety, none between.
    private static func percent(_ share: Double) -> String {
        let decimals: Double = share < 0.01 ? 100 : share < 0.1 || share > 0.9 ? 10 : 1
        return Format.decimal(Int64((share * 100 * decimals).rounded()), per: Int64(decimals))
    }
}
