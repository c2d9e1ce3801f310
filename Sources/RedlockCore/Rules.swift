/// The arithmetic of Redlock, in one place.
///
/// The rules are those of "Distributed locks with Redis" (redis.io, the section "The Redlock algorithm") unless a
/// comment says otherwise. Production uses ``StandardRules``; the simulator breaks one rule at a time to show that it
/// would notice.
package protocol Rules: Sendable {
    /// How many nodes must grant.
    func quorum(of nodes: Int) -> Int

    /// How many nodes must extend.
    func extensionQuorum(of nodes: Int) -> Int

    /// What clocks that run at different rates may eat of a ttl.
    func drift(of ttl: Nanoseconds, partsPerMillion: Int64) -> Nanoseconds

    /// Until when a grant may be relied on.
    func validUntil(start: Instant, decided: Instant, ttl: Nanoseconds, drift: Nanoseconds) -> Instant

    /// The token of an attempt.
    func token(previous: Token?, fresh: Token) -> Token

    /// Who is told to release after an attempt that failed, and at the end of a lock.
    func nodesToRelease(asked: NodeSet, granted: NodeSet, repaired: NodeSet) -> NodeSet

    /// How long to wait before the next attempt; `dice` is a uniformly random number.
    func retryDelay(_ delay: Nanoseconds, jitter: Nanoseconds, dice: UInt64) -> Nanoseconds

    /// Whether a won extension still counts.
    func mayExtend(validUntil: Instant, now: Instant) -> Bool

    /// Whether nodes that do not have the key may be given it.
    func mayRepair(isHeld: Bool, isExtending: Bool, hasFailed: Bool) -> Bool

    /// Whether a repair is a vote on the extension that is under way.
    func repairIsVote() -> Bool

    /// The ttl of a repair, when so much is left of that of the other keys.
    func repairMilliseconds(left: Nanoseconds, ttl: Nanoseconds) -> Int64

    /// How long to wait before the next repair, when there were so many; `dice` is a uniformly random number.
    func repairDelay(ttl: Nanoseconds, repairs: Int, dice: UInt64) -> Nanoseconds

    /// How long a lease may lack a spare node before its holder is told.
    func repairTime(ttl: Nanoseconds, nodeTimeout: Nanoseconds) -> Nanoseconds

    /// Whether the engine wants to be called when this risk begins. `told` is the risk that the holder was told of.
    func awaitsRisk(_ risk: Risk, told: Risk?) -> Bool

    /// How many nodes must accept a fencing number.
    func acceptanceQuorum(of nodes: Int) -> Int

    /// Whether a node that says that it has a number as high as the one proposed accepted it all the same.
    func isAcceptance(reported: Int64, proposed: Int64) -> Bool

    /// Whether a number that a node reported is one that clocks and raises can have led to. Else its vote fails.
    ///
    /// - Parameters:
    ///   - proposed: What this client proposes now.
    ///   - witnesses: Nodes that reported this number in this attempt, or one not far below it, or a higher one.
    ///   - spare: How many nodes may fail: all but a quorum.
    func isPlausible(number: Int64, proposed: Int64, witnesses: Int, spare: Int) -> Bool

    /// The fencing token of a grant.
    func fencingToken(accepted: Int64, highestReported: Int64) -> Int64

    /// The number that an attempt proposes first.
    func fencingProposal(wallClock: Int64, highestSeen: Int64) -> Int64

    /// The token of an attempt that takes over from a holder of the same process.
    func handoverToken(released: Token, fresh: Token) -> Token

    /// Which of those that wait in a process is next.
    func next(oldest: Int, newest: Int) -> Int

    /// How long a waiter that hears nothing goes without asking.
    func fallbackDelay(_ delay: Nanoseconds, dice: UInt64) -> Nanoseconds

    /// How long a waiter holds back when the resource has become free.
    func wakeDelay(_ window: Nanoseconds, dice: UInt64) -> Nanoseconds

    /// Whether to try once more when so many subscriptions have been confirmed.
    func checksAgain(confirmed: Int, quorum: Int) -> Bool

    /// Until when a server casts no votes that may have forgotten locks. `started` is the latest moment at which it can
    /// have been started, by its own word; a replacement answers at the address of a server that this client knew.
    func quarantineEnd(firstSeen: Instant, started: Instant, isReplacement: Bool, length: Nanoseconds) -> Instant

    /// Whether a server that says that it keeps every write is believed that it did so before this client looked.
    func believesDurability(trusts: Bool) -> Bool

    /// Whether the time between two signs that a server kept every write, or served nobody, counts as time in which
    /// it did.
    func isSeenThrough(gap: Nanoseconds) -> Bool

    /// Whether a promotion counts as a start.
    func promotionIsStart() -> Bool

    /// Whether a server that may not be asked what it is casts no votes when it was just connected.
    func barsUnknown() -> Bool

    /// By how much a node's clock may gain on ours, in parts per million.
    func clockGain(partsPerMillion: Int64) -> Int64

    /// For how long a node casts no votes whose wall clock gained so much on ours beyond the rate that is allowed for;
    /// nil when that is within the allowance.
    func clockQuarantine(
        gainedAtLeast least: Nanoseconds, atMost most: Nanoseconds, partsPerMillion: Int64, longestTTL: Nanoseconds
    ) -> Nanoseconds?

    /// Whether a key of ours that is gone before its time counts as a jump of the node's clock.
    func countsKeysGone() -> Bool

    /// What the next sample of a node's clock is compared with.
    func clockBaseline(kept: (least: Int64, most: Int64), latest: (least: Int64, most: Int64)) -> (
        least: Int64, most: Int64
    )
}

extension Rules {
    /// More than half, for even numbers too: any two quorums share a node.
    package func quorum(of nodes: Int) -> Int {
        nodes / 2 + 1
    }

    package func extensionQuorum(of nodes: Int) -> Int {
        quorum(of: nodes)
    }

    /// A share of the ttl, and 2 ms for the grain of Redis' expiry, as the reference implementation in Ruby adds.
    package func drift(of ttl: Nanoseconds, partsPerMillion: Int64) -> Nanoseconds {
        // Divided in two steps, so that no allowed ttl overflows: what that loses is below a microsecond.
        ttl / 1_000 * partsPerMillion / 1_000 + .milliseconds(2)
    }

    /// Counted from before the first command was sent: the oldest key may have been set at that very moment.
    package func validUntil(start: Instant, decided: Instant, ttl: Nanoseconds, drift: Nanoseconds) -> Instant {
        start + (ttl - drift)
    }

    /// Always the fresh one. With one token for all attempts, a delayed release of the first deletes the second's key.
    package func token(previous: Token?, fresh: Token) -> Token {
        fresh
    }

    /// All that were asked, also those that refused or never answered: a reply may be lost though the SET was applied.
    package func nodesToRelease(asked: NodeSet, granted: NodeSet, repaired: NodeSet) -> NodeSet {
        asked.union(repaired)
    }

    /// Random, so that contenders which split the votes do not split them again.
    package func retryDelay(_ delay: Nanoseconds, jitter: Nanoseconds, dice: UInt64) -> Nanoseconds {
        jitter > .zero ? delay + Nanoseconds(Int64(dice % UInt64(jitter.count + 1))) : delay
    }

    /// A lease that has lapsed is never brought back: somebody else may have had the lock in between.
    package func mayExtend(validUntil: Instant, now: Instant) -> Bool {
        now < validUntil
    }

    /// Only a lease that a quorum confirmed in the last round. Else setting keys would be a way to win an extension
    /// after all, of a lock that may have been free in between.
    package func mayRepair(isHeld: Bool, isExtending: Bool, hasFailed: Bool) -> Bool {
        isHeld && !isExtending && !hasFailed
    }

    package func repairIsVote() -> Bool {
        false
    }

    /// What is left of the ttl, counted from the start of the round, rounded down.
    ///
    /// No longer than the others: their nodes counted the whole ttl from a moment after that start. And yet as long as
    /// the validity: that is shorter than the ttl by 2 ms and the drift of the whole ttl; this by 1 ms at most and the
    /// drift of what is left of it.
    package func repairMilliseconds(left: Nanoseconds, ttl: Nanoseconds) -> Int64 {
        left.count / Nanoseconds.milliseconds(1).count
    }

    /// A twentieth of the ttl, doubled with each, up to a fifth; random in its upper half, so that the leases which one
    /// node lost do not come back to it at once. So a lock that is held for a moment costs no repair.
    package func repairDelay(ttl: Nanoseconds, repairs: Int, dice: UInt64) -> Nanoseconds {
        let half = ttl / 40 * (1 << Int64(min(repairs, 2)))
        return half + Nanoseconds(Int64(dice % UInt64(half.count + 1)))
    }

    /// A fifth of the ttl, or a tenth and the node timeout if that is more; two fifths at most.
    ///
    /// Enough for two repairs: the pauses before them are a twentieth of the ttl, and a tenth or the node timeout. A
    /// second one is needed because a contender may hold a node for a moment, at any time. And early enough for the
    /// holder: the loss comes after nine tenths of the ttl by default.
    package func repairTime(ttl: Nanoseconds, nodeTimeout: Nanoseconds) -> Nanoseconds {
        max(ttl / 5, min(ttl / 10 + nodeTimeout, ttl / 5 * 2))
    }

    /// Only if it is greater. A lesser risk is no news, so a call at its beginning would change nothing, and the instant
    /// would be due for ever.
    package func awaitsRisk(_ risk: Risk, told: Risk?) -> Bool {
        told.map { $0 < risk } ?? true
    }

    /// The fresh one, as ever: the release of the old one may arrive late somewhere.
    package func handoverToken(released: Token, fresh: Token) -> Token {
        fresh
    }

    /// First come, first served.
    package func next(oldest: Int, newest: Int) -> Int {
        oldest
    }

    /// Random in its upper half, so that processes which waited for the same do not come back in step.
    package func fallbackDelay(_ delay: Nanoseconds, dice: UInt64) -> Nanoseconds {
        delay + Nanoseconds(Int64(dice % UInt64(delay.count / 2 + 1)))
    }

    /// Random, so that processes which are woken together do not split the votes.
    package func wakeDelay(_ window: Nanoseconds, dice: UInt64) -> Nanoseconds {
        Nanoseconds(Int64(dice % UInt64(window.count + 1)))
    }

    /// As soon as a quorum can be heard, and with each node more: a release that was told over it before was not heard.
    package func checksAgain(confirmed: Int, quorum: Int) -> Bool {
        confirmed >= quorum
    }

    /// What this client saw with its own clock goes before what a server says: its uptime is the difference of two
    /// readings of a clock that can be set.
    package func quarantineEnd(
        firstSeen: Instant, started: Instant, isReplacement: Bool, length: Nanoseconds
    ) -> Instant {
        (isReplacement ? firstSeen : started) + length
    }

    package func believesDurability(trusts: Bool) -> Bool { trusts }

    package func isSeenThrough(gap: Nanoseconds) -> Bool { gap <= Limits.durabilityGap }

    package func promotionIsStart() -> Bool { true }

    package func barsUnknown() -> Bool { true }

    /// More than the drift: a lease that is valid for 99 % of the ttl bears a clock that does 100 % in that time.
    /// Rounded up.
    package func clockGain(partsPerMillion: Int64) -> Int64 {
        (partsPerMillion * 1_000_000 + 999_999 - partsPerMillion) / (1_000_000 - partsPerMillion)
    }

    /// As long as a lease lasts its key gains room: what a clock may have gained by the end, and has not yet. So only
    /// keys with little time left can end too early. A small step costs a small while, and longer locks are in no
    /// danger.
    ///
    /// With the ttl L, the time left R, the drift f, the gain g = f / (1 − f) that is allowed, and what the clock
    /// gained beyond that, E: the lease is in danger when f·L + 2 ms < E + g·(L − R),
    /// which is R < (E − 2 ms) / g + f·L.
    package func clockQuarantine(
        gainedAtLeast least: Nanoseconds, atMost most: Nanoseconds, partsPerMillion: Int64, longestTTL: Nanoseconds
    ) -> Nanoseconds? {
        let grain = drift(of: .zero, partsPerMillion: partsPerMillion)
        guard least > grain else { return nil }
        let beyond = most - grain
        let driftOfLongest = drift(of: longestTTL, partsPerMillion: partsPerMillion)
        guard beyond < driftOfLongest - grain else { return longestTTL }
        let length = beyond * 1_000 / clockGain(partsPerMillion: partsPerMillion) * 1_000 + driftOfLongest
        return min(length, longestTTL)
    }

    package func countsKeysGone() -> Bool {
        true
    }

    package func clockBaseline(
        kept: (least: Int64, most: Int64), latest: (least: Int64, most: Int64)
    ) -> (least: Int64, most: Int64) {
        (min(kept.least, latest.least), min(kept.most, latest.most))
    }
}

/// The rules as they ship.
package struct StandardRules: Rules {
    package init() {}
}
