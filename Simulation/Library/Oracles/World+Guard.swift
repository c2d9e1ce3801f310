import RedlockCore

// Whether holders learn of clocks that jump.

extension World {
    /// A node's clock was set forward. Holders that lose their quorum by it are to be told when the clocks have been
    /// read the next time: if all is well meanwhile, after a second and a round trip.
    mutating func watchGuard() {
        guard options.guardsClocks, activeFaults == 0 else { return }
        for resource in believers.indices {
            for hold in believers[resource] where isWatching(holds[hold].client) {
                queue.add(.guardCheck, hold, at: now + WorldOptions.milliseconds(1_100) + orphanGrace)
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
}
