// Fencing tokens: a number with every grant that is higher than those of all grants before it. docs/fencing.md has the
// argument; what is decided on votes is in LockMachine+Fencing.swift.

/// What a client's wall clock read when it asked, in microseconds since 1970.
///
/// The core has no clock: later proposals are made from this reading and the monotonic time since.
package struct WallClockReading: Hashable, Sendable {
    package var microseconds: Int64
    package var at: Instant

    package init(microseconds: Int64, at: Instant) {
        self.microseconds = microseconds
        self.at = at
    }

    /// What the wall clock would read now, had nobody set it. A clock far off is believed within bounds.
    func microseconds(at now: Instant) -> Int64 {
        let believed = min(max(microseconds, 1), Limits.fencingProposal)
        return min(believed + max((now - at).count, 0) / 1_000, Limits.fencingProposal)
    }
}

/// The highest number that this client has proposed or seen, by key.
///
/// Forgetting is safe: the nodes refuse what is too low. It costs a second round trip.
struct FencingNumbers: Sendable {
    private var recent: [[UInt8]: Int64] = [:]
    private var older: [[UInt8]: Int64] = [:]

    var count: Int { recent.count + older.count }

    /// Zero when none is remembered.
    func highest(of key: [UInt8]) -> Int64 {
        max(recent[key] ?? 0, older[key] ?? 0)
    }

    mutating func note(_ number: Int64, of key: [UInt8]) {
        let highest = max(number, highest(of: key))
        if recent[key] == nil, recent.count >= Limits.fencingNumbersRemembered / 2 {
            older = recent
            recent = [:]
        }
        recent[key] = highest
    }
}

extension Command {
    /// The key under which a node keeps a resource's number.
    package static func numberKey(of key: [UInt8]) -> [UInt8] {
        key + [UInt8](":fencing".utf8)
    }
}

extension Limits {
    /// The highest fencing number, 2^53 - 1: the scripts count in doubles, as Lua does, and so does JSON.
    package static let fencingNumber: Int64 = (1 << 53) - 1

    /// The highest number that is proposed from a clock, 2^52 µs: the year 2112. A clock that claims more is not
    /// believed, or one broken clock would use up all numbers; what is left is for raises, which go up by one.
    package static let fencingProposal: Int64 = 1 << 52

    /// Raises of one attempt. One is enough unless a node answers late with a number that is higher still.
    package static let fencingRaises: UInt32 = 3

    /// Keys whose highest number a client remembers, at most. It forgets the older half first.
    package static let fencingNumbersRemembered = 8_192

    /// How long a node keeps a number after it last accepted one: four weeks.
    package static let fencingNumberKept = Nanoseconds.seconds(28 * 86_400)
}
