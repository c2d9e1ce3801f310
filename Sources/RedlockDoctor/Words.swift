package import RedlockCore

extension Nanoseconds {
    /// For people: two digits that count, in the unit that suits.
    package var words: String {
        let magnitude = abs(count)
        let sign = count < 0 ? "-" : ""
        return switch magnitude {
        case ..<1_000: "0 µs"
        case ..<1_000_000: sign + "\(magnitude / 1_000) µs"
        case ..<10_000_000: sign + Self.hundredths(magnitude / 10_000) + " ms"
        case ..<1_000_000_000: sign + "\(magnitude / 1_000_000) ms"
        case ..<10_000_000_000: sign + Self.tenths(magnitude / 100_000_000) + " s"
        case ..<120_000_000_000: sign + "\(magnitude / 1_000_000_000) s"
        case ..<7_200_000_000_000: sign + "\(magnitude / 60_000_000_000) min"
        case ..<172_800_000_000_000: sign + "\(magnitude / 3_600_000_000_000) h"
        default: sign + "\(magnitude / 86_400_000_000_000) d"
        }
    }

    /// Whole seconds, rounded up: never zero for something that lasts.
    package var secondsInWords: String { "\(secondsRoundedUp) s" }

    private static func hundredths(_ number: Int64) -> String {
        "\(number / 100).\(number % 100 < 10 ? "0" : "")\(number % 100)"
    }

    private static func tenths(_ number: Int64) -> String {
        number % 10 == 0 ? "\(number / 10)" : "\(number / 10).\(number % 10)"
    }
}

extension Double {
    /// What a server says of itself may be anything: beyond a million per cent it is no figure.
    package var percent: String {
        let limit = 1_000_000.0
        let figure = (self * 100).rounded()
        return abs(figure) <= limit ? "\(Int(figure)) %" : "more than \(Int(limit)) %"
    }
}

extension Int64 {
    /// Bytes, as a person would say it.
    package var bytes: String {
        switch self {
        case ..<10_485_760: "\(self / 1_024) kB"
        case ..<10_737_418_240: "\(self / 1_048_576) MB"
        default: "\(self / 1_073_741_824) GB"
        }
    }
}

extension [String] {
    /// `a`, `a and b`, `a, b and c`.
    package var enumeration: String {
        count < 2 ? joined() : dropLast().joined(separator: ", ") + " and " + last!
    }
}
