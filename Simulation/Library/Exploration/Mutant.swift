import RedlockCore

/// A rule that is broken on purpose: a simulator that does not notice would prove nothing.
package struct Mutant: Sendable {
    /// Which clock the engine is told.
    enum ClockFault: Sendable {
        case none
        case wall
        case blindToSuspend
        /// The engine is not told the wall clock, and so finds no gain of it.
        case withoutWall
    }

    package let name: String
    /// What is broken, for people.
    package let summary: String
    /// Who should see it. Any of them will do.
    package let oracles: [Oracle]
    var rules: (any Rules)?
    var counter: ActivationCounter?
    var defects = SimulatedNode.Defects()
    var clock = ClockFault.none
    var isCanary = false
    /// The protected resource does not compare fencing tokens.
    var resourceAcceptsLower = false
    /// Requests lose their limits on the way to the engine.
    var dropsMaximumHold = false
    var dropsMaximumAttempts = false
    /// What the worlds of its hunt have in common, beyond those of the tolerated profile.
    package var hunt: @Sendable (inout Schedule) -> Void = { _ in }

    init(_ name: String, _ summary: String, killedBy oracles: [Oracle]) {
        self.name = name
        self.summary = summary
        self.oracles = oracles
    }
}
