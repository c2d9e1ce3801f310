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
            schedule.script[index].maximumHold = script[index].maximumHold * factor
            schedule.script[index].delay = script[index].delay * factor
        }
        return schedule
    }

    /// A scenario in which a log is synced every second must keep to real seconds.
    var mayBeStretched: Bool { options.persistence != .aofEverySecond }

    /// What cannot be done to real processes from outside, and is left out of a random schedule.
    package var withoutImpossibleFaults: Schedule {
        var schedule = self
        schedule.faults.removeAll { $0.kind == .clientClockRate || $0.obstacle != nil }
        return schedule
    }

    /// Why it cannot be run for real; nil when it can.
    package var obstacle: String? {
        if let fault = faults.first(where: { $0.obstacle != nil }) {
            return "\(fault.kind.rawValue) cannot be run for real: \(fault.obstacle!)"
        }
        if options.logTime > 0 {
            return "log_time_us cannot be run for real: a server writes its log as fast as it can"
        }
        if options.maximumHolds + options.maximumAttempts > 0 { return Self.oneLimit }
        for client in 0..<options.clients {
            let steps = script.filter { $0.action == .acquire && $0.worker / options.workersPerClient == client }
            let limits = Set(steps.map { [Int64($0.maximumAttempts), $0.maximumHold] })
            if limits.count > 1 { return Self.oneLimit }
        }
        return nil
    }

    private static let oneLimit =
        "maximum holds and attempts that differ cannot be run for real: a client of the library has one of each for all its requests"
}

extension Fault {
    /// Why it cannot be done to real processes; nil when it can.
    fileprivate var obstacle: String? {
        switch kind {
        case .clientStop: "no boot clock can be stopped for one process"
        case .nodeGreeting: "a server answers INFO by what it is"
        case .nodeRestore: "a process cannot go back to an earlier memory"
        case .nodeMemory where amount < 1_000:
            "a server that evicts some keys cannot be told how many commands find too little memory"
        default: nil
        }
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
        fallbackDelay *= factor
        for index in clientSettings.indices {
            clientSettings[index].ttl = clientSettings[index].ttl.map { $0 * factor }
            clientSettings[index].nodeTimeout = clientSettings[index].nodeTimeout.map { $0 * factor }
            clientSettings[index].fallbackDelay = clientSettings[index].fallbackDelay.map { $0 * factor }
            clientSettings[index].longestTTL = clientSettings[index].longestTTL.map { $0 * factor }
        }
        if lossMargin > 0 { lossMargin *= factor }
        if quarantine > 0 { quarantine *= factor }
        delay *= delays
        jitter *= delays
        hold *= factor
        think *= factor
        wait *= factor
    }
}
