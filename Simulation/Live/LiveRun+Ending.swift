internal import LocalCluster
internal import RedlockSimulation

// After the last fault: everybody ends in order, and nothing is left.

extension LiveRun {
    func stopClients() throws {
        if let note = usage.end(with: usages()) { notes.append(note) }
        for client in clients { client.proxy.heal() }
        for client in clients { client.beginStop() }
        let seconds = 30 + Int((options.wait + options.ttl + options.nodeTimeout * 4) / 1_000_000_000)
        for client in clients where !client.finish(withinSeconds: seconds) {
            history.add(LiveRecord(.unanswered, at: MachineClock.now(), client: client.index))
        }
    }

    /// All locks are released or were left to their ttl: when that is over, no key may be there.
    func drainKeys() {
        let setBack = schedule.faults.reduce(Int64(0)) {
            $1.kind == .nodeClockJump ? $0 + max(0, -$1.amount) : $0
        }
        let limit = MachineClock.now() + options.ttl + options.ttl / 5 + min(setBack, 4 * options.ttl) + 2_000_000_000
        while true {
            let left = nodes.flatMap { node in
                (0..<options.resources).compactMap { resource -> LiveRecord? in
                    guard case .integer(let time) = node.keyExpiry(resource), time != -2 else { return nil }
                    return LiveRecord(
                        .keyLeft(node: node.index, resource: resource, milliseconds: time), at: MachineClock.now())
                }
            }
            if left.isEmpty { return }
            guard MachineClock.now() < limit, !isInterrupted else {
                if !isInterrupted { for record in left { history.add(record) } }
                return
            }
            MachineClock.sleep(until: limit, atMost: 100_000_000)
        }
    }

    func cleanUp() {
        // What was begun is finished first; nothing starts a server again after this.
        wait(for: nodeQueues + clientQueues)
        for client in clients { client.kill() }
        for client in clients { client.proxy.stop() }
        for watch in watches { watch.stop() }
        for node in nodes {
            node.stop()
            // Containers go on, and not with our keys.
            if setup.cluster != nil { for resource in 0..<options.resources { node.forget(resource) } }
        }
        undertaker.dismiss()
    }

    /// What each process takes of the machine now.
    func usages() -> [(name: String, usage: ProcessUsage)] {
        var usages = clients.compactMap(\.usage)
        for node in nodes {
            if let usage = node.usage { usages.append(("node \(node.index), process \(usage.id)", usage)) }
        }
        return usages
    }
}
