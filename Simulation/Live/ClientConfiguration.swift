internal import Redlock
internal import RedlockSimulation

/// How the clients of a live run are configured: all of it, in one place, as a client process is given it.
struct ClientConfiguration: Hashable, Sendable {
    var nodeTimeout: Int64
    var connectTimeout: Int64
    var retryDelay: Int64
    var retryJitter: Int64
    var driftPartsPerMillion: Int64
    /// Negative for the library's own choice.
    var lossMargin: Int64
    /// Whether leases get fencing tokens.
    var fencing: Bool
    /// The longest ttl that is asked for, which is the upper limit of what may be.
    var longestTTL: Int64
    /// Zero for none, negative for the longest ttl.
    var quarantine: Int64
    var guardsClocks: Bool
    var trustsDurableNodes: Bool
    var fallbackDelay: Int64
    /// Zero for the library's own choice.
    var maximumHold: Int64 = 0
    /// Zero for no limit.
    var maximumAttempts = 0

    /// Of one client of a world.
    init(_ options: WorldOptions, client: Int) {
        nodeTimeout = options.nodeTimeout(of: client)
        connectTimeout = options.connectTimeout
        retryDelay = options.retryDelay
        retryJitter = options.retryJitter
        driftPartsPerMillion = options.drift(of: client)
        lossMargin = options.lossMargin
        longestTTL = options.clientSettings.isEmpty ? options.ttl : options.longestTTL(of: client)
        fencing = client < options.fencedClients
        quarantine = options.quarantine > 0 ? options.quarantineLength(of: client) : options.quarantine
        guardsClocks = options.guardsClocks
        trustsDurableNodes = options.trustsDurableNodes(client)
        fallbackDelay = options.fallbackDelay(of: client)
    }

    /// The library's configuration of that.
    var redlock: Redlock.Configuration {
        var configuration = Redlock.Configuration()
        configuration.nodeTimeout = .nanoseconds(nodeTimeout)
        configuration.connectTimeout = .nanoseconds(connectTimeout)
        configuration.retryDelay = .nanoseconds(retryDelay)
        configuration.retryJitter = .nanoseconds(retryJitter)
        configuration.driftFactor = Double(driftPartsPerMillion) / 1_000_000
        configuration.lossMargin = lossMargin < 0 ? nil : .nanoseconds(lossMargin)
        configuration.fencing = fencing
        configuration.ttlLimits = Swift.min(.nanoseconds(longestTTL), .milliseconds(10)) ... .nanoseconds(longestTTL)
        if quarantine == 0 { configuration.quarantine = .off }
        if quarantine > 0 { configuration.quarantine = .lasting(.nanoseconds(quarantine)) }
        configuration.clockGuard = guardsClocks
        configuration.trustsDurableNodes = trustsDurableNodes
        configuration.fallbackDelay = .nanoseconds(fallbackDelay)
        if maximumHold > 0 { configuration.maximumHold = .nanoseconds(maximumHold) }
        if maximumAttempts > 0 { configuration.maximumAttempts = maximumAttempts }
        return configuration
    }

    var json: JSON {
        .record([
            "node_timeout_us": .number(nodeTimeout / 1_000), "connect_timeout_us": .number(connectTimeout / 1_000),
            "retry_delay_us": .number(retryDelay / 1_000), "retry_jitter_us": .number(retryJitter / 1_000),
            "drift_ppm": .number(driftPartsPerMillion), "loss_margin_us": .number(lossMargin / 1_000),
            "fencing": .bool(fencing), "longest_ttl_us": .number(longestTTL / 1_000),
            "quarantine_us": .number(quarantine / 1_000), "clock_guard": .bool(guardsClocks),
            "trusts_durable_nodes": .bool(trustsDurableNodes), "fallback_delay_us": .number(fallbackDelay / 1_000),
            "maximum_hold_us": .number(maximumHold / 1_000), "maximum_attempts": JSON(maximumAttempts),
        ])
    }

    init?(json: JSON) {
        func time(_ key: String) -> Int64? {
            guard case .number(let number)? = json[key] else { return nil }
            return number
        }
        guard let nodeTimeout = time("node_timeout_us"), let connectTimeout = time("connect_timeout_us"),
            let retryDelay = time("retry_delay_us"), let retryJitter = time("retry_jitter_us"),
            let drift = time("drift_ppm"), let lossMargin = time("loss_margin_us"),
            let longestTTL = time("longest_ttl_us"), case .bool(let fencing)? = json["fencing"],
            let quarantine = time("quarantine_us"), case .bool(let guardsClocks)? = json["clock_guard"],
            case .bool(let trustsDurableNodes)? = json["trusts_durable_nodes"],
            let fallbackDelay = time("fallback_delay_us"), let maximumHold = time("maximum_hold_us"),
            let maximumAttempts = time("maximum_attempts")
        else { return nil }
        self.nodeTimeout = nodeTimeout * 1_000
        self.connectTimeout = connectTimeout * 1_000
        self.retryDelay = retryDelay * 1_000
        self.retryJitter = retryJitter * 1_000
        driftPartsPerMillion = drift
        self.lossMargin = lossMargin * 1_000
        self.longestTTL = longestTTL * 1_000
        self.fencing = fencing
        self.quarantine = quarantine * 1_000
        self.guardsClocks = guardsClocks
        self.trustsDurableNodes = trustsDurableNodes
        self.fallbackDelay = fallbackDelay * 1_000
        self.maximumHold = maximumHold * 1_000
        self.maximumAttempts = Int(maximumAttempts)
    }
}
