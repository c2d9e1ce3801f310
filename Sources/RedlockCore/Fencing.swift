// Fencing tokens: a number with every grant that is higher than those of all grants before it. docs/fencing.md has the
// argument; what is decided on votes is in Attempt+Fencing.swift.

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
        key + [UInt8](numberSuffix.utf8)
    }

    /// The end of every key that holds a number.
    package static let numberSuffix = ":fencing"

    /// The key of a node's floor: a number at or above every number that was deleted there.
    ///
    /// One for all resources, whatever prefix a client writes in front of their names: two clients that spell one key
    /// in two ways must find the same floor.
    package static let floorKey = "redlock:fencing-floor"
}

extension Limits {
    /// The highest fencing number, 2^52 + 2^51. Clients propose no higher one, and nodes store no higher one.
    ///
    /// It leaves 2^51 numbers for raises, which go up by one: at a million grants a second of one resource, 71 years.
    /// It is below 2^53, so that Lua, JSON and JavaScript keep every digit.
    package static let fencingNumber: Int64 = (1 << 52) + (1 << 51)

    /// The highest number that is proposed from a clock, 2^52 µs: the year 2112. A clock that claims more is not
    /// believed, or one broken clock would use up all numbers; the rest is for raises, which go up by one.
    package static let fencingProposal: Int64 = 1 << 52

    /// How far beyond ``fencingProposal`` a number may be above the numbers that other nodes know: a node misses this
    /// many grants at most before it is taken for a liar.
    package static let fencingNumbersMissed: Int64 = 65_536

    /// Whether a number is beyond clocks, or near enough to confirm one that is.
    static func isNearClocksEnd(_ number: Int64) -> Bool { number > fencingProposal - fencingNumbersMissed }

    /// Raises of one attempt. One is enough unless a node answers late with a number that is higher still.
    package static let fencingRaises: UInt32 = 3

    /// Keys whose highest number a client remembers, at most. It forgets the older half first.
    package static let fencingNumbersRemembered = 8_192
}
