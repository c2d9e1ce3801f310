import RedlockCore

// Whether holders learn of clocks that jump.

extension World {
    /// A node's clock was set forward. Holders that lose their quorum by it are to be told when the clocks have been
    /// read the next time: if all is well meanwhile, after a second and a round trip.
    mutating func watchGuard() {
        guard options.guardsClocks, activeFaults == 0 else { return }
        for resource in believers.indices {
            for hold in believers[resource] where isWatching(holds[hold].client) {
                queue.add(.guardCheck, hold, 0, at: now + WorldOptions.milliseconds(1_100) + orphanGrace)
            }
        }
    }

    /// It has read every clock before, and can read it again.
    private func isWatching(_ client: Int) -> Bool {
        guard clients[client].isRunning, !clients[client].isShuttingDown else { return false }
        return clients[client].view.allSatisfy { node in
            let slot = links[linkIndex(client, node)].connection
            return slot >= 0 && connections[slot].readyAt < now - orphanGrace && !connections[slot].isClosedByNode
                && nodes[node].power == .up && nodes[node].pauses == 0
        }
    }

    mutating func checkGuard(_ index: Int) {
        let bound = WorldOptions.milliseconds(1_100) + orphanGrace
        guard holds[index].isOpen, holds[index].end > now, activeFaults == 0, lastFaultAt <= now - bound,
            isWatching(holds[index].client)
        else { return }
        let view = clients[holds[index].client].view
        let gone = view.count { nodes[$0].live(holds[index].resource, at: now)?.token != holds[index].token }
        guard gone >= view.count / 2 + 1 else { return }
        violate(
            .clockGuard,
            "\(name(holds[index].attempt)) believes that it holds resource \(Format.letter(holds[index].resource)) a second after "
                + "clocks were set forward, and \(gone) of \(view.count) nodes do not have its key")
    }

    /// A node answers an extension. A holder that learns so that its key is gone from a node, though its time was not
    /// over, must not go on if no quorum has it, also if the clock of the node is right by then.
    mutating func noteExtension(_ command: Command, _ reply: Reply, _ attempt: Int32, _ node: Int) {
        guard options.guardsClocks, attempt >= 0, case .extend = command.operation,
            reply == .integer(0) || reply == .integer(-1)
        else { return }
        let record = attempts[Int(attempt)]
        guard record.setOn.contains(node) else { return }
        attempts[Int(attempt)].goneFrom.insert(node)
        guard let hold = believers[record.resource].first(where: { holds[$0].attempt == attempt }) else { return }
        queue.add(.guardCheck, hold, 1, at: now + orphanGrace)
    }

    /// By a partition, or because it was lost and is sent again.
    private func mayBeHeldUp(_ link: Int) -> Bool {
        let slot = links[link].connection
        return links[link].blocksToClient > 0 || slot >= 0 && !connections[slot].toClient.messages.isEmpty
    }

    mutating func checkAnswered(_ index: Int) {
        let hold = holds[index]
        guard hold.isOpen, hold.end > now, lastFaultAt <= now - orphanGrace, clients[hold.client].isRunning,
            !clients[hold.client].isShuttingDown
        else { return }
        let record = attempts[Int(hold.attempt)]
        let view = clients[hold.client].view
        // What a node answered may be held up still.
        guard !record.goneFrom.contains(where: { mayBeHeldUp(linkIndex(hold.client, $0)) }) else { return }
        // A node that was restarted since is in quarantine, or kept its keys.
        let gone = view.count { node in
            !record.setOn.contains(node) || record.goneFrom.contains(node) && nodes[node].beganAt <= hold.grantedAt
        }
        guard gone >= view.count / 2 + 1 else { return }
        violate(
            .clockGuard,
            "\(name(hold.attempt)) believes that it holds resource \(Format.letter(hold.resource)) after a node answered that "
                + "its key is gone, and \(gone) of \(view.count) nodes do not have it")
    }
}
