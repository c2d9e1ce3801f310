/// One clock of one process: what it reads as true time passes.
///
/// True time and readings are whole nanoseconds; the rate is in parts per billion off true time. So a run is the same
/// on every machine, and a reading can be turned back into the moment at which it comes.
package struct Clock: Sendable {
    /// As good as never, yet safe to add to.
    package static let never = Int64.max / 4

    private var baseTime: Int64
    private var baseReading: Int64
    /// Parts per billion: 1_000 gains a microsecond a second.
    package private(set) var rate: Int64
    private(set) var isStopped = false

    package init(reading: Int64, rate: Int64 = 0, at time: Int64 = 0) {
        baseTime = time
        baseReading = reading
        self.rate = rate
    }

    private static let billion: Int64 = 1_000_000_000

    @inline(__always)
    package func reading(at time: Int64) -> Int64 {
        if isStopped { return baseReading }
        let elapsed = time - baseTime
        if rate == 0 { return baseReading + elapsed }
        // In two steps, so that hours at any rate do not overflow.
        let (whole, rest) = elapsed.quotientAndRemainder(dividingBy: Self.billion)
        return baseReading + elapsed + whole * rate + rest * rate / Self.billion
    }

    /// The first moment at which the clock reads `reading` or more; ``never`` for one that is stopped before it.
    package func time(of reading: Int64) -> Int64 {
        let wanted = reading - baseReading
        if isStopped { return wanted <= 0 ? baseTime : Self.never }
        guard reading < Self.never else { return Self.never }
        if rate == 0 { return baseTime + wanted }
        let (whole, rest) = wanted.quotientAndRemainder(dividingBy: Self.billion + rate)
        var time = baseTime + whole * Self.billion + rest * Self.billion / (Self.billion + rate)
        while self.reading(at: time) < reading { time += 1 }
        while self.reading(at: time - 1) >= reading { time -= 1 }
        return time
    }

    package mutating func jump(by amount: Int64, at time: Int64) {
        rebase(at: time)
        baseReading += amount
    }

    package mutating func setRate(_ rate: Int64, at time: Int64) {
        precondition(rate > -Self.billion, "a clock does not run backwards")
        rebase(at: time)
        self.rate = rate
    }

    /// Stands still until it is started: what a clock that does not count suspend does.
    mutating func stop(at time: Int64) {
        rebase(at: time)
        isStopped = true
    }

    mutating func start(at time: Int64) {
        rebase(at: time)
        isStopped = false
    }

    private mutating func rebase(at time: Int64) {
        baseReading = reading(at: time)
        baseTime = time
    }
}
