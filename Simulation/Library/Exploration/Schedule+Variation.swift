// A schedule a little different from another, for the search.

extension Schedule {
    /// One to three changes; what the profile promises of its faults holds for the result too.
    package func varied(_ profile: Profile, _ random: inout Randomness) -> Schedule {
        var schedule = self
        for _ in 0..<random.within(1...3) { schedule.vary(profile, &random) }
        schedule.keepContracts(profile)
        // A schedule is written down in whole microseconds. Up: a contract may ask for a least duration.
        for index in schedule.faults.indices {
            schedule.faults[index].duration = (schedule.faults[index].duration + 999) / 1_000 * 1_000
        }
        schedule.faults.sort { $0.at < $1.at }
        schedule.endAt = max(schedule.endAt, schedule.lastFaultEnd + schedule.options.livenessBound * 3 / 2)
        return schedule
    }

    /// More would only make runs slow.
    private static let mostFaults = 200

    private mutating func vary(_ profile: Profile, _ random: inout Randomness) {
        guard !faults.isEmpty else { return varyWorld(profile, &random) }
        let index = Int(random.below(Int64(faults.count)))
        switch random.below(8) {
        case 0, 1: faults[index].at = shifted(faults[index].at, &random)
        case 2:
            guard !faults[index].kind.isInstant else { return }
            faults[index].duration = Self.microseconds(length(of: faults[index].kind, &random))
        case 3:
            guard faults[index].kind.unit != nil else { return }
            faults[index].amount = amount(of: faults[index].kind, profile, &random)
            if faults[index].kind.unit == .time { faults[index].amount = Self.microseconds(faults[index].amount) }
        case 4:
            guard faults.count < Self.mostFaults else { return }
            var copy = faults[index]
            copy.at = shifted(copy.at, &random)
            faults.append(copy)
        case 5: faults.remove(at: index)
        default: varyWorld(profile, &random)
        }
    }

    /// Near where it was, every order of magnitude alike, and before the healing.
    private func shifted(_ time: Int64, _ random: inout Randomness) -> Int64 {
        let way = random.logarithmic(WorldOptions.milliseconds(1)...max(healAt / 2, WorldOptions.milliseconds(2)))
        let moved = random.chance(perMille: 500) ? time + way : time - way
        return Self.microseconds(min(max(moved, 0), max(healAt - 1_000, 0)))
    }

    /// Another seed for what is drawn as the run goes, or one knob as another seed would have it.
    private mutating func varyWorld(_ profile: Profile, _ random: inout Randomness) {
        let other = WorldOptions(random: &random, profile)
        switch random.below(15) {
        case 0: options.persistence = other.persistence
        case 1:
            // These three fit each other, and the ttl must be longer than all of them.
            options.delay = other.delay
            options.jitter = other.jitter
            options.nodeTimeout = other.nodeTimeout
            options.ttl = max(options.ttl, other.nodeTimeout * 3)
            options.retryJitter = max(options.retryJitter, other.delay * 8)
        case 2: options.ttl = max(other.ttl, options.nodeTimeout * 3)
        case 3: options.hold = other.hold
        case 4: options.think = other.think
        case 5: options.wait = other.wait
        case 6: options.lossMargin = min(other.lossMargin, Self.microseconds(options.ttl / 4))
        case 7: options.selfExtending = other.selfExtending
        case 8: options.cancelled = other.cancelled
        case 9: options.retryDelay = other.retryDelay
        case 10:
            options.nodeRates = []
            options.clientRates = []
            options.drawRates(&random)
        case 11: options.drawFencing(&random)
        case 12: options.drawLimits(random.next())
        case 13:
            options.clientSettings = []
            options.drawClients(random.next(), profile)
        // Below 2^63, as a person would type it.
        default: seed = random.next() >> 1
        }
    }
}
