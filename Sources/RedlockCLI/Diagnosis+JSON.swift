import CommandSupport
import RedlockCore
import RedlockDoctor

// The diagnosis for programs. What a node does not tell is left out.

extension Diagnosis {
    /// Changes with the meaning of a member; new members do not change it.
    private static let schema = "redlock-doctor"
    private static let schemaVersion = 1

    var json: String {
        var object = JSONObject()
        object.add("schema", Self.schema)
        object.add("version", Self.schemaVersion)
        object.add("redlock", version)
        object.add("time", Timestamp.now)
        object.add("verdict", verdict.rawValue)
        object.add("exit_code", Int(exitCode))
        object.add("quorum", quorum)
        object.add("voting", voting)
        object.add("bears", bears)
        object.add("bears_more", bearsMore)
        object.add("nodes", reports.map { $0.json(votes: votes($0.node)) })
        object.add("findings", findings.map(\.json))
        return object.text
    }
}

extension Finding {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("severity", severity.rawValue)
        object.add("code", code.rawValue)
        object.add("nodes", nodes)
        object.add("costs_vote", costsVote)
        object.add("seen", seen)
        object.add("risk", risk)
        object.add("change", change)
        return object
    }
}

extension NodeReport {
    fileprivate func json(votes: Bool) -> JSONObject {
        var object = JSONObject()
        object.add("node", node)
        object.add("reachable", server != nil)
        object.add("votes", votes)
        server?.add(to: &object)
        return object
    }
}

extension ServerReport {
    fileprivate func add(to object: inout JSONObject) {
        object.add("round_trip_us", roundTrip.median.microseconds)
        object.add("longest_round_trip_us", roundTrip.longest.microseconds)
        if let version {
            object.add("server", version.product)
            object.add("server_version", version.numbers.map(String.init).joined(separator: "."))
        }
        if let mode { object.add("mode", mode.rawValue) }
        if let isReplica { object.add("role", isReplica ? "replica" : "master") }
        if let replicas { object.add("replicas", Int(replicas)) }
        if let runID { object.add("run_id", runID) }
        if let uptime { object.add("uptime_us", uptime.microseconds) }
        object.add("quarantine_left_us", quarantineLeft.microseconds)
        if let keepsLog = persistence.keepsLog { object.add("appendonly", keepsLog) }
        if let fsync = persistence.fsync { object.add("appendfsync", fsync) }
        if let policy = memory.policy { object.add("maxmemory_policy", policy) }
        if let limit = memory.limit { object.add("maxmemory_bytes", Int(limit)) }
        if let used = memory.used { object.add("used_memory_bytes", Int(used)) }
        if let evicted = memory.evictedKeys { object.add("evicted_keys", Int(evicted)) }
        if let clock {
            object.add("clock_offset_us", clock.offset.microseconds)
            object.add("clock_uncertainty_us", clock.uncertainty.microseconds)
        }
        object.add("missing_rights", missingRights.map(\.right.rule))
        if let loop {
            object.add("loop_share", loop.share)
            object.add("loop_share_is_recent", loop.isRecent)
        }
    }
}

extension Nanoseconds {
    fileprivate var microseconds: Int { Int(count / 1_000) }
}
