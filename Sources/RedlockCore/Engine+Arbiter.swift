// Contention between processes, without split votes: one node tells a release for all, and whoever hears it there asks
// that node first, the arbiter, and the others only if it grants. What the arbiter says is a vote like all others: a
// lock is still what a quorum granted. Who heard it elsewhere, or not at all, asks all nodes at once as ever.

// MARK: - Who tells

extension Engine {
    /// The node that tells of a release, among those that have the key. Nil when none of them can be asked.
    ///
    /// The last one: a shell writes to the nodes in their order, and whoever is woken should not come before the others
    /// were told to release.
    func teller(among nodes: NodeSet, at now: Instant) -> Int? {
        nodes.filter { sessions[$0].isUsable(at: now) && !denying.contains($0) }.last
    }

    /// Who is told what of a release.
    mutating func audiences(ofRelease slot: Int, _ nodes: NodeSet, at now: Instant) -> [(NodeSet, Command.Notice)] {
        let handsOver = prepareRelease(slot)
        guard let teller = teller(among: slots[slot].machine!.attempt.owners, at: now) else {
            return [(nodes, handsOver ? .nothing : .node)]
        }
        if let place = lines.place(of: slots[slot].line), !handsOver { lines[place].watch?.arbiter = teller }
        return [(NodeSet(teller), handsOver ? .count : .everywhere), (nodes.subtracting(NodeSet(teller)), .nothing)]
    }

    /// Who is told what of an attempt: the arbiter alone tells that its key was taken, for all look there.
    func audiences(
        ofAttempt slot: Int, _ operation: Command.Operation, _ nodes: NodeSet, at now: Instant
    ) -> [(NodeSet, Command.Notice)] {
        guard operation.tells, let place = lines.place(of: slots[slot].line), let arbiter = lines[place].watch?.arbiter,
            sessions[arbiter].isUsable(at: now)
        else { return [(nodes, .node)] }
        let others = nodes.subtracting(NodeSet(arbiter))
        return [(nodes.subtracting(others), .node), (others, .nothing)]
    }

    /// The node that was to tell of a release did not: another does, so that nobody has to wait for the clock.
    mutating func retell(_ command: Command, besides node: Int, _ turn: inout Turn) {
        guard command.notice == .everywhere, !isShuttingDown,
            let teller = teller(among: allNodes.subtracting(NodeSet(node)), at: turn.now)
        else { return }
        let command = Command(.announce, key: command.key, token: command.token, notice: .everywhere)
        guard sessions[teller].submitAnnouncement(command, at: turn.now, policy) == .send else { return }
        turn.directives.append(.send(command, to: teller))
    }
}

// MARK: - Who asks whom first

extension Engine {
    /// The node to ask before the others, for who was woken by a release, or comes while others wait; nil to ask all
    /// at once. That is so for who goes by the clock: whatever the arbiter says, the others may be free. And for the
    /// last attempt that a caller has: what it is told then is what all of them say.
    func arbiter(for slot: Int, at now: Instant) -> Int? {
        let machine = slots[slot].machine!
        guard let place = lines.place(of: slots[slot].line), let arbiter = lines[place].watch?.arbiter,
            !machine.isLastAttempt(at: now), sessions.count > 1, sessions[arbiter].isUsable(at: now)
        else { return nil }
        let isNew = machine.attempt.number == 0 && lines[place].released == nil
        return isNew || lines[place].isFree(at: now, quorum: policy.quorum) ? arbiter : nil
    }

    /// The arbiter has granted, or does not answer: now the others.
    mutating func askRest(_ nodes: NodeSet, _ lock: LockID, _ slot: Int, _ turn: inout Turn) {
        let attempt = slots[slot].machine!.attempt
        let milliseconds = slots[slot].machine!.request.ttl.millisecondsRoundedUp
        let operation: Command.Operation =
            if let fencing = attempt.fencing {
                .acquireFenced(milliseconds: milliseconds, number: fencing.number)
            } else {
                .contend(milliseconds: milliseconds)
            }
        ask(nodes, operation, lock, slot, &turn)
    }
}
