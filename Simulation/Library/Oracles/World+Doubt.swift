import RedlockCore

// A client's wall clock gained on its boot clock: time may have passed that the boot clock did not count. Leases that would
// be over then must not be believed until a quorum has extended them.

extension World {
    /// To be called before each turn of a client's engine: the open holds that are over if the gain since its last turn is
    /// time that passed.
    mutating func leasesOverdue(_ client: Int, at time: Instant) -> [(hold: Int, gain: Int64)] {
        let wall = wallClock(of: client)
        let last = clients[client].lastTurn
        clients[client].lastTurn = (wall, time)
        let stop = clients[client].unseenStop
        clients[client].unseenStop = nil
        guard options.guardsClocks, mutant?.clock != .wall, !clients[client].isShuttingDown, let last else { return [] }
        let elapsed = time - last.at
        let gain = (wall - last.wall) * 1_000 - elapsed.count
        let allowed = StandardRules().drift(of: elapsed, partsPerMillion: options.drift(of: client))
        // A microsecond for the grain of the wall clock.
        guard gain > allowed.count + 1_000 else { return [] }
        if let stop, gain >= stop.length - 1_000 { clients[client].shownStopAt = stop.at }
        var overdue: [(hold: Int, gain: Int64)] = []
        for resource in believers.indices {
            for hold in believers[resource] where holds[hold].client == client && holds[hold].grantedAt < now {
                let left = (holds[hold].validUntil - time).count
                if left > 0, left < gain - 1_000 { overdue.append((hold, gain)) }
            }
        }
        return overdue
    }

    /// To be called after the turn.
    mutating func judgeOverdue(_ overdue: [(hold: Int, gain: Int64)]) {
        for (hold, gain) in overdue where holds[hold].isOpen && holds[hold].end > now {
            violate(
                .clockGuard,
                "the wall clock of client \(holds[hold].client) gained \(Format.length(gain)) on its boot clock, and "
                    + "\(name(holds[hold].attempt)) still believes in a lease that is over if that time passed")
        }
    }

    /// The holder is told that its lease is valid until then, or not at all, before it is extended.
    mutating func doubt(_ worker: Int, until validUntil: Instant) {
        guard workers[worker].phase == .held, !workers[worker].isLost else { return }
        mark(.inDoubt)
        let hold = workers[worker].hold
        guard validUntil <= engineTime(workers[worker].client) else {
            workers[worker].validUntil = min(workers[worker].validUntil, validUntil)
            return extendHold(hold, to: workers[worker].validUntil)
        }
        workers[worker].isInDoubt = true
        guard hold >= 0, holds[hold].isOpen else { return }
        closeHold(hold, "in doubt")
        holds[hold].isInDoubt = true
    }

    /// A quorum has extended the lease: it was held all the time.
    mutating func endDoubt(_ worker: Int) {
        workers[worker].isInDoubt = false
        let hold = workers[worker].hold
        guard hold >= 0, holds[hold].isInDoubt else { return }
        holds[hold].isInDoubt = false
        holds[hold].isOpen = true
        holds[hold].validUntil = workers[worker].validUntil
        holds[hold].end = time(of: workers[worker].validUntil, workers[worker].client)
        believers[holds[hold].resource].append(hold)
        checkOverlap(hold)
        tallyWait(holds[hold].resource)
        queue.add(.beliefEnd, hold, at: max(holds[hold].end, now))
    }

    /// A grant after the client's machine was stopped, when its wall clock was right again by then: the stopped time counts.
    mutating func judgeAge(_ worker: Int) {
        let client = workers[worker].client
        let hold = workers[worker].hold
        guard options.guardsClocks, hold >= 0, let request = workers[worker].request else { return }
        let start = attempts[Int(holds[hold].attempt)].start
        guard start <= clients[client].shownStopAt else { return }
        let beyond = holds[hold].end - (start + request.ttl.count + WorldOptions.milliseconds(1))
        guard beyond > 0 else { return }
        violate(
            .clockGuard,
            "\(name(holds[hold].attempt)) was granted a lease that is valid for \(Format.length(beyond)) longer than its "
                + "ttl after its attempt began, though the wall clock showed that the client's machine had been stopped"
        )
    }
}
