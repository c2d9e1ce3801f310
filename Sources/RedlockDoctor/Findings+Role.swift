import RedlockCore

extension NodeFindings {
    /// What kind of server it is: a lock needs one that stands for itself.
    package static func role(_ server: ServerReport) -> [Finding] {
        switch server.mode {
        case .cluster:
            return [
                Finding(
                    .problem, .cluster, seen: "it is a node of a Redis Cluster",
                    risk: "It refuses most keys (MOVED), and a replica that takes over grants again what was granted.",
                    change: "Take a server of its own, with `cluster-enabled no`.", costsVote: true)
            ]
        case .sentinel:
            return [
                Finding(
                    .problem, .sentinel, seen: "it is a Sentinel, not a server",
                    risk: "It stores no keys, so it has no vote.", change: "Give the address of a server of its own.",
                    costsVote: true)
            ]
        case .standalone, nil: break
        }
        if server.isReplica == true {
            return [
                Finding(
                    .problem, .replica, seen: "it is a replica",
                    risk:
                        "It refuses writes (READONLY). If it took over, it would grant locks that it has not heard of.",
                    change: "Make it a server of its own (REPLICAOF NO ONE), or take it out of the list.",
                    costsVote: true)
            ]
        }
        guard let replicas = server.replicas, replicas > 0 else { return [] }
        return [
            Finding(
                .warning, .hasReplicas, seen: "it has \(replicas == 1 ? "a replica" : "\(replicas) replicas")",
                risk: "A replica that takes over lacks the latest writes, and grants again what was granted.",
                change:
                    "Take the replicas away: the other nodes are the replication. At least see that none takes over.")
        ]
    }

    package static func version(_ server: ServerReport) -> [Finding] {
        guard let version = server.version, version.product == "Redis",
            version.numbers.lexicographicallyPrecedes(Expectations.oldestRedis)
        else { return [] }
        return [
            Finding(
                .warning, .oldVersion, seen: "it is \(version.text)",
                risk: "It is older than what the lock is tested with, and has no users with rights of their own.",
                change: "Upgrade it to 7 or later, one node at a time.")
        ]
    }

    /// Whether it can serve, and says what it is.
    package static func readiness(_ server: ServerReport) -> [Finding] {
        if let reason = server.notReady {
            return [
                Finding(
                    .problem, .loading, seen: "it is not ready (\(reason))", risk: "It has no vote until it is.",
                    change: "Wait; its log tells how far it is.", costsVote: true)
            ]
        }
        guard case .malformed(let what)? = server.quarantine?.reason else { return [] }
        return [
            Finding(
                .problem, .malformed, seen: "what it says of itself makes no sense (\(what))",
                risk: "It may be any server, started at any time: clients give it no vote for the longest ttl.",
                change: "See what answers at this address: a proxy?", costsVote: true)
        ]
    }
}
