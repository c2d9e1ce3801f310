import RedlockCore
import Synchronization

/// The shipped rules, of which some are replaced.
struct BrokenRules: Rules {
    let counter: ActivationCounter
    var quorum: (@Sendable (Int) -> Int)?
    var extensionQuorum: (@Sendable (Int) -> Int)?
    var drift: (@Sendable (Nanoseconds) -> Nanoseconds)?
    var validUntil:
        (@Sendable (_ start: Instant, _ decided: Instant, _ ttl: Nanoseconds, _ drift: Nanoseconds) -> Instant)?
    var keepsToken = false
    var nodesToRelease: (@Sendable (_ asked: NodeSet, _ granted: NodeSet, _ repaired: NodeSet) -> NodeSet)?
    var withoutJitter = false
    var alwaysExtends = false
    var mayRepair: (@Sendable (_ isHeld: Bool, _ isExtending: Bool, _ hasFailed: Bool) -> Bool)?
    var countsRepairs = false
    var repairTTL: (@Sendable (_ left: Nanoseconds, _ ttl: Nanoseconds) -> Nanoseconds)?
    var awaitsKnownRisks = false
    var acceptanceQuorum: (@Sendable (Int) -> Int)?
    var isAcceptance: (@Sendable (_ reported: Int64, _ proposed: Int64) -> Bool)?
    var believesAllNumbers = false
    var fencingToken: (@Sendable (_ accepted: Int64, _ highestReported: Int64) -> Int64)?
    var keepsTokenOnHandover = false
    var takesNewest = false
    var fallbackDelay: (@Sendable (Nanoseconds) -> Nanoseconds)?
    var neverChecks = false
    var quarantineEnd:
        (@Sendable (_ firstSeen: Instant, _ started: Instant, _ isReplacement: Bool, _ length: Nanoseconds) -> Instant)?
    var withoutGuard = false
    var ignoresKeysGone = false
    var trustsDurability = false
    var seesThroughGaps = false
    var believesPromotions = false
    var letsUnknownVote = false

    private static let right = StandardRules()

    private func counted<Value: Equatable>(_ broken: Value?, _ right: Value) -> Value {
        guard let broken else { return right }
        if broken != right { counter.add() }
        return broken
    }

    func quorum(of nodes: Int) -> Int {
        counted(quorum?(nodes), Self.right.quorum(of: nodes))
    }

    func extensionQuorum(of nodes: Int) -> Int {
        counted(extensionQuorum?(nodes), Self.right.quorum(of: nodes))
    }

    func drift(of ttl: Nanoseconds, partsPerMillion: Int64) -> Nanoseconds {
        counted(drift?(ttl), Self.right.drift(of: ttl, partsPerMillion: partsPerMillion))
    }

    func validUntil(start: Instant, decided: Instant, ttl: Nanoseconds, drift: Nanoseconds) -> Instant {
        counted(
            validUntil?(start, decided, ttl, drift),
            Self.right.validUntil(start: start, decided: decided, ttl: ttl, drift: drift))
    }

    func token(previous: Token?, fresh: Token) -> Token {
        counted(keepsToken ? previous ?? fresh : nil, fresh)
    }

    func nodesToRelease(asked: NodeSet, granted: NodeSet, repaired: NodeSet) -> NodeSet {
        counted(
            nodesToRelease?(asked, granted, repaired),
            Self.right.nodesToRelease(asked: asked, granted: granted, repaired: repaired))
    }

    func retryDelay(_ delay: Nanoseconds, jitter: Nanoseconds, dice: UInt64) -> Nanoseconds {
        counted(withoutJitter ? delay : nil, Self.right.retryDelay(delay, jitter: jitter, dice: dice))
    }

    func awaitsRisk(_ risk: Risk, told: Risk?) -> Bool {
        counted(awaitsKnownRisks ? true : nil, Self.right.awaitsRisk(risk, told: told))
    }

    func acceptanceQuorum(of nodes: Int) -> Int {
        // One quorum for both, as it ships, unless this one alone is broken.
        acceptanceQuorum.map { counted($0(nodes), Self.right.acceptanceQuorum(of: nodes)) } ?? quorum(of: nodes)
    }

    func isAcceptance(reported: Int64, proposed: Int64) -> Bool {
        counted(isAcceptance?(reported, proposed), Self.right.isAcceptance(reported: reported, proposed: proposed))
    }

    func isPlausible(number: Int64, proposed: Int64, witnesses: Int, spare: Int) -> Bool {
        counted(
            believesAllNumbers ? true : nil,
            Self.right.isPlausible(number: number, proposed: proposed, witnesses: witnesses, spare: spare))
    }

    func fencingToken(accepted: Int64, highestReported: Int64) -> Int64 {
        counted(
            fencingToken?(accepted, highestReported),
            Self.right.fencingToken(accepted: accepted, highestReported: highestReported))
    }

    func handoverToken(released: Token, fresh: Token) -> Token {
        counted(keepsTokenOnHandover ? released : nil, fresh)
    }

    func next(oldest: Int, newest: Int) -> Int {
        counted(takesNewest ? newest : nil, oldest)
    }

    func fallbackDelay(_ delay: Nanoseconds, dice: UInt64) -> Nanoseconds {
        let right = Self.right.fallbackDelay(delay, dice: dice)
        return counted(fallbackDelay?(right) ?? (withoutJitter ? delay : nil), right)
    }

    func wakeDelay(_ window: Nanoseconds, dice: UInt64) -> Nanoseconds {
        counted(withoutJitter ? .zero : nil, Self.right.wakeDelay(window, dice: dice))
    }

    func checksAgain(confirmed: Int, quorum: Int) -> Bool {
        counted(neverChecks ? false : nil, Self.right.checksAgain(confirmed: confirmed, quorum: quorum))
    }

    func quarantineEnd(firstSeen: Instant, started: Instant, isReplacement: Bool, length: Nanoseconds) -> Instant {
        counted(
            quarantineEnd?(firstSeen, started, isReplacement, length),
            Self.right.quarantineEnd(
                firstSeen: firstSeen, started: started, isReplacement: isReplacement, length: length))
    }

    func believesDurability(trusts: Bool) -> Bool {
        counted(trustsDurability ? true : nil, Self.right.believesDurability(trusts: trusts))
    }

    func isSeenThrough(gap: Nanoseconds) -> Bool {
        counted(seesThroughGaps ? true : nil, Self.right.isSeenThrough(gap: gap))
    }

    func promotionIsStart() -> Bool {
        counted(believesPromotions ? false : nil, Self.right.promotionIsStart())
    }

    func barsUnknown() -> Bool {
        counted(letsUnknownVote ? false : nil, Self.right.barsUnknown())
    }

    func clockQuarantine(
        gainedAtLeast least: Nanoseconds, atMost most: Nanoseconds, partsPerMillion: Int64, longestTTL: Nanoseconds
    ) -> Nanoseconds? {
        let right = Self.right.clockQuarantine(
            gainedAtLeast: least, atMost: most, partsPerMillion: partsPerMillion, longestTTL: longestTTL)
        guard withoutGuard else { return right }
        if right != nil { counter.add() }
        return nil
    }

    func countsKeysGone() -> Bool {
        counted(ignoresKeysGone ? false : nil, Self.right.countsKeysGone())
    }

    func mayExtend(validUntil: Instant, now: Instant) -> Bool {
        counted(alwaysExtends ? true : nil, Self.right.mayExtend(validUntil: validUntil, now: now))
    }

    func mayRepair(isHeld: Bool, isExtending: Bool, hasFailed: Bool) -> Bool {
        counted(
            mayRepair?(isHeld, isExtending, hasFailed),
            Self.right.mayRepair(isHeld: isHeld, isExtending: isExtending, hasFailed: hasFailed))
    }

    func repairIsVote() -> Bool {
        counted(countsRepairs, Self.right.repairIsVote())
    }

    func repairMilliseconds(left: Nanoseconds, ttl: Nanoseconds) -> Int64 {
        counted(
            repairTTL.map { Self.right.repairMilliseconds(left: $0(left, ttl), ttl: ttl) },
            Self.right.repairMilliseconds(left: left, ttl: ttl))
    }
}

/// How often a broken rule decided otherwise than the right one would have.
final class ActivationCounter: Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .relaxed) }
    func add() { value.add(1, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }
}
