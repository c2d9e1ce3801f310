import RedlockCore
import RedlockRedis

extension NodeFindings {
    /// What kind of server it is: a lock needs one that stands for itself.
    package static func role(_ server: ServerReport) -> [Finding] {
        switch server.mode {
        case .cluster:
            return [
                Finding(
                    .problem, .cluster, seen: "{it is a node|they are nodes} of a Redis Cluster",
                    risk:
                        "{It refuses|They refuse} most keys (MOVED), and a replica that takes over grants "
                        + "again what was granted.",
                    change: "Take {a server of its own|servers of their own}, with `cluster-enabled no`.",
                    costsVote: true)
            ]
        case .sentinel:
            return [
                Finding(
                    .problem, .sentinel, seen: "{it is a Sentinel, not a server|they are Sentinels, not servers}",
                    risk: "{It stores no keys, so it has|They store no keys, so they have} no vote.",
                    change: "Give the {address of a server of its own|addresses of servers of their own}.",
                    costsVote: true)
            ]
        case .standalone, nil: break
        }
        if server.isReplica == true {
            return [
                Finding(
                    .problem, .replica, seen: "{it is a replica|they are replicas}",
                    risk:
                        "{It refuses|They refuse} writes (READONLY). "
                        + "If {it|one} took over, it would grant locks that it has not heard of.",
                    change:
                        "Make {it a server of its own|them servers of their own} (REPLICAOF NO ONE), or "
                        + "take {it|them} out of the list.",
                    costsVote: true)
            ]
        }
        guard let replicas = server.replicas, replicas > 0 else { return [] }
        return [
            Finding(
                .warning, .hasReplicas,
                seen: "{it has|they have} \(replicas == 1 ? "a replica" : "\(replicas) replicas")",
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
                .warning, .oldVersion, seen: "{it is|they are} \(version.text)",
                risk:
                    "{It is|They are} older than what the lock is tested with, and {has|have} no users with "
                    + "rights of their own.",
                change: "Upgrade {it|them} to 7 or later, one node at a time.")
        ]
    }

    /// Whether it can serve, and says what it is.
    package static func readiness(_ server: ServerReport) -> [Finding] {
        if let notReady = server.notReady { return [finding(notReady)] }
        // Where the user lacks the right, that is told with the other rights.
        if let refusal = server.infoRefusal, let right = Right.all.first(where: { $0.rule == "+info" }),
            !server.missingRights.contains(where: { $0.right == right })
        {
            return [
                Finding(
                    .problem, .infoDenied,
                    seen: "{it does not say what it is|they do not say what they are} (\(refusal))", risk: right.loss,
                    change:
                        "See what answers at {this address|these addresses}: a proxy? Give the {server's own address|servers' own addresses}.",
                    costsVote: true)
            ]
        }
        guard case .malformed(let what)? = server.quarantine?.reason else { return [] }
        return [
            Finding(
                .problem, .malformed,
                seen: "what {it says of itself|they say of themselves} makes no sense (\(what))",
                risk:
                    "{It may be any server|They may be any servers}, started at any time: clients give "
                    + "{it|them} no vote for the longest ttl.",
                change: "See what answers at {this address|these addresses}: a proxy?", costsVote: true)
        ]
    }
}

extension NodeFindings {
    private static func finding(_ notReady: NodeFactsReader.NotReady) -> Finding {
        func finding(_ code: Finding.Code, _ seen: Wording, _ change: Wording) -> Finding {
            Finding(
                .problem, code, seen: seen, risk: "{It has no vote|They have no vote} for so long.", change: change,
                costsVote: true)
        }
        let reason = notReady.reason
        return switch notReady.cause {
        case .loading:
            finding(
                .loading, "{it is|they are} not ready (\(reason))",
                "Wait; {its log tells how far it is|their logs tell how far they are}.")
        case .script:
            finding(
                .scriptRuns, "a script blocks {it|them} (\(reason))",
                "Wait until the script ends, or end the script with SCRIPT KILL or FUNCTION KILL, if nothing is "
                    + "written yet. SLOWLOG GET shows the script afterwards.")
        case .other:
            finding(
                .notServing, "{it does|they do} not serve now (\(reason))",
                "See what answers at {this address|these addresses}, and {its log|their logs}.")
        }
    }
}
