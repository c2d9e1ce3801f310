/// How one client is configured, where that differs from the world.
///
/// The world's ttl, node timeout and fallback delay are the longest of all clients: bounds are computed from them.
package struct ClientSettings: Hashable, Sendable {
    /// Of its acquires, in nanoseconds; at most the world's.
    package var ttl: Int64?
    /// In nanoseconds; at most the world's.
    package var nodeTimeout: Int64?
    /// In nanoseconds; at most the world's.
    package var fallbackDelay: Int64?
    /// The longest ttl that it reckons with, and its quarantine; in nanoseconds, at least its own ttl. Without a quarantine in
    /// the world it has none either.
    package var longestTTL: Int64?
    package var driftPartsPerMillion: Int64?
    package var trustsDurableNodes: Bool?

    package init() {}
}

extension WorldOptions {
    private func settings(of client: Int) -> ClientSettings? {
        client < clientSettings.count ? clientSettings[client] : nil
    }

    package func ttl(of client: Int) -> Int64 { min(settings(of: client)?.ttl ?? ttl, ttl) }

    package func nodeTimeout(of client: Int) -> Int64 {
        min(settings(of: client)?.nodeTimeout ?? nodeTimeout, nodeTimeout)
    }

    package func fallbackDelay(of client: Int) -> Int64 {
        min(settings(of: client)?.fallbackDelay ?? fallbackDelay, fallbackDelay)
    }

    package func drift(of client: Int) -> Int64 {
        settings(of: client)?.driftPartsPerMillion ?? driftPartsPerMillion
    }

    package func trustsDurableNodes(_ client: Int) -> Bool {
        settings(of: client)?.trustsDurableNodes ?? trustsDurableNodes
    }

    /// Zero for none.
    package func quarantineLength(of client: Int) -> Int64 {
        guard let longest = settings(of: client)?.longestTTL, quarantineLength > 0 else { return quarantineLength }
        return longest
    }

    package func longestTTL(of client: Int) -> Int64 {
        settings(of: client)?.longestTTL ?? max(ttl, quarantineLength)
    }

    /// The clients whose longest ttl is shorter than a ttl that another asks for.
    package var shortSighted: [Int] {
        let longest = (0..<clients).reduce(0) { max($0, ttl(of: $1)) }
        return (0..<clients).filter { longestTTL(of: $0) < longest }
    }

    /// The shortest ttl that is asked for by default, and the shortest fallback.
    var shortestTTL: Int64 { clientSettings.reduce(ttl) { min($0, $1.ttl ?? ttl) } }
    var shortestFallback: Int64 { clientSettings.reduce(fallbackDelay) { min($0, $1.fallbackDelay ?? fallbackDelay) } }

    /// The world as one client is configured for it.
    package func asSeen(by client: Int) -> WorldOptions {
        var options = self
        options.ttl = ttl(of: client)
        options.nodeTimeout = nodeTimeout(of: client)
        options.fallbackDelay = fallbackDelay(of: client)
        options.driftPartsPerMillion = drift(of: client)
        options.trustsDurableNodes = trustsDurableNodes(client)
        options.clientSettings = []
        return options
    }
}

// MARK: - JSON

extension ClientSettings {
    var json: JSON {
        func time(_ nanoseconds: Int64?) -> JSON? { nanoseconds.map { .number($0 / 1_000) } }
        return .record([
            "ttl_us": time(ttl), "node_timeout_us": time(nodeTimeout), "fallback_delay_us": time(fallbackDelay),
            "longest_ttl_us": time(longestTTL), "drift_ppm": driftPartsPerMillion.map { .number($0) },
            "trusts_durable_nodes": trustsDurableNodes.map { .bool($0) },
        ])
    }

    /// - Parameter world: What the client's numbers are compared with.
    init(json: JSON, _ world: WorldOptions) throws(ScheduleError) {
        let record = try JSONRecord(
            json, "a client's settings",
            keys: [
                "ttl_us", "node_timeout_us", "fallback_delay_us", "longest_ttl_us", "drift_ppm",
                "trusts_durable_nodes",
            ])
        func time(_ key: String, _ least: Int64, atMost most: Int64) throws(ScheduleError) -> Int64? {
            guard let time = try record.optionalTime(key) else { return nil }
            guard time >= least, time <= most else {
                throw ScheduleError(
                    "\"\(key)\" of a client is \(time / 1_000); it must be from \(least / 1_000) to \(most / 1_000)")
            }
            return time
        }
        let millisecond = WorldOptions.milliseconds(1)
        ttl = try time("ttl_us", 3 * millisecond, atMost: world.ttl)
        nodeTimeout = try time("node_timeout_us", millisecond, atMost: world.nodeTimeout)
        fallbackDelay = try time("fallback_delay_us", millisecond, atMost: world.fallbackDelay)
        longestTTL = try time("longest_ttl_us", ttl ?? world.ttl, atMost: ScheduleError.longest * 1_000)
        driftPartsPerMillion = try record.optionalNumber("drift_ppm", 0...500_000)
        trustsDurableNodes = try record.optionalBool("trusts_durable_nodes")
    }
}
