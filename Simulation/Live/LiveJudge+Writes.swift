internal import RedlockSimulation

// The protected resource, and the numbers that it compares. It is played again from the moments at which writes left
// their processes: it refuses a write whose token is lower than one it has seen, and cannot refuse one without a token.

extension LiveJudge {
    /// Tokens rise from grant to grant: over those that were granted before the attempt began whatever clocks and keys
    /// do, over those since then as long as no two hold the lock at once.
    mutating func judgeFencing() {
        var earlier: [[Int]] = Array(repeating: [], count: options.resources)
        for index in holds.indices {
            let hold = holds[index]
            guard hold.fencingToken > 0 else {
                if hold.id.client < options.fencedClients {
                    violate(
                        .answers, "\(name(hold)) asked for a fencing token and was granted none", at: hold.grantedAt)
                }
                continue
            }
            verdict.outcome.fencedGrants += 1
            for other in earlier[hold.resource] where holds[other].fencingToken >= hold.fencingToken {
                let isOrdered =
                    holds[other].grantedAt <= hold.beganAt || holds[other].fencingToken == hold.fencingToken
                violate(
                    isOrdered ? .fencingOrder : .fencingOvertaken,
                    "\(name(hold)) asked at \(seconds(hold.beganAt)) and was granted the token \(hold.fencingToken); "
                        + "\(name(holds[other])) had been granted \(holds[other].fencingToken) at "
                        + seconds(holds[other].grantedAt), at: hold.grantedAt)
            }
            earlier[hold.resource].append(index)
        }
    }

    /// What the resource remembers of one name.
    private struct Memory {
        var highestToken: Int64 = 0
        /// Of the writes with a token that were accepted, the lease that was asked for last; -1 for none.
        var latestFencedHold = -1
    }

    mutating func judgeWrites() {
        var memories = Array(repeating: Memory(), count: options.resources)
        var grants: [[Int]] = Array(repeating: [], count: options.resources)
        for index in holds.indices { grants[holds[index].resource].append(index) }
        for write in writes.sorted(by: { $0.sentAt < $1.sentAt }) {
            let hold = holds[write.hold]
            // If the process stood still between its check and its write, the check is worth nothing.
            if write.sentAt > write.plannedAt + Contender.writeTime {
                breach(.promptWrites, "client \(hold.id.client)", at: write.sentAt)
            }
            let list = grants[hold.resource]
            let next = list.partitioningIndex { holds[$0].grantedAt >= write.sentAt }
            let latest = next > 0 ? list[next - 1] : write.hold
            let isLate = latest != write.hold && holds[latest].grantedAt > hold.grantedAt
            let isFenced = hold.fencingToken > 0
            let isAccepted = !isFenced || hold.fencingToken >= memories[hold.resource].highestToken
            trace.append(
                TraceRecord(
                    .write, at: moment(write.sentAt), client: hold.id.client, resource: hold.resource,
                    attempt: hold.attempt,
                    text: !isAccepted
                        ? "refused: a higher token was seen" : isLate ? "written too late" : "written"))
            guard isAccepted else {
                verdict.fencedWrites += 1
                verdict.outcome.marks.insert(.writeFenced)
                continue
            }
            if isFenced {
                memories[hold.resource].highestToken = hold.fencingToken
                judgeOrder(write, &memories[hold.resource])
            }
            // Between two with tokens the order is what counts: the later holder's first write shuts the earlier one
            // out.
            guard isLate, !isFenced || holds[latest].fencingToken == 0 else { continue }
            violate(
                .staleWrite,
                "a write of \(name(hold)), checked at \(seconds(write.checkedAt)), reached the resource after "
                    + "\(name(holds[latest])) had been granted at \(seconds(holds[latest].grantedAt))", at: write.sentAt
            )
        }
    }

    /// Whether a holder that came after this one in all respects has written before it.
    private mutating func judgeOrder(_ write: LiveWrite, _ memory: inout Memory) {
        let hold = holds[write.hold]
        guard memory.latestFencedHold >= 0 else { return memory.latestFencedHold = write.hold }
        let began = holds[memory.latestFencedHold].beganAt
        if began > hold.grantedAt {
            violate(
                .outOfOrderWrite,
                "the resource accepted a write of \(name(hold)), granted at \(seconds(hold.grantedAt)), after one of "
                    + "\(name(holds[memory.latestFencedHold])), which asked for the lock only at \(seconds(began))",
                at: write.sentAt)
        }
        if hold.beganAt > began { memory.latestFencedHold = write.hold }
    }
}
