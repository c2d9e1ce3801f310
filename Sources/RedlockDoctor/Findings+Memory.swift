import RedlockCore

extension NodeFindings {
    /// Whether what it granted survives its crash.
    package static func persistence(_ server: ServerReport, _ expected: Expectations) -> [Finding] {
        let persistence = server.persistence
        let ttl = expected.longestTTL.words
        let risk: Wording =
            "Restarted, "
            + "{it|they} may have forgotten locks, and so {has|have} no vote for \(ttl), the longest ttl. "
            + "If a majority restarts, nobody gets a lock for so long."
        func warning(_ code: Finding.Code, _ seen: Wording, _ change: Wording) -> [Finding] {
            [Finding(.warning, code, seen: seen, risk: risk, change: change)]
        }
        guard let keepsLog = persistence.keepsLog, server.notReady == nil else { return [] }
        if !keepsLog {
            return warning(
                .noLog, "{it keeps no log of its|they keep no log of their} writes",
                "Set `appendonly yes` and `appendfsync always`.")
        }
        if persistence.lastWriteFailed {
            return warning(
                .logFailed, "{it could not write its log|they could not write their logs}",
                "See to {its disk|their disks}: full, read-only, broken?")
        }
        switch persistence.fsync {
        case nil:
            // Where the right is missing, that is said.
            guard server.unverified != nil, !server.missingRights.contains(where: { $0.right.rule == "+config|get" })
            else { return [] }
            return warning(
                .fsyncUnknown,
                "{it keeps a log, and does|they keep a log, and do} not tell how often that is put on the disk",
                "Have CONFIG GET *appendfsync* answered.")
        case "always" where persistence.pausesOnRewrite:
            return warning(
                .fsyncPaused,
                "{it does not sync while it rewrites its log|they do not sync while they rewrite their logs}",
                "Set `no-appendfsync-on-rewrite no`.")
        case "always": return []
        case "everysec":
            return warning(
                .fsyncNotAlways,
                "{it puts its log|they put their logs} on the disk every second: a power failure loses the last one",
                "Set `appendfsync always`.")
        case .some(let policy):
            return warning(
                .fsyncNotAlways,
                "{it leaves|they leave} it to the system when {its log is|their logs are} put on the disk "
                    + "(appendfsync \(policy))",
                "Set `appendfsync always`.")
        }
    }

    package static func quarantine(_ server: ServerReport) -> [Finding] {
        // What is no node of a lock has told its reason.
        guard let quarantine = server.quarantine, server.isReplica != true, server.mode != .cluster,
            server.mode != .sentinel
        else { return [] }
        let left = server.quarantineLeft.secondsInWords
        switch quarantine.reason {
        case .started:
            // What it writes down now says nothing about the time before its start.
            let sooner: Wording =
                server.isDurable
                ? "Clients with `--trust-durable` do not wait: they trust that {it|they} always kept every write."
                : "A lower `--max-ttl` of all clients makes the wait shorter."
            return [
                Finding(
                    .problem, .inQuarantine,
                    seen: "{it was|they were} started a short while ago and may have forgotten locks",
                    risk: "Clients that did not know {it|them} before give {it|them} no vote for another \(left).",
                    change: "Wait, and restart no other node meanwhile. " + sooner, costsVote: true)
            ]
        case .replaced:
            return [
                Finding(
                    .problem, .promoted,
                    seen: "{it was a replica|they were replicas} since {its|their} start and may not know of all locks",
                    risk: "A client that connects gives {it|them} no vote for \(left).",
                    change:
                        "Restart {it|them}, so that {its|their} age counts. A node of the lock has no replicas.",
                    costsVote: true)
            ]
        case .clockSetBack:
            return [
                Finding(
                    .problem, .inQuarantine,
                    seen: "{its clock was|their clocks were} set back after the start, so locks may have ended early",
                    risk: "A client that connects gives {it|them} no vote for \(left).",
                    change:
                        "Let a time server keep the {clock|clocks}, and restart {it|them} once {it is|they are} right.",
                    costsVote: true)
            ]
        // These have findings of their own, or are nothing that one look can see.
        case .malformed, .unknown, .clockJumped, .keyGone:
            return []
        }
    }

    /// Whether it may throw locks away, or run out of room for them.
    package static func memory(_ server: ServerReport) -> [Finding] {
        let memory = server.memory
        var findings: [Finding] = []
        let limit = memory.limit ?? 0
        if let policy = memory.policy, policy != "noeviction" {
            let change: Wording =
                "Set `maxmemory-policy noeviction`: full, {it then refuses|they then refuse}, which harms nobody."
            findings.append(
                limit > 0
                    ? Finding(
                        .warning, .evicts,
                        seen: "{it makes|they make} room by deleting keys (\(policy), at \(limit.bytes))",
                        risk: "Locks are deleted while they are held, and others get them.", change: change)
                    : Finding(
                        .note, .wouldEvict, seen: "{its|their} policy is \(policy), and maxmemory is not set",
                        risk: "As soon as somebody sets a limit, locks are deleted while they are held.",
                        change: change))
        }
        if let evicted = memory.evictedKeys, evicted > 0 {
            findings.append(
                Finding(
                    .warning, .evicted,
                    seen:
                        "{it has|they have} deleted \(evicted == 1 ? "a key" : "\(evicted) keys") for want "
                        + "of memory since the start",
                    risk: "Locks may have been among them.",
                    change: "Give {it|them} more memory, or no other work than the lock; `maxmemory-policy "
                        + "noeviction`."
                ))
        }
        if limit > 0, let used = memory.used, Double(used) >= Double(limit) * Expectations.memoryShare,
            server.refusal?.hasPrefix("OOM") != true
        {
            findings.append(
                Finding(
                    .warning, .memoryNearlyFull,
                    seen: "{it uses|they use} \((Double(used) / Double(limit)).percent) of {its|their} "
                        + "\(limit.bytes)",
                    risk:
                        "Full, {it refuses|they refuse} locks (OOM), or "
                        + "{deletes keys where its|delete keys where their} policy says so.",
                    change: "Raise `maxmemory`, or find what fills {it|them} (redis-cli --bigkeys)."))
        }
        return findings
    }

    /// Whether it takes a key at all. What replicas and others refuse is told as what they are.
    package static func writing(_ server: ServerReport) -> [Finding] {
        guard let refusal = server.refusal, server.mode != .cluster, server.mode != .sentinel,
            server.isReplica != true, server.notReady == nil
        else { return [] }
        let change: Wording =
            switch refusal.prefix(while: { $0 != " " }) {
            case "OOM": "Raise `maxmemory`, or find what fills {it|them} (redis-cli --bigkeys)."
            case "MISCONF":
                "See {its log: its disk takes|their logs: their disks take} no snapshot or log. Without "
                    + "snapshots: `save \"\"`."
            case "NOREPLICAS": "Set `min-replicas-to-write 0`: a node of the lock has no replicas."
            default: "See {its log|their logs}."
            }
        return [
            Finding(
                .problem, .refusesWrites, seen: "{it refuses|they refuse} to set a key (\(refusal))",
                risk: "{It has no vote until it takes|They have no vote until they take} keys again.", change: change,
                costsVote: true)
        ]
    }
}
