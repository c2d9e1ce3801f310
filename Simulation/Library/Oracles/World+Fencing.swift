import RedlockCore

// Fencing tokens: whether they rise from grant to grant, and what a node that forgot its numbers excuses.

/// A grant with a token, as the judge remembers it.
struct FencedGrant: Sendable {
    let hold: Int
    let token: Int64
    let grantedAt: Int64
}

extension World {
    /// More raises than any run has.
    private static let longestChain: Int64 = 1 << 20

    func isFenced(_ client: Int) -> Bool { client < options.fencedClients }

    func wallClock(of client: Int) -> Int64 { clients[client].wall.reading(at: now) / 1_000 }

    /// Compares a new grant's token with all before it on the same resource.
    ///
    /// Higher than those that were granted before this attempt began it must be whatever clocks and keys do. Higher
    /// than those granted since then it is as long as no two hold the lock at once.
    mutating func judgeToken(_ index: Int) {
        let hold = holds[index]
        guard let token = hold.fencingToken else {
            guard isFenced(hold.client) else { return }
            return violate(.answers, "client \(hold.client) asked for a fencing token and was granted none")
        }
        if token > Limits.fencingProposal + Self.longestChain {
            violate(
                .fencingRange,
                "\(name(hold.attempt)) was granted the token \(token), which no clock and no raises explain")
        }
        for earlier in fencedGrants[hold.resource] where earlier.token >= token {
            let began = attempts[Int(hold.attempt)].start
            let isOrdered = earlier.grantedAt <= began || earlier.token == token
            violate(
                isOrdered ? .fencingOrder : .fencingOvertaken,
                "\(name(hold.attempt)) asked at \(seconds(began)) and was granted the token \(token); "
                    + "\(name(holds[earlier.hold].attempt)) had been granted \(earlier.token) at "
                    + seconds(earlier.grantedAt))
        }
        outcome.fencedGrants += 1
        fencedGrants[hold.resource].append(FencedGrant(hold: index, token: token, grantedAt: hold.grantedAt))
    }

    /// A node does not have a number any more.
    mutating func numberLost(_ node: Int, _ resource: Int, _ number: Int64) {
        // A bad number that somebody wrote there is no loss.
        guard number <= Limits.fencingProposal + Self.longestChain else { return }
        lostNumbers[resource] = max(lostNumbers[resource], number)
        judgeLostNumbers("node \(node)")
    }

    /// Lost numbers do no harm while every client proposes higher ones by its clock. An attempt that is under way may
    /// have read that clock a ttl ago.
    mutating func judgeLostNumbers(_ subject: @autoclosure () -> String) {
        guard options.fencedClients > 0, let lost = lostNumbers.max(), lost > 0 else { return }
        var lowest = Int64.max
        for client in clients.indices where isFenced(client) { lowest = min(lowest, wallClock(of: client)) }
        for worker in workers where worker.phase == .acquiring {
            guard let reading = worker.request?.wallClock else { continue }
            let elapsed = clients[worker.client].clock.reading(at: now) - reading.at.nanoseconds
            lowest = min(lowest, reading.microseconds + elapsed / 1_000)
        }
        if lowest <= lost + options.ttl / 1_000 { breach(.numbers, subject()) }
    }
}
