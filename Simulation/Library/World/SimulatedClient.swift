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

    var isRunning: Bool { pauses == 0 && !isDown }
}
