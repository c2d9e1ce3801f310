import RedlockCore

// Promises about what a request asks for: no lease beyond its maximum hold, no more attempts than it may make, and no
// extension that takes validity away.

extension World {
    /// The request as the engine gets it: mutants leave limits out.
    mutating func asPassedOn(_ request: AcquireRequest) -> AcquireRequest {
        var request = request
        if mutant?.dropsMaximumHold == true, request.maximumHold != nil {
            request.maximumHold = nil
            resourceMutations += 1
        }
        if mutant?.dropsMaximumAttempts == true, request.maximumAttempts != nil {
            request.maximumAttempts = nil
            resourceMutations += 1
        }
        return request
    }

    /// To be called with each grant and each extension: a lease ends by its maximum hold, from the start of its attempt, by
    /// its holder's clock.
    mutating func judgeMaximumHold(_ worker: Int) {
        guard let maximum = workers[worker].request?.maximumHold else { return }
        let beyond = workers[worker].validUntil - (workers[worker].attemptStart + maximum)
        guard beyond > .zero else { return }
        violate(
            .limits,
            "\(name(workers[worker].attempt)) may hold for \(Format.length(maximum.count)), and its lease is valid for "
                + "\(Format.length(beyond.count)) longer")
    }

    /// A lease that is lost because of its maximum hold had one, and ends with it.
    mutating func judgeEnd(_ worker: Int, _ loss: Loss) {
        let attempt = name(workers[worker].attempt)
        guard let maximum = workers[worker].request?.maximumHold else {
            return violate(.limits, "\(attempt) lost its lease by a maximum hold that it had not asked for")
        }
        let early = workers[worker].attemptStart + maximum - loss.validUntil
        // An attempt is sent when a connection is there; it began before that. And doubt makes it older.
        guard early > Nanoseconds(options.nodeTimeout + options.connectTimeout),
            clients[workers[worker].client].shownStopAt < 0,
            schedule.faults.allSatisfy({ $0.kind != .clientClockJump })
        else { return }
        violate(.limits, "\(attempt) lost its lease by its maximum hold, \(Format.length(early.count)) too early")
    }

    /// To be called with each attempt, and with what a caller is told of how many there were.
    mutating func judgeAttempts(_ worker: Int, _ count: Int) {
        guard let most = workers[worker].request?.maximumAttempts, count > most else { return }
        violate(
            .limits,
            "client \(workers[worker].client) made \(count) attempts for a request that may make \(most)")
    }

    /// An extension by a shorter ttl than what is left takes nothing away.
    mutating func judgeExtension(_ worker: Int, to validUntil: Instant) {
        guard validUntil < workers[worker].validUntil, !workers[worker].isInDoubt else { return }
        violate(
            .limits,
            "\(name(workers[worker].attempt)) was told that it was extended, until "
                + "\(Format.length((workers[worker].validUntil - validUntil).count)) before its end")
    }
}
