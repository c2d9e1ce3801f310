/// The client's wall clock beside the boot clock, by which the engine lives.
///
/// A wall clock that gained on the boot clock was set forward; or the machine was stopped, and its boot clock with it, as a
/// virtual machine may be, and the wall clock was put right afterwards. The two look the same.
struct ClientClocks: Sendable {
    /// The last reading.
    private var last: (wall: Int64, at: Instant)?

    /// Takes a reading of both.
    ///
    /// - Parameter wall: Microseconds since 1970.
    /// - Returns: What the wall clock gained since the last reading; nil if that is within the drift.
    mutating func note(wall: Int64, at now: Instant, _ policy: Policy) -> Nanoseconds? {
        defer { last = (wall, now) }
        guard let last else { return nil }
        let elapsed = now - last.at
        let gain = wall - last.wall - elapsed.count / 1_000
        guard gain > policy.drift(of: elapsed).count / 1_000 else { return nil }
        return .microseconds(min(gain, Self.longestGain))
    }

    /// 30 days, which is longer than any lease lasts, in microseconds.
    private static let longestGain: Int64 = 30 * 86_400 * 1_000_000
}

// MARK: - What follows from a gain

extension Engine {
    /// The gain is time that may have passed. Leases are checked again at once.
    mutating func noteWallClock(_ wall: Int64, _ turn: inout Turn) {
        guard policy.parameters.guardsClocks, let gain = clientClocks.note(wall: wall, at: turn.now, policy) else {
            return
        }
        for slot in locks.indices where locks.isUsed(slot) {
            let lock = locks.lock(in: slot)
            locks[slot].attemptMayBeOlder(by: gain)
            if let step = locks[slot].doubt(gain: gain, at: turn.now, policy) {
                let validUntil = locks[slot].hold?.value.validUntilInDoubt(at: turn.now) ?? turn.now
                turn.directives.append(.answer(.doubted(lock, validUntil: validUntil)))
                carryOut(step, lock, slot, callers: [], &turn)
            }
        }
    }
}
