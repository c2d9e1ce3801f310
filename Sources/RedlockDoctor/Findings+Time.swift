import RedlockCore

extension NodeFindings {
    package static func speed(_ server: ServerReport, _ expected: Expectations) -> [Finding] {
        var findings: [Finding] = []
        let (trip, timeout) = (server.roundTrip, expected.nodeTimeout)
        if trip.median >= timeout {
            findings.append(
                Finding(
                    .problem, .slowForTimeout,
                    seen: "a round trip takes \(trip.median.words), and the node timeout is \(timeout.words)",
                    risk: "{Its|Their} votes come too late to count.",
                    change: "Raise --node-timeout (`nodeTimeout`), or take a nearer or less busy node.",
                    costsVote: true))
        } else if trip.longest >= timeout || trip.median * Expectations.roundTripsPerTimeout > timeout {
            findings.append(
                Finding(
                    .warning, .slow,
                    seen: "a round trip takes \(trip.median.words), \(trip.longest.words) at worst; "
                        + "the node timeout is \(timeout.words)",
                    risk: "Under load {its|their} votes come too late to count.",
                    change: "A node timeout of 5 to 10 round trips (--node-timeout, `nodeTimeout`), or a "
                        + "nearer node."))
        }
        if let loop = server.loop, loop.share > Expectations.loopShare {
            let span = loop.isRecent ? "now" : "on average since the start"
            findings.append(
                Finding(
                    .warning, .busy,
                    seen:
                        "{its event loop works|their event loops work} for \(loop.share.percent) of the "
                        + "time, \(span)",
                    risk: "Commands wait for one another: votes come late, extensions fail.",
                    change:
                        "Find what {it does|they do} (SLOWLOG GET, INFO commandstats), and give the lock "
                        + "nodes of its own."
                ))
        }
        return findings
    }

    /// The lock goes by rates and not by what time it is. But a clock that is off is not kept by NTP, or will be set.
    package static func clock(_ server: ServerReport) -> [Finding] {
        guard let clock = server.clock else { return [] }
        let limit = Expectations.clockOffset
        if clock.atLeast > limit {
            return [
                Finding(
                    .warning, .clockOff,
                    seen: "{its clock is|their clocks are} \(Nanoseconds(abs(clock.offset.count)).words) "
                        + "\(clock.offset < .zero ? "behind" : "ahead of") ours (± \(clock.uncertainty.words))",
                    risk:
                        "When {it|one} is set forward, locks end early there, and clients give {it|them} no vote "
                        + "for up to the longest ttl.",
                    change:
                        "Let NTP keep {it|them}, by slewing (chronyd with `makestep 1 3`). Set "
                        + "{it while the node is|them while the nodes are} stopped."
                )
            ]
        }
        guard clock.uncertainty > limit else { return [] }
        return [
            Finding(
                .note, .clockUnclear,
                seen: "{its clock|their clocks} cannot be compared with ours better than to "
                    + "\(clock.uncertainty.words)",
                risk: "A clock that is off would not be noticed.", change: "Ask from a machine that is nearer.")
        ]
    }
}
