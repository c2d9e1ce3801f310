/// What a run brought to light.
package struct Outcome: Sendable {
    package var violations: [Violation] = []
    package var breaches: [Breach] = []
    package var grants = 0
    /// Grants of each client, for the figure of fairness.
    package var grantsPerClient: [Int] = []
    /// How long each grant took, from the request; and requests that came to nothing.
    package var waits: [Int64] = []
    package var refusals = 0
    /// Writes of a holder that the resource took after a later one had been there; only of worlds with visits.
    package var damages = 0
    package var attempts = 0
    /// Messages to nodes, subscriptions among them.
    package var commands = 0
    package var extensions = 0
    package var losses = 0
    /// Those of leases that extended themselves: they should have lasted until they were released.
    package var extendingLosses = 0
    package var risks = 0
    /// Grants with a fencing token, and offers of a higher number to those who granted.
    package var fencedGrants = 0
    package var raises = 0
    package var events = 0
    /// Virtual nanoseconds.
    package var duration: Int64 = 0
    /// The fewest nodes that would have had to lose a held key for another to get in; nil without a hold.
    package var leastMargin: Int?
    /// The shortest time from the end of a belief until another could get in; only of worlds that measure it.
    package var leastSlack: Int64?
    package var marks = Marks()
    package var hash: UInt64 = 0
    /// How often the broken rule decided otherwise than the right one.
    package var mutantActivations = 0

    package init() {}

    package var verdict: Verdict {
        if violations.contains(where: { $0.excuse == nil }) { return .violated }
        return violations.isEmpty ? .held : .inconclusive
    }

    /// The first that no broken assumption explains, else the first.
    package var worst: Violation? {
        violations.first { $0.excuse == nil } ?? violations.first
    }
}
