/// Which faults a random schedule is made of.
package enum Profile: String, Hashable, Sendable, CaseIterable {
    /// Only what the algorithm must withstand.
    case tolerated
    /// Clocks that jump and drift beyond the allowance, on top.
    case clock
    /// Nodes that forget, on top.
    case amnesia
    /// Everything.
    case chaos
    /// What the algorithm must withstand, in worlds where every client asks for fencing tokens and what they rest on
    /// fails again and again: clocks of clients and nodes, connections, and numbers.
    case fencing

    /// The kinds of fault, each a class that a seed leaves out or not.
    var kinds: [Fault.Kind] {
        let tolerated: [Fault.Kind] = [
            .nodeKill, .nodePowerLoss, .nodePause, .nodeSlow, .fsyncStall, .nodeErrors, .scriptFlush, .clientPause,
            .clientSuspend, .clientCrash, .clientShutdown, .clientClockJump, .linkDelay, .linkLoss, .linkReset,
            .partition, .nodeClockRate, .clientClockRate, .nodeClockJump, .nodeBadNumber,
            .nodeForgetNumbers, .nodeInfoDenied, .nodeMemory, .nodeGreeting,
        ]
        let clock: [Fault.Kind] = [.nodeClockStrobe, .clientStop]
        let amnesia: [Fault.Kind] = [.nodeFlush, .nodeEvict, .nodeFailover, .nodeSettings, .nodeReplica, .nodeRestore]
        return switch self {
        case .tolerated, .fencing: tolerated
        case .clock: tolerated + clock
        case .amnesia: tolerated + amnesia
        case .chaos: tolerated + clock + amnesia
        }
    }

    var breaksClocks: Bool { self == .clock || self == .chaos }
    var forgets: Bool { self == .amnesia || self == .chaos }
}
