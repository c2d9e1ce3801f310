extension WorldOptions {
    package var json: JSON {
        func time(_ nanoseconds: Int64) -> JSON { .number(nanoseconds / 1_000) }
        func list(_ numbers: [Int64]) -> JSON? { numbers.isEmpty ? nil : .array(numbers.map { .number($0) }) }
        return .record([
            "nodes": JSON(nodes), "clients": JSON(clients), "workers_per_client": JSON(workersPerClient),
            "resources": JSON(resources), "persistence": .string(persistence.rawValue),
            "snapshot_period_us": time(snapshotPeriod), "ttl_us": time(ttl), "node_timeout_us": time(nodeTimeout),
            "connect_timeout_us": time(connectTimeout), "retry_delay_us": time(retryDelay),
            "retry_jitter_us": time(retryJitter), "fallback_delay_us": time(fallbackDelay),
            "foreign_clients": foreignClients == 0 ? nil : JSON(foreignClients),
            "drift_ppm": .number(driftPartsPerMillion),
            "loss_margin_us": lossMargin < 0 ? nil : time(lossMargin),
            "quarantine_us": quarantine < 0 ? nil : time(quarantine), "clock_guard": .bool(guardsClocks),
            "trusts_durable_nodes": trustsDurableNodes ? true : nil, "delay_us": time(delay),
            "jitter_us": time(jitter), "two_sites": .bool(twoSites), "self_extending_per_mille": .number(selfExtending),
            "cancelled_per_mille": .number(cancelled), "hold_us": time(hold),
            "check_to_write_us": checkToWrite == Self().checkToWrite ? nil : time(checkToWrite),
            "visits_first": visitsFirst ? true : nil, "think_us": time(think), "wait_us": time(wait),
            "node_rates_ppb": list(nodeRates), "client_rates_ppb": list(clientRates),
            "fenced_clients": fencedClients == 0 ? nil : JSON(fencedClients),
            "late_writes_per_mille": lateWrites == 0 ? nil : .number(lateWrites),
            "wall_skew_us": wallSkew == 0 ? nil : time(wallSkew),
            "views": views.isEmpty ? nil : .array(views.map { .array($0.map { JSON($0) }) }),
            "client_settings": clientSettings.isEmpty ? nil : .array(clientSettings.map(\.json)),
            "log_time_us": logTime == 0 ? nil : time(logTime),
            "maximum_hold_per_mille": maximumHolds == 0 ? nil : .number(maximumHolds),
            "maximum_attempts_per_mille": maximumAttempts == 0 ? nil : .number(maximumAttempts),
            "other_extensions_per_mille": otherExtensions == 0 ? nil : .number(otherExtensions),
            "bodies_per_mille": bodies == 0 ? nil : .number(bodies),
            "scripted": .bool(scripted),
        ])
    }

    package init(json: JSON) throws(ScheduleError) {
        let record = try JSONRecord(json, "the world", keys: Self.keys)
        self.init()
        nodes = Int(try record.number("nodes", 1...15))
        clients = Int(try record.number("clients", 1...64))
        workersPerClient = Int(try record.optionalNumber("workers_per_client", 1...4) ?? 1)
        resources = Int(try record.optionalNumber("resources", 1...26) ?? 1)
        if let name = try record.optionalString("persistence") {
            guard let known = Persistence(rawValue: name) else {
                throw ScheduleError("there is no persistence \"\(name)\"")
            }
            persistence = known
        }
        func set(_ value: inout Int64, _ key: String, atLeast least: Int64 = 0) throws(ScheduleError) {
            guard let time = try record.optionalTime(key) else { return }
            guard time >= least else { throw ScheduleError("\"\(key)\" must be at least \(least / 1_000)") }
            value = time
        }
        try set(&snapshotPeriod, "snapshot_period_us", atLeast: 1_000)
        try set(&ttl, "ttl_us", atLeast: Self.milliseconds(3))
        try set(&nodeTimeout, "node_timeout_us", atLeast: Self.milliseconds(1))
        try set(&connectTimeout, "connect_timeout_us", atLeast: Self.milliseconds(1))
        try set(&retryDelay, "retry_delay_us", atLeast: Self.milliseconds(1))
        try set(&retryJitter, "retry_jitter_us")
        try set(&fallbackDelay, "fallback_delay_us", atLeast: Self.milliseconds(1))
        foreignClients = Int(try record.optionalNumber("foreign_clients", 0...64) ?? 0)
        try set(&lossMargin, "loss_margin_us")
        try set(&quarantine, "quarantine_us")
        trustsDurableNodes = try record.optionalBool("trusts_durable_nodes") ?? false
        guardsClocks = try record.optionalBool("clock_guard") ?? guardsClocks
        try set(&delay, "delay_us", atLeast: 1_000)
        try set(&jitter, "jitter_us")
        try set(&hold, "hold_us", atLeast: 1_000)
        try set(&checkToWrite, "check_to_write_us", atLeast: 1_000)
        visitsFirst = try record.optionalBool("visits_first") ?? false
        try set(&think, "think_us")
        try set(&wait, "wait_us")
        try set(&wallSkew, "wall_skew_us")
        lateWrites = try record.optionalNumber("late_writes_per_mille", 0...1_000) ?? 0
        fencedClients = Int(try record.optionalNumber("fenced_clients", 0...64) ?? 0)
        driftPartsPerMillion = try record.optionalNumber("drift_ppm", 0...500_000) ?? driftPartsPerMillion
        twoSites = try record.optionalBool("two_sites") ?? false
        selfExtending = try record.optionalNumber("self_extending_per_mille", 0...1_000) ?? selfExtending
        cancelled = try record.optionalNumber("cancelled_per_mille", 0...1_000) ?? cancelled
        scripted = try record.optionalBool("scripted") ?? false
        nodeRates = try record.numbers("node_rates_ppb", -999_999_999...9_000_000_000, atMost: nodes)
        clientRates = try record.numbers("client_rates_ppb", -999_999_999...9_000_000_000, atMost: clients)
        try set(&logTime, "log_time_us")
        maximumHolds = try record.optionalNumber("maximum_hold_per_mille", 0...1_000) ?? 0
        maximumAttempts = try record.optionalNumber("maximum_attempts_per_mille", 0...1_000) ?? 0
        otherExtensions = try record.optionalNumber("other_extensions_per_mille", 0...1_000) ?? 0
        bodies = try record.optionalNumber("bodies_per_mille", 0...1_000) ?? 0
        if record.has("client_settings") {
            for settings in try record.array("client_settings", atMost: clients) {
                clientSettings.append(try ClientSettings(json: settings, self))
            }
        }
        if record.has("views") {
            for view in try record.array("views", atMost: clients) {
                let list = try JSONRecord(.record(["view": view]), "a view", keys: ["view"])
                views.append(try list.indices("view", of: "node", below: nodes))
            }
        }
    }

    private static let keys = [
        "nodes", "clients", "workers_per_client", "resources", "persistence", "snapshot_period_us", "ttl_us",
        "node_timeout_us", "connect_timeout_us", "retry_delay_us", "retry_jitter_us", "fallback_delay_us",
        "foreign_clients", "drift_ppm", "loss_margin_us", "quarantine_us", "clock_guard",
        "trusts_durable_nodes", "delay_us", "jitter_us",
        "two_sites", "self_extending_per_mille", "cancelled_per_mille", "hold_us", "check_to_write_us",
        "visits_first", "think_us", "wait_us",
        "node_rates_ppb", "client_rates_ppb", "fenced_clients", "late_writes_per_mille", "wall_skew_us", "views",
        "client_settings", "log_time_us", "maximum_hold_per_mille", "maximum_attempts_per_mille",
        "other_extensions_per_mille", "bodies_per_mille", "scripted",
    ]
}
