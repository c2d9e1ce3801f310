extension Schedule {
    /// How long the faults of a soak are drawn for at a time.
    private static let period = WorldOptions.milliseconds(20_000)
    /// Of a thousand classes of faults, those that a period leaves out.
    private static let leftOutOfPeriod: Int64 = 500

    /// A long run of a world that is given: every twenty seconds another choice of faults, and few of them at a time,
    /// so that between faults there is work to be disturbed.
    package init(soak seed: UInt64, _ options: WorldOptions, _ profile: Profile, lasting length: Int64) {
        self.init(seed: seed)
        self.options = options
        healAt = length
        var begin: Int64 = 0
        var number = 0
        while begin < length {
            let end = min(begin + Self.period, length)
            for kind in profile.kinds {
                var random = Randomness(seed: seed, .faults, Fault.Kind.allCases.firstIndex(of: kind)!, number)
                guard !random.chance(perMille: Self.leftOutOfPeriod) else { continue }
                let pause = random.within(3_000...12_000)
                var time = begin + WorldOptions.milliseconds(random.within(0...pause))
                while time < end {
                    add(kind, at: time, profile, &random)
                    time += WorldOptions.milliseconds(random.within(1...(2 * pause)))
                }
            }
            begin = end
            number += 1
        }
        faults.sort { $0.at < $1.at }
        keepContracts(profile)
        endAt = max(healAt, lastFaultEnd) + options.livenessBound + options.livenessBound / 2
    }
}
