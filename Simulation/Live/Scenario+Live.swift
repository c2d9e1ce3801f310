package import RedlockSimulation

extension Scenario {
    /// Why a real server cannot run it; nil when it can.
    package var obstacle: String? {
        schedule.mutant == nil ? simulatedOnly ?? schedule.obstacle : "real clients run the library as it ships"
    }

    /// The schedule for a real machine.
    package func live(stretch: Int64) -> Schedule {
        schedule.stretched(by: schedule.mayBeStretched ? stretch : 1)
    }

    /// Situations that can be seen from outside real processes.
    private static let visible: Set<Mark> = [
        .cancelled, .extended, .extensionFailed, .lossTold, .lossByExpiry, .unavailable, .errorReply,
        .expiredWhileAcquiring, .clientCrashedHolding, .writeRefusedByCheck, .keyOutlivedByLease, .setOnOldConnection,
        .writeFenced, .atRisk, .recovered, .repaired,
    ]

    /// What is not as expected, in the same words as for a simulated run; empty when all is.
    package func check(_ result: LiveResult) -> [String] {
        var visible = self
        visible.marks = marks.filter { Self.visible.contains($0) }
        return visible.check(result.outcome)
    }

    /// Later than that, and a step of the scenario came in another situation than it was meant for.
    package static let latest: Int64 = 50_000_000
}
