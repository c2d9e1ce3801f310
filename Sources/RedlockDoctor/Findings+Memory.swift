import RedlockCore

extension NodeFindings {
    /// Whether what it granted survives its crash.
    package static func persistence(_ server: ServerReport, _ expected: Expectations) -> [Finding] {
        let persistence = server.persistence
        let ttl = expected.longestTTL.words
        let risk =
            "Restarted, it may have forgotten locks, and so has no vote for \(ttl), the longest ttl. "
            + "If a majority restarts, nobody gets a lock for so long."
        func warning(_ code: Finding.Code, _ seen: String, _ change: String) -> [Finding] {
            [Finding(.warning, code, seen: seen, risk: risk, change: change)]
        }
        guard let keepsLog = persistence.keepsLog, server.notReady == nil else { return [] }
        if !keepsLog {
            return warning(
                .noLog, "it keeps no log of its writes", "Set `appendonly yes` and `appendfsync always`.")
        }
        if persistence.lastWriteFailed {
            return warning(.logFailed, "it could not write its log", "See to its disk: full, read-only, broken?")
        }
        switch persistence.fsync {
        case nil:
            // Where the right is missing, that is said.
            guard server.unverified != nil, !server.missingRights.contains(where: { $0.right.rule == "+config|get" })
            else { return [] }
            return warning(
                .fsyncUnknown, "it keeps a log, and does not tell how often that is put on the disk",
                "Have CONFIG GET *appendfsync* answered.")
        case "always" where persistence.pausesOnRewrite:
            return warning(
                .fsyncPaused, "it does not sync while it rewrites its log", "Set `no-appendfsync-on-rewrite no`.")
        case "always": return []
        case "everysec":
            return warning(
                .fsyncNotAlways, "it puts its log on the disk every second: a power failure loses the last one",
                "Set `appendfsync always`.")
        case .some(let policy):
            return warning(
                .fsyncNotAlways, "it leaves it to the system when its log is put on the disk (appendfsync \(policy))",
                "Set `appendfsync always`.")
        }
    }

    package static func quarantine(_ server: ServerReport) -> [Finding] {
        // What is no node of a lock has told its reason.
        guard let quarantine = server.quarantine, case .started = quarantine.reason, server.isReplica != true,
            server.mode != .cluster, server.mode != .sentinel
        else { return [] }
        return [
            Finding(
                .problem, .inQuarantine,
                seen: "it was started a short while ago and may have forgotten locks",
                risk: "Clients give it no vote for another \(server.quarantineLeft.secondsInWords).",
                change:
                    "Wait, and restart no other node meanwhile. With every write on the disk it would vote at once.",
                costsVote: true)
        ]
    }

    /// Whether it may throw locks away, or run out of room for them.
    package static func memory(_ server: ServerReport) -> [Finding] {
        let memory = server.memory
        var findings: [Finding] = []
        let limit = memory.limit ?? 0
        if let policy = memory.policy, policy != "noeviction" {
            let change = "Set `maxmemory-policy noeviction`: full, it then refuses, which harms nobody."
            findings.append(
                limit > 0
                    ? Finding(
                        .warning, .evicts, seen: "it makes room by deleting keys (\(policy), at \(limit.bytes))",
                        risk: "Locks are deleted while they are held, and others get them.", change: change)
                    : Finding(
                        .note, .wouldEvict, seen: "its policy is \(policy), and maxmemory is not set",
                        risk: "As soon as somebody sets a limit, locks are deleted while they are held.",
                        change: change))
        }
        if let evicted = memory.evictedKeys, evicted > 0 {
            findings.append(
                Finding(
                    .warning, .evicted, seen: "it has deleted \(evicted) keys for want of memory since it was started",
                    risk: "Locks may have been among them.",
                    change: "Give it more memory, or no other work than the lock; `maxmemory-policy noeviction`."))
        }
        if limit > 0, let used = memory.used, Double(used) >= Double(limit) * Expectations.memoryShare,
            server.refusal?.hasPrefix("OOM") != true
        {
            findings.append(
                Finding(
                    .warning, .memoryNearlyFull,
                    seen: "it uses \((Double(used) / Double(limit)).percent) of its \(limit.bytes)",
                    risk: "Full, it refuses locks (OOM), or deletes keys where its policy says so.",
                    change: "Raise `maxmemory`, or find what fills it (redis-cli --bigkeys)."))
        }
        return findings
    }

    /// Whether it takes a key at all. What replicas and others refuse is told as what they are.
    package static func writing(_ server: ServerReport) -> [Finding] {
        guard let refusal = server.refusal, server.mode != .cluster, server.mode != .sentinel,
            server.isReplica != true, server.notReady == nil
        else { return [] }
        let change =
            switch refusal.prefix(while: { $0 != " " }) {
            case "OOM": "Raise `maxmemory`, or find what fills it (redis-cli --bigkeys)."
            case "MISCONF": "See its log: its disk takes no snapshot or log. Without snapshots: `save \"\"`."
            case "NOREPLICAS": "Set `min-replicas-to-write 0`: a node of the lock has no replicas."
            default: "See its log."
            }
        return [
            Finding(
                .problem, .refusesWrites, seen: "it refuses to set a key (\(refusal))",
                risk: "It has no vote until it takes keys again.", change: change, costsVote: true)
        ]
    }
}
