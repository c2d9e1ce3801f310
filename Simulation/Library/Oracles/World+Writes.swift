import RedlockCore

/// A write on its way to the protected resource.
struct PendingWrite: Sendable {
    let worker: Int32
    let hold: Int32
    let checkedAt: Int64
    let sendAt: Int64
    /// It was held up on its way, and its holder does not wait for it.
    var isHeldUp = false
    /// It changes nothing: the holder reads, and shows its token.
    var isVisit = false
}

/// What the protected resource remembers, and what its judge does.
struct ProtectedResource: Sendable {
    /// The highest fencing token that came with a write.
    var highestToken: Int64 = 0
    /// Of the writes with a token that were accepted, the hold that was asked for last; -1 for none.
    var latestFencedHold = -1
    /// The hold granted last of those that have been here; -1 for none.
    var latestVisitor = -1
}

// The protected resource: what holders write, and whether it comes in time.
//
// It refuses a write whose token is lower than one it has seen, and cannot refuse one without a token.

extension World {
    /// How long a write takes to the resource, at most. A holder writes only while its lease is valid for longer.
    static let writeTime = WorldOptions.milliseconds(5)

    /// The holder checks its lease, and writes if there is time enough.
    mutating func checkAndWrite(_ worker: Int, in delay: Int64) {
        let client = workers[worker].client
        let left = workers[worker].validUntil - engineTime(client)
        // Once more, for a clock of the holder that runs slow, and for the time between the check and the sending.
        let room = Self.writeTime + max(Self.writeTime, options.checkToWrite)
        guard !workers[worker].isLost, !workers[worker].isInDoubt, left.count > room else {
            return mark(.writeRefusedByCheck)
        }
        measure(workers[worker].hold, at: now)
        workers[worker].writesPending += 1
        writes.append(
            PendingWrite(
                worker: Int32(worker), hold: Int32(workers[worker].hold), checkedAt: now, sendAt: now + delay))
        queue.add(.write, writes.count - 1, at: now + delay)
    }

    /// It leaves the process. If the process stood still since the check, the check is worth nothing.
    mutating func sendWrite(_ index: Int) {
        let worker = Int(writes[index].worker)
        let client = workers[worker].client
        if now > writes[index].sendAt { breach(.promptWrites, "client \(client)") }
        queue.add(.writeArrival, index, at: now + 1 + workRandom[worker].below(Self.writeTime))
    }

    /// The holder looks at the resource before it works, and so tells it that it holds the lock now.
    mutating func visit(_ worker: Int) {
        workers[worker].writesPending += 1
        var visit = PendingWrite(
            worker: Int32(worker), hold: Int32(workers[worker].hold), checkedAt: now, sendAt: now)
        visit.isVisit = true
        writes.append(visit)
        queue.add(.writeArrival, writes.count - 1, at: now + 1 + workRandom[worker].below(Self.writeTime))
    }

    /// A write that the network holds up for longer than any lease: what a fencing token is for.
    mutating func writeAndForget(_ worker: Int) {
        var write = PendingWrite(
            worker: Int32(worker), hold: Int32(workers[worker].hold), checkedAt: now, sendAt: now)
        write.isHeldUp = true
        writes.append(write)
        breach(.promptWrites, "client \(workers[worker].client)")
        queue.add(.writeArrival, writes.count - 1, at: now + 1 + workRandom[worker].below(2 * options.ttl))
    }

    mutating func writeArrives(_ index: Int) {
        let hold = holds[Int(writes[index].hold)]
        if !writes[index].isHeldUp { workers[hold.worker].writesPending -= 1 }
        let latest = latestHold[hold.resource]
        let isLate = latest >= 0 && holds[latest].grantedAt > hold.grantedAt
        let isAccepted = hold.fencingToken.map { resourceAccepts($0, hold.resource) } ?? true
        if isTracing {
            let outcome =
                !isAccepted
                ? "refused: a higher token was seen"
                : writes[index].isVisit ? "read" : isLate ? "written too late" : "written"
            trace.append(
                TraceRecord(
                    .write, at: now, client: hold.client, resource: hold.resource, attempt: hold.attempt,
                    text: outcome))
        }
        guard isAccepted else { return mark(.writeFenced) }
        noteVisitor(index)
        guard !writes[index].isVisit else { return }
        if hold.fencingToken != nil { judgeOrder(index) }
        // Between two with tokens the order is what counts: the later holder's first write shuts the earlier one out.
        guard isLate, hold.fencingToken == nil || holds[latest].fencingToken == nil else { return }
        violate(
            .staleWrite,
            "a write of \(name(hold.attempt)), checked at \(seconds(writes[index].checkedAt)), reached the resource after "
                + "\(name(holds[latest].attempt)) had been granted at \(seconds(holds[latest].grantedAt))")
    }

    private mutating func resourceAccepts(_ token: Int64, _ resource: Int) -> Bool {
        if token < resources[resource].highestToken {
            guard mutant?.resourceAcceptsLower == true else { return false }
            resourceMutations += 1
        }
        resources[resource].highestToken = max(resources[resource].highestToken, token)
        return true
    }

    /// Damage: the resource took a write of a holder after it had let a later one in, which reckons with what it read
    /// then.
    private mutating func noteVisitor(_ index: Int) {
        let hold = holds[Int(writes[index].hold)]
        let latest = resources[hold.resource].latestVisitor
        if latest >= 0, holds[latest].grantedAt > hold.grantedAt {
            if !writes[index].isVisit { outcome.damages += 1 }
        } else {
            resources[hold.resource].latestVisitor = Int(writes[index].hold)
        }
    }

    /// Whether a holder that came after this one in all respects has written before it.
    private mutating func judgeOrder(_ index: Int) {
        let writer = Int(writes[index].hold)
        let hold = holds[writer]
        let latest = resources[hold.resource].latestFencedHold
        guard latest >= 0 else { return resources[hold.resource].latestFencedHold = writer }
        let began = attempts[Int(holds[latest].attempt)].start
        if began > hold.grantedAt {
            violate(
                .outOfOrderWrite,
                "the resource accepted a write of \(name(hold.attempt)), granted at \(seconds(hold.grantedAt)), after "
                    + "one of \(name(holds[latest].attempt)), which asked for the lock only at \(seconds(began))")
        }
        if attempts[Int(hold.attempt)].start > began { resources[hold.resource].latestFencedHold = writer }
    }
}
