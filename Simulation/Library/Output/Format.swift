import RedlockCore

/// Numbers as people read them.
package enum Format {
    /// `12.345678 s`, to the microsecond.
    package static func seconds(_ nanoseconds: Int64) -> String {
        if nanoseconds >= Clock.never { return "never" }
        let microseconds = nanoseconds / 1_000
        return "\(microseconds < 0 ? "-" : "")\(abs(microseconds) / 1_000_000)."
            + padded(abs(microseconds) % 1_000_000, 6) + " s"
    }

    /// What a resource is called: `a` for the first of 26.
    package static func letter(_ resource: Int) -> String {
        String(UnicodeScalar(UInt8(ascii: "a") + UInt8(resource % 26)))
    }

    /// A length of time in its best unit.
    package static func length(_ nanoseconds: Int64) -> String {
        let size = abs(nanoseconds)
        switch size {
        case 10_000_000_000...: return decimal(nanoseconds, per: 1_000_000_000) + " s"
        case 1_000_000...: return decimal(nanoseconds, per: 1_000_000) + " ms"
        default: return decimal(nanoseconds, per: 1_000) + " µs"
        }
    }

    /// What follows an outcome that a pause explains; empty if none does.
    static func pause(_ pause: Nanoseconds?) -> String {
        pause.map { ", and the client did not run for at least \(length($0.count))" } ?? ""
    }

    /// With up to three decimals, without trailing zeros.
    package static func decimal(_ number: Int64, per unit: Int64) -> String {
        let whole = abs(number) / unit
        let thousandths = abs(number) % unit * 1_000 / unit
        var text = (number < 0 ? "-" : "") + String(whole)
        if thousandths > 0 {
            var digits = padded(thousandths, 3)
            while digits.last == "0" { digits.removeLast() }
            text += "." + digits
        }
        return text
    }

    /// Thousands apart: `1,234,567`.
    package static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(abs(number)).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// `1 loss`, `1,234 losses`.
    package static func count(_ number: Int, _ one: String, _ several: String? = nil) -> String {
        "\(grouped(number)) \(number == 1 ? one : several ?? one + "s")"
    }

    package static func padded(_ number: Int64, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
