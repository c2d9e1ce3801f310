package import RedlockSimulation

/// What the judge found.
package struct LiveVerdict: Sendable {
    package var outcome = Outcome()
    package var trace: [TraceRecord] = []
    /// How often each promise was broken, by its first appearance.
    package var counts: [(oracle: Oracle, count: Int, unexcused: Int)] = []
    package var faults: [Fault.Kind: Int] = [:]
    /// From asking to the grant, waits included, in nanoseconds.
    package var latencies: [Int64] = []
    package var keysLeft = 0
    /// Writes that the resource refused for their token.
    package var fencedWrites = 0

    mutating func breach(_ assumption: Assumption, _ subject: String, at time: Int64) {
        if let place = outcome.breaches.firstIndex(where: { $0.assumption == assumption }) {
            if time >= outcome.breaches[place].latest {
                outcome.breaches[place].latest = time
                outcome.breaches[place].latestSubject = subject
            }
        } else {
            outcome.breaches.append(
                Breach(assumption: assumption, at: time, latest: time, subject: subject, latestSubject: subject))
        }
        breachTimes.append((assumption, time, subject))
    }

    /// All of them: the judge does not work in the order of time.
    private var breachTimes: [(assumption: Assumption, at: Int64, subject: String)] = []

    /// Notes a broken promise, and the broken assumption that explains it. Says whether it is the first of its kind
    /// that is to be shown: one that nothing explains is shown before one that something does.
    mutating func violate(_ oracle: Oracle, _ message: String, at time: Int64, _ options: WorldOptions) -> Bool {
        let excuse = excuse(for: oracle, at: time, options)
        if let place = counts.firstIndex(where: { $0.oracle == oracle }) {
            counts[place].count += 1
            counts[place].unexcused += excuse == nil ? 1 : 0
        } else {
            counts.append((oracle, 1, excuse == nil ? 1 : 0))
        }
        let violation = Violation(oracle: oracle, at: time, message: message, excuse: excuse)
        if let place = outcome.violations.firstIndex(where: { $0.oracle == oracle }) {
            guard outcome.violations[place].excuse != nil, excuse == nil else { return false }
            outcome.violations[place] = violation
        } else {
            outcome.violations.append(violation)
        }
        return true
    }

    /// As in the simulated world: a broken assumption explains a failure for as long as its consequences can last.
    private func excuse(for oracle: Oracle, at time: Int64, _ options: WorldOptions) -> Breach? {
        let reach = options.hold + 3 * options.ttl + WorldOptions.milliseconds(1_000)
        let rates = options.nodeRates.contains { $0 > options.driftPartsPerMillion * 1_000 }
        for breach in breachTimes where breach.assumption.excuses(oracle) && breach.at <= time {
            let lasts =
                switch breach.assumption {
                case .oneNodeList, .numbers: true
                case .clockRates where rates: true
                case .memory, .uptime, .clockSteps, .clockRates, .promptWrites, .longestTTL, .bootClocks:
                    options.scripted || time - breach.at <= reach
                }
            guard lasts else { continue }
            return Breach(
                assumption: breach.assumption, at: breach.at, latest: breach.at, subject: breach.subject,
                latestSubject: breach.subject)
        }
        return nil
    }
}
