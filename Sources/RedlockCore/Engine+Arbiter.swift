// Contention between processes, without split votes: one node tells a release for all, and whoever hears it there asks
// that node first, the arbiter, and the others only if it grants. What the arbiter says is a vote like all others: a
// lock is still what a quorum granted. Who has not heard it asks all nodes at once.

// MARK: - Who tells

extension Engine {
    /// The node that tells of a release, among those that have the key. Nil when none of them can be asked.
    ///
    /// The last one: a shell writes to the nodes in their order, and whoever is woken should not come before the others
    /// were told to release.
    func teller(among nodes: NodeSet, at now: Instant) -> Int? {
        var last: Int?
        for node in nodes where sessions[node].isUsable(at: now) && !denying.contains(node) { last = node }
        return last
    }

    /// The release of a lock that was held. Returns the nodes from which an answer will come.
    ///
    /// Of a lease that was lost, or has lapsed, each node tells for itself: another may have the others.
    mutating func broadcastRelease(
        _ lock: LockID, _ slot: Int, _ nodes: NodeSet, isValid: Bool, _ turn: inout Turn
    ) -> NodeSet {
        let handsOver = prepareRelease(slot)
        let teller = isValid ? teller(among: locks[slot].hold!.guarding.nodes, at: turn.now) : nil
        if let teller, !handsOver, let place = lines.place(of: locks.queuing(slot).line), lines[place].watch != nil {
            lines[place].watch!.arbiter = teller
        }
        func release(_ nodes: NodeSet, _ notice: Command.Notice) -> NodeSet {
            broadcastRelease(
                of: locks[slot].attempt.token, key: locks[slot].request.key, to: nodes,
                ballot: .release(lock), notice: notice, &turn)
        }
        guard let teller else { return release(nodes, handsOver ? .nothing : .node) }
        let told = release(NodeSet(teller), handsOver ? .count : .everywhere)
        return told.union(release(nodes.subtracting(NodeSet(teller)), .nothing))
    }

    /// Who tells nobody that its key was taken: all but the arbiter, for that is where those look who heard the same.
    func quiet(of nodes: NodeSet, _ slot: Int, _ operation: Command.Operation, at now: Instant) -> NodeSet {
        guard operation.tells, let place = lines.place(of: locks.queuing(slot).line), let arbiter = lines[place].watch?.arbiter,
            sessions[arbiter].isUsable(at: now)
        else { return NodeSet() }
        return nodes.subtracting(NodeSet(arbiter))
    }

    /// The node that was to tell of a release did not: another does, so that nobody has to wait for the clock.
    mutating func retell(_ command: Command, besides node: Int, _ turn: inout Turn) {
        guard command.notice == .everywhere,
            let teller = teller(among: allNodes.subtracting(NodeSet(node)), at: turn.now)
        else { return }
        let command = Command(.announce, key: command.key, token: command.token, notice: .everywhere)
        guard sessions[teller].submitAnnouncement(command, at: turn.now, policy) == .send else { return }
        turn.directives.append(.send(command, to: teller))
    }
}

// MARK: - Who asks whom first

extension Engine {
    /// The node to ask before the others; nil to ask all at once.
    ///
    /// For who was woken by a release, and for who comes while others are known to wait, or to hold. Not for who takes
    /// over in this process, and not where the node cannot be heard: what others say over it would be missed. Nor for
    /// who goes by the clock: whatever the arbiter says, the others may be free. Nor for who has no time to ask twice:
    /// what a caller is told last is what all nodes say.
    func arbiter(for slot: Int, at now: Instant) -> Int? {
        guard let place = lines.place(of: locks.queuing(slot).line), let watch = lines[place].watch,
            let arbiter = watch.arbiter, watch.confirmed.contains(arbiter), sessions[arbiter].isUsable(at: now),
            lines[place].released == nil, sessions.count > 1,
            locks[slot].mayAskTwice(at: now, policy)
        else { return nil }
        let isFree = lines[place].isFree(at: now, quorum: policy.quorum)
        let isFirstAttempt = !locks[slot].hasBegun
        return (isFirstAttempt ? lines[place].hasRivals || !isFree : isFree) ? arbiter : nil
    }

    /// The arbiter has granted, or does not answer: now the others.
    mutating func askRest(_ nodes: NodeSet, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        let attempt = locks[slot].attempt
        let milliseconds = locks[slot].request.ttl.millisecondsRoundedUp
        let operation: Command.Operation =
            if let fencing = attempt.fencing {
                .acquireFenced(milliseconds: milliseconds, number: fencing.number)
            } else {
                .contend(milliseconds: milliseconds)
            }
        ask(nodes, operation, lock, slot, &turn)
    }
}
