import RedlockCore

/// A process with an engine; what the engine itself does not know about it.
struct SimulatedClient: Sendable {
    /// Monotonic, and counts suspend.
    var clock: Clock
    var wall: Clock
    /// How many faults hold it still.
    var pauses = 0
    /// Since when one of them does, and for how long there was one before, in nanoseconds of the world.
    var pausedSince: Int64 = 0
    var pausedTime: Int64 = 0
    var isDown = false
    /// Told to shut down, and not made anew yet.
    var isShuttingDown = false
    /// Counts its lives.
    var epoch = 0
    /// What should have happened while it stood still, and does when it runs again.
    var deferred: [EventQueue.Item] = []
    var timerIsDue = false
    /// The moment for which a timer is set, and its number.
    var timerAt = Clock.never
    var timerNumber: UInt32 = 0
    /// Of this life's engine.
    var progress = ProgressWatch()
    /// Worlds' node numbers in the order of the client's own list.
    var view: [Int]

    /// How many faults have its virtual machine stopped, and since when.
    var stops = 0
    var stoppedAt: Int64 = 0
    /// By how much its wall clock is behind for its stops.
    var wallIsBehind: Int64 = 0
    /// The last stop, from its end to the next turn of its engine: when it began, and how long it was.
    var unseenStop: (at: Int64, length: Int64)?
    /// When the last stop began that its wall clock showed in the turn after it; never before one.
    var shownStopAt = -Clock.never
    /// What its clocks read when its engine was called last: microseconds since 1970, and the boot clock.
    var lastTurn: (wall: Int64, at: Instant)?

    var isRunning: Bool { pauses == 0 && !isDown }
}
