import RedlockCore

// What each fault does when it begins, and when it is over.

extension World {
    mutating func begin(_ index: Int) {
        let fault = schedule.faults[index]
        lastFaultAt = now
        recordFault(index, .fault)
        if fault.duration > 0 {
            activeFaults += 1
            queue.add(.faultEnd, index, at: fault.end)
        }
        switch fault.kind.target {
        case .node:
            measureAll()
            for node in fault.nodes { beginNode(fault, node, index) }
        case .client: for client in fault.clients { beginClient(fault, client) }
        case .link: forEachLink(of: fault) { $0.beginLink(fault, $1) }
        }
        restartWaits()
    }

    mutating func end(_ index: Int) {
        let fault = schedule.faults[index]
        lastFaultAt = now
        recordFault(index, .faultEnd)
        activeFaults -= 1
        switch fault.kind.target {
        case .node:
            measureAll()
            for node in fault.nodes { endNode(fault, node) }
        case .client: for client in fault.clients { endClient(fault, client) }
        case .link: forEachLink(of: fault) { $0.endLink(fault, $1) }
        }
        restartWaits()
    }

    /// No fault begins from here on; the workers' world is to become well.
    mutating func heal() {
        restartWaits()
    }

    private mutating func recordFault(_ index: Int, _ kind: TraceRecord.Kind) {
        guard isTracing else { return }
        trace.append(TraceRecord(kind, at: now, value: Int64(index), text: schedule.faults[index].sentence))
    }

    private mutating func forEachLink(of fault: Fault, _ act: (inout World, Int) -> Void) {
        for client in fault.clients {
            for node in fault.nodes { act(&self, linkIndex(client, node)) }
        }
    }
}

// MARK: - Links

extension World {
    private mutating func beginLink(_ fault: Fault, _ link: Int) {
        switch fault.kind {
        case .linkDelay: links[link].extraDelay += fault.amount
        case .linkLoss: links[link].loss += fault.amount
        case .linkReset: reset(link)
        case .partition:
            if fault.direction != .toClient { links[link].blocksToNode += 1 }
            if fault.direction != .toNode { links[link].blocksToClient += 1 }
        default: preconditionFailure("\(fault.kind) is no fault of a link")
        }
    }

    private mutating func endLink(_ fault: Fault, _ link: Int) {
        switch fault.kind {
        case .linkDelay: links[link].extraDelay -= fault.amount
        case .linkLoss: links[link].loss -= fault.amount
        case .partition:
            if fault.direction != .toClient { links[link].blocksToNode -= 1 }
            if fault.direction != .toNode { links[link].blocksToClient -= 1 }
            unblock(
                link, toNode: fault.direction != .toClient && links[link].blocksToNode == 0,
                toClient: fault.direction != .toNode && links[link].blocksToClient == 0)
        default: break
        }
    }
}
