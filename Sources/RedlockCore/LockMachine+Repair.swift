// What keeps others out while the lease is held, and what is done to keep it so.

extension LockMachine {
    /// Which nodes guard the lease. A quorum of them keeps others out; each one more is a node that may be lost.
    struct Guard: Sendable {
        /// Nodes that are known to have the key until ``keysUntil``: they granted, extended or were repaired.
        var nodes: NodeSet
        /// Where the keys end that the last round asked for which a quorum granted. Validity ends before it.
        var keysUntil: Instant
        /// The ttl of these keys.
        var ttl: Nanoseconds
        /// When that round was won: by then its nodes had answered.
        var wonAt: Instant
        /// That round; 0 is the attempt.
        var round: UInt32 = 0
        /// Its votes; those of the attempt are kept there.
        var ballot: Ballot?
        /// The last extension failed. Until one is won nothing is repaired.
        var isFailing = false
        /// When the nodes that do not guard it are tried next, and how often they were since the round.
        var nextRepair = Instant.distantFuture
        var repairs = 0
        /// Nodes that were given the key again, though their votes do not count: they are no guards.
        var uncounted = NodeSet()
        /// The nodes that a repair was ever sent to.
        var repaired = NodeSet()
        /// What the holder was told.
        var risk: Risk?
        /// Since when it is known that no node is to spare.
        var bareSince = Instant.distantFuture

        init(nodes: NodeSet, keysUntil: Instant, ttl: Nanoseconds, wonAt: Instant) {
            self.nodes = nodes
            self.keysUntil = keysUntil
            self.ttl = ttl
            self.wonAt = wonAt
        }
    }

    /// One try at the nodes that do not guard the lease.
    struct Repair: Hashable, Sendable {
        var nodes: NodeSet
        var round: UInt32
        var milliseconds: Int64
    }
}

// MARK: - Who guards it

extension LockMachine {
    /// A vote of the attempt or the extension that was won, before or after that was decided, or of one under way.
    ///
    /// A node that does not answer an extension keeps its key until the end that the extension was to move: it is no
    /// guard from the next round on that is won without it. One that says that the key is gone is none at once.
    mutating func noteGuard(
        _ vote: Vote, of node: Int, round: UInt32, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) {
        switch vote {
        case .granted, .numberTooLow: if round == hold!.guarding.round { hold!.guarding.nodes.insert(node) }
        case .missing, .heldByAnother:
            hold!.guarding.nodes.remove(node)
            hold!.guarding.uncounted.remove(node)
        case .pending, .notAsked, .failed: break
        }
        planRepair(at: now, using: &generator, policy)
    }

    /// A vote of an extension that is decided. If it was won, and none after it, a node that extended is one more
    /// guard.
    mutating func countLateExtension(
        _ vote: Vote, of node: Int, round: UInt32, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) {
        noteLastVote(vote, of: node, round: round)
        if round == hold!.guarding.round { hold!.guarding.ballot?.record(vote, of: node) }
        noteGuard(vote, of: node, round: round, at: now, using: &generator, policy)
    }

    /// A quorum extended: from here on those guard the lease that did. Unless the keys were to last longer already, of
    /// an extension by a longer ttl: then it rests on those that granted that one still, for they alone have such keys.
    mutating func guarded(
        by round: ExtensionRound, at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        let keysUntil = round.start + round.ttl
        if keysUntil >= hold!.guarding.keysUntil {
            hold!.guarding.nodes = round.ballot.granted
            hold!.guarding.round = round.number
            hold!.guarding.ballot = round.ballot
            hold!.guarding.keysUntil = keysUntil
            hold!.guarding.ttl = round.ttl
            hold!.guarding.wonAt = now
        }
        hold!.guarding.isFailing = false
        hold!.guarding.repairs = 0
        hold!.guarding.nextRepair = .distantFuture
        planRepair(at: now, using: &generator, policy)
    }

    /// All nodes have had their say in the round that was won, and are not being asked again.
    private var isGuardKnown: Bool {
        hold!.extending == nil && (hold!.guarding.ballot?.isComplete ?? attempt.ballot.isComplete)
    }
}

// MARK: - Repair

extension LockMachine {
    /// When ``beginRepair(at:using:_:)`` is wanted.
    func repairDeadline(_ policy: Policy) -> Instant {
        guard hold!.guarding.nextRepair < .distantFuture, mayRepair(policy) else { return .distantFuture }
        return hold!.guarding.nextRepair
    }

    private func mayRepair(_ policy: Policy) -> Bool {
        policy.rules.mayRepair(
            isHeld: phase == .held, isExtending: hold!.extending != nil, hasFailed: hold!.guarding.isFailing)
    }

    /// As soon as it is known who does not guard the lease, those are to be tried; unless they are already.
    mutating func planRepair(
        at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        if hold!.guarding.nodes.count == policy.parameters.nodes {
            hold!.guarding.nextRepair = .distantFuture
        } else if hold!.guarding.nextRepair == .distantFuture, hold!.guarding.repairs < Limits.repairsPerRound,
            isGuardKnown
        {
            let delay = policy.rules.repairDelay(
                ttl: request.ttl, repairs: hold!.guarding.repairs, dice: generator.next())
            // The one before has had its time by then.
            let pause = hold!.guarding.repairs == 0 ? delay : max(delay, policy.parameters.nodeTimeout)
            hold!.guarding.nextRepair = now + pause
        }
    }

    /// Tries the nodes that do not guard the lease, with keys that end when the others do.
    mutating func beginRepair(
        at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> Repair? {
        guard repairDeadline(policy) <= now else { return nil }
        hold!.guarding.nextRepair = .distantFuture
        hold!.guarding.repairs += 1
        planRepair(at: now, using: &generator, policy)
        let milliseconds = policy.rules.repairMilliseconds(left: hold!.guarding.keysUntil - now, ttl: request.ttl)
        guard milliseconds > 0 else { return nil }
        let nodes = NodeSet(first: policy.parameters.nodes).subtracting(hold!.guarding.nodes)
            .subtracting(hold!.guarding.uncounted)
        return Repair(nodes: nodes, round: hold!.guarding.round, milliseconds: milliseconds)
    }

    mutating func noteRepaired(_ nodes: NodeSet) {
        hold!.guarding.repaired = hold!.guarding.repaired.union(nodes)
    }

    /// What became of a repair; true when it set the key. It is a vote on nothing: the round before it was won
    /// without it, and in the next one the node is asked like all others.
    mutating func countRepair(
        _ vote: Vote, of node: Int, round: UInt32, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) -> Bool {
        // Extended since: its key ends too early to count, and the extension has asked the node itself.
        guard phase == .held, round == hold!.guarding.round else { return false }
        // The node set the key, and its vote does not count.
        if case .failed(.quarantined) = vote { hold!.guarding.uncounted.insert(node) }
        noteGuard(vote, of: node, round: round, at: now, using: &generator, policy)
        return vote == .granted || hold!.guarding.uncounted.contains(node)
    }
}

// MARK: - Risk

extension LockMachine {
    /// To be called after every vote and at the deadline; nil when there is nothing new to tell the holder.
    ///
    /// Each of the risks is told once, and once that both are over. In between a lesser one is no news.
    mutating func noteRisk(at now: Instant, _ policy: Policy) -> RiskNews? {
        guard phase == .held else { return nil }
        noteSpareNodes(at: now, policy)
        let told = hold!.guarding.risk
        let risk = risk(at: now, policy)
        if let risk {
            if let told, told >= risk { return nil }
            hold!.guarding.risk = risk
            var report = RiskReport(risk: risk, validUntil: hold!.validUntil, votes: riskVotes(risk))
            report.clockGain = hold!.doubt?.gain
            return .atRisk(report)
        }
        guard told != nil else { return nil }
        hold!.guarding.risk = nil
        return .recovered(validUntil: hold!.validUntil)
    }

    /// When validity has run down so far, or a spare node been missing for so long, that the holder should know.
    func riskDeadline(_ policy: Policy) -> Instant {
        let isNews = policy.rules.awaitsRisk(.notExtended, told: hold!.guarding.risk)
        let deadline = wantsExtension && isNews ? riskInstant : .distantFuture
        guard hold!.guarding.bareSince < .distantFuture, hold!.guarding.risk == nil, isGuardKnown else {
            return deadline
        }
        return min(deadline, repairEnd(policy))
    }

    /// Where repair has had its time.
    private func repairEnd(_ policy: Policy) -> Instant {
        hold!.guarding.bareSince
            + policy.rules.repairTime(
                ttl: request.ttl, nodeTimeout: policy.parameters.nodeTimeout)
    }

    private func hasSpareNode(_ policy: Policy) -> Bool {
        hold!.guarding.nodes.count > policy.quorum || policy.parameters.nodes <= policy.quorum
    }

    /// While votes are missing nobody knows: then it stays as it was.
    private mutating func noteSpareNodes(at now: Instant, _ policy: Policy) {
        if hasSpareNode(policy) {
            hold!.guarding.bareSince = .distantFuture
        } else if hold!.guarding.bareSince == .distantFuture, isGuardKnown {
            hold!.guarding.bareSince = now
        }
    }

    private func risk(at now: Instant, _ policy: Policy) -> Risk? {
        if hold!.doubt != nil { return .clockGained }
        if hold!.guarding.isFailing || (wantsExtension && now >= riskInstant) { return .notExtended }
        guard !hasSpareNode(policy) else { return nil }
        // A risk that was told is over when there is a spare node again, and not before.
        guard isGuardKnown else { return hold!.guarding.risk }
        return hold!.guarding.risk != nil || now >= repairEnd(policy) ? .noSpareNode : nil
    }

    /// It extends itself, and has not come to the maximum hold.
    private var wantsExtension: Bool { request.extendsItself && hold!.validUntil < hold!.end }

    /// Half of the ttl is left of a lease that extends itself when a third of it has passed.
    private var riskInstant: Instant { hold!.validUntil - request.ttl / 2 }

    private func riskVotes(_ risk: Risk) -> [Vote] {
        switch risk {
        case .clockGained: lastVotes
        case .notExtended: hold!.guarding.isFailing ? lastVotes : hold!.extending?.ballot.votes ?? lastVotes
        case .noSpareNode: (hold!.guarding.ballot ?? attempt.ballot).votes
        }
    }
}
