// What keeps others out while the lease is held, and what is done to keep it so.

extension Hold {
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

extension Hold {
    /// A vote of the attempt or the extension that was won, before or after that was decided, or of one under way.
    ///
    /// A node that does not answer an extension keeps its key until the end that the extension was to move: it is no
    /// guard from the next round on that is won without it. One that says that the key is gone is none at once.
    mutating func noteGuard(
        _ vote: Vote, of node: Int, round: UInt32, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) {
        switch vote {
        case .granted, .numberTooLow: if round == guarding.round { guarding.nodes.insert(node) }
        case .missing, .heldByAnother:
            guarding.nodes.remove(node)
            guarding.uncounted.remove(node)
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
        if round == guarding.round { guarding.ballot?.record(vote, of: node) }
        noteGuard(vote, of: node, round: round, at: now, using: &generator, policy)
    }

    /// A quorum extended: from here on those guard the lease that did. Unless the keys were to last longer already, of
    /// an extension by a longer ttl: then it rests on those that granted that one still, for they alone have such keys.
    mutating func guarded(
        by round: ExtensionRound, at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        let keysUntil = round.start + round.ttl
        if keysUntil >= guarding.keysUntil {
            guarding.nodes = round.ballot.granted
            guarding.round = round.number
            guarding.ballot = round.ballot
            guarding.keysUntil = keysUntil
            guarding.ttl = round.ttl
            guarding.wonAt = now
        }
        guarding.isFailing = false
        guarding.repairs = 0
        guarding.nextRepair = .distantFuture
        planRepair(at: now, using: &generator, policy)
    }

    /// All nodes have had their say in the round that was won, and are not being asked again.
    private var isGuardKnown: Bool {
        extending == nil && (guarding.ballot?.isComplete ?? attempt.ballot.isComplete)
    }
}

// MARK: - Repair

extension Hold {
    /// When ``beginRepair(isHeld:at:using:_:)`` is wanted.
    func repairDeadline(isHeld: Bool, _ policy: Policy) -> Instant {
        let mayRepair = policy.rules.mayRepair(
            isHeld: isHeld, isExtending: extending != nil, hasFailed: guarding.isFailing)
        return mayRepair ? guarding.nextRepair : .distantFuture
    }

    /// As soon as it is known who does not guard the lease, those are to be tried; unless they are already.
    mutating func planRepair(
        at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) {
        if guarding.nodes.count == policy.parameters.nodes {
            guarding.nextRepair = .distantFuture
        } else if guarding.nextRepair == .distantFuture, guarding.repairs < Limits.repairsPerRound,
            isGuardKnown
        {
            let delay = policy.rules.repairDelay(
                ttl: request.ttl, repairs: guarding.repairs, dice: generator.next())
            // The one before has had its time by then.
            let pause = guarding.repairs == 0 ? delay : max(delay, policy.parameters.nodeTimeout)
            guarding.nextRepair = now + pause
        }
    }

    /// Tries the nodes that do not guard the lease, with keys that end when the others do.
    mutating func beginRepair(
        isHeld: Bool, at now: Instant, using generator: inout any RandomNumberGenerator, _ policy: Policy
    ) -> Repair? {
        guard repairDeadline(isHeld: isHeld, policy) <= now else { return nil }
        guarding.nextRepair = .distantFuture
        guarding.repairs += 1
        planRepair(at: now, using: &generator, policy)
        let milliseconds = policy.rules.repairMilliseconds(left: guarding.keysUntil - now, ttl: request.ttl)
        guard milliseconds > 0 else { return nil }
        let nodes = NodeSet(first: policy.parameters.nodes).subtracting(guarding.nodes)
            .subtracting(guarding.uncounted)
        return Repair(nodes: nodes, round: guarding.round, milliseconds: milliseconds)
    }

    mutating func noteRepaired(_ nodes: NodeSet) {
        guarding.repaired = guarding.repaired.union(nodes)
    }

    /// What became of a repair; true when it set the key. It is a vote on nothing: the round before it was won
    /// without it, and in the next one the node is asked like all others.
    mutating func countRepair(
        _ vote: Vote, of node: Int, round: UInt32, at now: Instant, using generator: inout any RandomNumberGenerator,
        _ policy: Policy
    ) -> Bool {
        // Extended since: its key ends too early to count, and the extension has asked the node itself.
        guard round == guarding.round else { return false }
        // The node set the key, and its vote does not count.
        if case .failed(.quarantined) = vote { guarding.uncounted.insert(node) }
        noteGuard(vote, of: node, round: round, at: now, using: &generator, policy)
        return vote == .granted || guarding.uncounted.contains(node)
    }
}

// MARK: - Risk

extension Hold {
    /// To be called after every vote and at the deadline; nil when there is nothing new to tell the holder.
    ///
    /// Each of the risks is told once, and once that both are over. In between a lesser one is no news.
    mutating func noteRisk(at now: Instant, _ policy: Policy) -> RiskNews? {
        noteSpareNodes(at: now, policy)
        let told = guarding.risk
        let risk = risk(at: now, policy)
        if let risk {
            if let told, told >= risk { return nil }
            guarding.risk = risk
            var report = RiskReport(risk: risk, validUntil: validUntil, votes: riskVotes(risk))
            report.clockGain = doubt?.gain
            return .atRisk(report)
        }
        guard told != nil else { return nil }
        guarding.risk = nil
        return .recovered(validUntil: validUntil)
    }

    /// When validity has run down so far, or a spare node been missing for so long, that the holder should know.
    func riskDeadline(_ policy: Policy) -> Instant {
        let isNews = policy.rules.awaitsRisk(.notExtended, told: guarding.risk)
        let deadline = wantsExtension && isNews ? riskInstant : .distantFuture
        guard guarding.bareSince < .distantFuture, guarding.risk == nil, isGuardKnown else {
            return deadline
        }
        return min(deadline, repairEnd(policy))
    }

    /// Where repair has had its time.
    private func repairEnd(_ policy: Policy) -> Instant {
        guarding.bareSince
            + policy.rules.repairTime(
                ttl: request.ttl, nodeTimeout: policy.parameters.nodeTimeout)
    }

    private func hasSpareNode(_ policy: Policy) -> Bool {
        guarding.nodes.count > policy.quorum || policy.parameters.nodes <= policy.quorum
    }

    /// While votes are missing nobody knows: then it stays as it was.
    private mutating func noteSpareNodes(at now: Instant, _ policy: Policy) {
        if hasSpareNode(policy) {
            guarding.bareSince = .distantFuture
        } else if guarding.bareSince == .distantFuture, isGuardKnown {
            guarding.bareSince = now
        }
    }

    private func risk(at now: Instant, _ policy: Policy) -> Risk? {
        if doubt != nil { return .clockGained }
        if guarding.isFailing || (wantsExtension && now >= riskInstant) { return .notExtended }
        guard !hasSpareNode(policy) else { return nil }
        // A risk that was told is over when there is a spare node again, and not before.
        guard isGuardKnown else { return guarding.risk }
        return guarding.risk != nil || now >= repairEnd(policy) ? .noSpareNode : nil
    }

    /// It extends itself, and has not come to the maximum hold.
    private var wantsExtension: Bool { request.extendsItself && validUntil < end }

    /// Half of the ttl is left of a lease that extends itself when a third of it has passed.
    private var riskInstant: Instant { validUntil - request.ttl / 2 }

    private func riskVotes(_ risk: Risk) -> [Vote] {
        switch risk {
        case .clockGained: lastVotes
        case .notExtended: guarding.isFailing ? lastVotes : extending?.ballot.votes ?? lastVotes
        case .noSpareNode: (guarding.ballot ?? attempt.ballot).votes
        }
    }
}

// Nodes that a lease rests on, and whose word turns out to be worth nothing: their clocks were set forward.

extension Hold {
    /// The extension that is being voted on, if the node granted it.
    func extensionResting(on node: Int) -> UInt32? {
        guard let round = extending, round.ballot.granted.contains(node) else { return nil }
        return round.number
    }

    /// The node's keys that were to end before this instant may end too early. If the lease is left without a quorum,
    /// another may have the lock at any moment: true.
    mutating func distrust(_ node: Int, _ vote: Vote, endingBefore end: Instant, _ policy: Policy) -> Bool {
        guard guarding.nodes.contains(node), guarding.keysUntil <= end else { return false }
        guarding.nodes.remove(node)
        var votes = lastVotes
        votes[node] = vote
        laterVotes = votes
        return guarding.nodes.count < policy.quorum
    }
}

// MARK: - Keys that are gone before their time

extension Hold {
    /// Which nodes have our key, and which lost it before its time, by their answers in one round.
    struct KeyAnswers: Sendable {
        /// The release counts as a round of its own, and so does each attempt of a successor.
        static let release = UInt32.max
        static func successor(attempt: UInt32) -> UInt32 { 1 << 31 | attempt }

        var round: UInt32 = 0
        var present = NodeSet()
        var gone = NodeSet()
        /// How long the key of the last of these must still have lasted.
        var early = Nanoseconds.zero
    }

    /// How long the key of a node that guards the lease must still last on a clock within the drift; nil if it may be
    /// over, or if the node was not known to have it.
    func keyLeft(on node: Int, at now: Instant, _ policy: Policy) -> Nanoseconds? {
        guard guarding.nodes.contains(node) else { return nil }
        let left = guarding.keysUntil - policy.drift(of: guarding.ttl) - now
        return left > .zero ? left : nil
    }

    /// Notes that a node has, or does not have, our key. Returns the nodes that lost it while another node has it.
    ///
    /// If no node has it any more, somebody deleted it, as an operator does who takes a lock away: nothing is wrong with
    /// the nodes.
    mutating func noteKey(_ sign: Engine.KeySign, on node: Int, round: UInt32) -> NodeSet {
        noteKey(sign, on: node, round: round, deleted: nil)
    }

    /// The same of a release, which these nodes have carried out.
    mutating func noteKey(_ sign: Engine.KeySign, on node: Int, deleted: NodeSet) -> NodeSet {
        noteKey(sign, on: node, round: KeyAnswers.release, deleted: deleted)
    }

    private mutating func noteKey(
        _ sign: Engine.KeySign, on node: Int, round: UInt32, deleted: NodeSet?
    ) -> NodeSet {
        if keyAnswers.round != round { keyAnswers = KeyAnswers(round: round) }
        switch sign {
        case .present: keyAnswers.present.insert(node)
        case .gone(let early):
            keyAnswers.gone.insert(node)
            keyAnswers.early = early
        }
        if let deleted { keyAnswers.present = deleted }
        guard !keyAnswers.present.isEmpty else { return NodeSet() }
        defer { keyAnswers.gone = NodeSet() }
        return keyAnswers.gone
    }
}
