import RedlockCore

/// A write on its way to the protected resource.
struct PendingWrite: Sendable {
    let worker: Int32
    let hold: Int32
    let checkedAt: Int64
    let sendAt: Int64
}

// The protected resource: what holders write, and whether it comes in time.
//
// It accepts every write: fencing tokens are not in the core yet. When they are, `writeArrives` is the place to compare
// the write's token with the highest that the resource has seen, to refuse the lower, and to judge two more oracles:
// tokens that do not rise from grant to grant, and a lower one accepted after a higher.

extension World {
    /// How long a write takes to the resource, at most. A holder writes only while its lease is valid for longer.
    static let writeTime = WorldOptions.milliseconds(5)

    /// The holder checks its lease, and writes if there is time enough.
    mutating func checkAndWrite(_ worker: Int, in delay: Int64) {
        let client = workers[worker].client
        let left = workers[worker].validUntil - engineTime(client)
        // Twice, for a clock of the holder that runs slow, and for the moment between the check and the sending.
        guard !workers[worker].isLost, left.count > 2 * Self.writeTime else { return mark(.writeRefusedByCheck) }
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

    mutating func writeArrives(_ index: Int) {
        let hold = holds[Int(writes[index].hold)]
        workers[hold.worker].writesPending -= 1
        let latest = latestHold[hold.resource]
        let isStale = latest >= 0 && holds[latest].grantedAt > hold.grantedAt
        if isTracing {
            trace.append(
                TraceRecord(
                    .write, at: now, client: hold.client, resource: hold.resource, attempt: hold.attempt,
                    text: isStale ? "written too late" : "written"))
        }
        guard isStale else { return }
        violate(
            .staleWrite,
            "a write of \(name(hold.attempt)), checked at \(seconds(writes[index].checkedAt)), reached the resource after "
                + "\(name(holds[latest].attempt)) had been granted at \(seconds(holds[latest].grantedAt))")
    }
}
