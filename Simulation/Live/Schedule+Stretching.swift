package import RedlockSimulation

// A schedule for a real machine: slower, as real processes and disks take their time, and no two runs are the same.

extension Schedule {
    /// How much longer everything takes where nobody says otherwise.
    package static let usualStretch: Int64 = 3

    /// The delays of scenarios are too short to do anything within one: they become so much longer.
    private static let delayStretch: Int64 = 6

    /// All times so many times as long. What happens within a round trip, by fractions of a millisecond, goes with the
    /// delays of the network instead.
    package func stretched(by factor: Int64) -> Schedule {
        var schedule = self
        let millisecond = WorldOptions.milliseconds(1)
        let delays = options.scripted ? max(Self.delayStretch, factor) : factor
        func moment(_ time: Int64) -> Int64 {
            time / millisecond * millisecond * factor + time % millisecond * delays
        }
        schedule.options.stretch(by: factor, delays: delays)
        schedule.healAt = healAt * factor
        schedule.endAt = endAt * factor
        for index in faults.indices {
            schedule.faults[index].at = moment(faults[index].at)
            schedule.faults[index].duration = faults[index].duration * factor
            if faults[index].kind.unit == .time { schedule.faults[index].amount = faults[index].amount * factor }
        }
        for index in script.indices {
            schedule.script[index].at = moment(script[index].at)
            schedule.script[index].ttl = script[index].ttl * factor
            schedule.script[index].wait = script[index].wait * factor
            schedule.script[index].delay = script[index].delay * factor
        }
        return schedule
    }

    /// A scenario in which a log is synced every second must keep to real seconds.
    var mayBeStretched: Bool { options.persistence != .aofEverySecond }

    /// What cannot be done to real processes from outside, and is left out of a random schedule.
    package var withoutImpossibleFaults: Schedule {
        var schedule = self
        schedule.faults.removeAll { $0.kind == .clientClockRate }
        return schedule
    }
}

extension WorldOptions {
    fileprivate mutating func stretch(by factor: Int64, delays: Int64) {
        snapshotPeriod *= factor
        ttl *= factor
        nodeTimeout *= factor
        connectTimeout *= factor
        retryDelay *= factor
        retryJitter *= factor
        if lossMargin > 0 { lossMargin *= factor }
        if quarantine > 0 { quarantine *= factor }
        delay *= delays
        jitter *= delays
        hold *= factor
        think *= factor
        wait *= factor
    }
}
