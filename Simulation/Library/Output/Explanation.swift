/// Schedules and failures in sentences.
package enum Explanation {
    /// The world in one sentence, for the first lines of a run.
    package static func world(_ options: WorldOptions) -> String {
        "\(Format.count(options.nodes, "node")) (\(options.persistence.rawValue)), "
            + "\(Format.count(options.clients, "client")) with "
            + "\(Format.count(options.workersPerClient, "worker")) each, \(Format.count(options.resources, "resource")); "
            + "ttl \(Format.length(options.ttl)), node timeout \(Format.length(options.nodeTimeout)), "
            + "retry \(Format.length(options.retryDelay)) + up to \(Format.length(options.retryJitter)), "
            + "drift \(options.driftPartsPerMillion) ppm; "
            + "one way \(Format.length(options.delay)) to \(Format.length(2 * options.delay + options.jitter))"
            + (options.twoSites ? ", two sites" : "")
    }

    /// What requests ask for beyond the usual; empty if they ask for nothing.
    private static func requests(_ options: WorldOptions) -> [String] {
        let shares: [(perMille: Int64, all: String, some: String)] = [
            (options.maximumHolds, "requests", "have a maximum hold"),
            (options.maximumAttempts, "requests", "have a maximum of attempts"),
            (options.otherExtensions, "extensions by hand", "are by another ttl"),
            (options.bodies, "leases that extend themselves", "are for a body"),
        ]
        var lines = shares.filter { $0.perMille > 0 }.map { "Of 1000 \($0.all), \($0.perMille) \($0.some)." }
        if options.logTime > 0 {
            lines.append("A log that is switched on takes \(Format.length(options.logTime)) to be written.")
        }
        return lines
    }

    /// How clients are configured that differ from the world.
    private static func settings(_ options: WorldOptions) -> [String] {
        options.clientSettings.enumerated().compactMap { client, settings in
            var parts: [String] = []
            if let ttl = settings.ttl { parts.append("a ttl of \(Format.length(ttl))") }
            if let longest = settings.longestTTL { parts.append("a longest ttl of \(Format.length(longest))") }
            if let timeout = settings.nodeTimeout { parts.append("a node timeout of \(Format.length(timeout))") }
            if let delay = settings.fallbackDelay { parts.append("a fallback delay of \(Format.length(delay))") }
            if let drift = settings.driftPartsPerMillion { parts.append("a drift of \(drift) ppm") }
            if let trusts = settings.trustsDurableNodes {
                parts.append(trusts ? "trust in durable nodes" : "no trust in durable nodes")
            }
            return parts.isEmpty ? nil : "Client \(client) has \(parts.joined(separator: ", "))."
        }
    }

    /// What happens in a schedule, one line a thing.
    package static func lines(_ schedule: Schedule) -> [String] {
        var lines = ["The world: \(world(schedule.options))."]
        lines += requests(schedule.options) + settings(schedule.options)
        if let name = schedule.mutant, let mutant = Mutant.named(name) {
            lines.append("The library is broken on purpose (\(name)): \(mutant.summary).")
        }
        if schedule.faults.isEmpty { lines.append("Nothing goes wrong.") }
        for fault in schedule.faults { lines.append("At \(Format.seconds(fault.at)): \(fault.sentence).") }
        for step in schedule.script { lines.append("At \(Format.seconds(step.at)): \(step.sentence).") }
        return lines
    }

    /// The verdict, and what led to it.
    package static func verdict(_ outcome: Outcome, of schedule: Schedule) -> [String] {
        guard let worst = outcome.worst else {
            return [
                "Held: no promise was broken in \(Format.count(outcome.grants, "grant")) and "
                    + "\(Format.count(outcome.attempts, "attempt"))."
            ]
        }
        var lines = ["\(worst.oracle.rawValue) at \(Format.seconds(worst.at)): \(worst.message)."]
        if let breach = worst.excuse {
            let first =
                breach.at < breach.latest ? ", and first at \(Format.seconds(breach.at)) by \(breach.subject)" : ""
            lines.append(
                "Inconclusive: an assumption was broken before, at \(Format.seconds(breach.latest)) by "
                    + "\(breach.latestSubject)\(first). "
                    + "It was not true any more that \(breach.assumption.rawValue).")
        } else {
            lines.append(
                "Violated: no assumption of the algorithm was broken. "
                    + (schedule.mutant == nil ? "This is a bug." : "The library was broken on purpose."))
        }
        return lines
    }
}

extension Schedule.Step {
    var sentence: String {
        let ttl = ttl > 0 ? " with a ttl of \(Format.length(ttl))" : ""
        switch action {
        case .acquire:
            return "worker \(worker) wants the lock\(ttl), and waits up to \(Format.length(wait))"
                + (extendsItself ? "; the lease extends itself" : "")
                + (maximumHold > 0 ? "; it may hold for \(Format.length(maximumHold))" : "")
                + (maximumAttempts > 0 ? "; it may make \(Format.count(maximumAttempts, "attempt"))" : "")
        case .extend: return "worker \(worker) extends its lease\(ttl)"
        case .release: return "worker \(worker) releases"
        case .cancel: return "worker \(worker) does not want it any more"
        case .write: return "worker \(worker) checks its lease, and writes \(Format.length(max(delay, 1))) later"
        }
    }
}
