// A node at its `maxmemory`: what it evicts, and what it refuses.

extension World {
    /// As Redis does it before each command: if there is too little memory, keys are evicted by the policy until there is
    /// enough. If there is nothing left to evict, a command that needs memory is refused.
    mutating func makeRoom(_ node: Int) {
        nodes[node].isOutOfMemory = false
        // A replica leaves that to its primary.
        guard let (policy, perMille) = nodes[node].shortages.last, !nodes[node].isReplica,
            nodes[node].memoryRandom.chance(perMille: perMille)
        else { return }
        lastErrorAt[node] = now
        repeat {
            guard let victim = victim(on: node, policy) else {
                nodes[node].isOutOfMemory = true
                mark(.outOfMemory)
                return
            }
            measureAll()
            mark(.evicted)
            loseKeys(node) { $0.evict(victim, at: $1) }
            // A node without any memory to spare evicts all that it may.
        } while perMille == 1_000
    }

    private mutating func victim(on node: Int, _ policy: Fault.EvictionPolicy) -> SimulatedNode.Victim? {
        let candidates = nodes[node].evictable(policy)
        guard !candidates.isEmpty else { return nil }
        if policy == .volatileTTL { return candidates.min { nodes[node].expiry(of: $0) < nodes[node].expiry(of: $1) } }
        // What was used last, and how often, depends on more than locks: any key may go.
        return nodes[node].memoryRandom.choose(candidates)
    }
}

extension SimulatedNode {
    /// What is evicted: a lock, the number of a resource, or the floor of all numbers.
    enum Victim: Sendable {
        case key(Int)
        case number(Int)
        case floor
    }

    func evictable(_ policy: Fault.EvictionPolicy) -> [Victim] {
        guard policy != .noEviction else { return [] }
        var victims: [Victim] = keys.indices.filter { keys[$0] != nil }.map { .key($0) }
        guard policy.evictsNumbers else { return victims }
        victims += numbers.indices.filter { numbers[$0] > 0 }.map { .number($0) }
        if floor > 0 { victims.append(.floor) }
        return victims
    }

    func expiry(of victim: Victim) -> Int64 {
        guard case .key(let resource) = victim else { return .max }
        return keys[resource]?.expiresAt ?? .max
    }

    mutating func evict(_ victim: Victim, at time: Int64) {
        switch victim {
        case .key(let resource): forget(resource, at: time)
        case .number(let resource):
            note(resource, at: time)
            numbers[resource] = 0
        case .floor:
            for resource in numbers.indices { note(resource, at: time) }
            floor = 0
        }
    }
}
