extension Fault {
    /// The fault in words, without its time: `node 2 is killed, and started again after 3 s`.
    package var sentence: String {
        let who =
            switch kind.target {
            case .node: Self.list("node", nodes)
            case .client: Self.list("client", clients)
            case .link: "\(Self.list("client", clients)) and \(Self.list("node", nodes))"
            }
        let time = Format.length(duration)
        let size = Format.length(amount)
        let isAre = (kind.target == .client ? clients : nodes).count == 1 ? "is" : "are"
        switch kind {
        case .nodeKill: return "\(who) \(isAre) killed, and started again after \(time)"
        case .nodePowerLoss: return "\(who) \(isAre) without power for \(time)"
        case .nodePause: return "\(who) \(isAre) paused for \(time)"
        case .nodeSlow: return "every command takes \(who) \(size) longer, for \(time)"
        case .fsyncStall: return "every write takes \(who) \(size) longer, for \(time)"
        case .nodeErrors: return "\(who) answers \"\(text)\" for \(time)"
        case .nodeClockJump:
            return "the clock of \(who) is set \(amount < 0 ? "back" : "forward") by \(Format.length(abs(amount)))"
        case .nodeClockRate: return "the clock of \(who) is \(Format.decimal(amount, per: 1_000)) ppm off for \(time)"
        case .nodeClockStrobe: return "the clock of \(who) jumps by \(size) and back, for \(time)"
        case .nodeFlush: return "all keys of \(who) are deleted"
        case .nodeEvict: return "\(who) evicts the key of resource \(Format.letter(Int(amount % 26)))"
        case .nodeFailover: return "a replica that is \(size) behind takes the place of \(who)"
        case .nodeBadNumber: return "\(who) \(isAre) given the fencing number \(amount), mended after \(time)"
        case .nodeForgetNumbers: return "\(who) forgets fencing numbers that are older than \(size)"
        case .nodeSettings: return "\(who) keeps keys as \(text) does, for \(time)"
        case .nodeReplica:
            return "a replica that is \(size) behind has the address of \(who), and is promoted after \(time)"
        case .nodeInfoDenied: return "\(who) does not say what it is, for \(time)"
        case .nodeMemory:
            return "\(who) \(isAre) out of memory for \(amount) of 1000 commands (\(text)), for \(time)"
        case .nodeGreeting:
            let more = amount > 0 ? " by \(size)" : ""
            return "\(who) answers INFO wrongly (\(text)\(more)), for \(time)"
        case .nodeRestore: return "the machine of \(who) is restored from a snapshot that is \(size) old"
        case .scriptFlush: return "\(who) forgets its scripts"
        case .clientPause: return "\(who) \(isAre) paused for \(time)"
        case .clientSuspend: return "the machine of \(who) sleeps for \(time)"
        case .clientCrash: return "\(who) crashes, and is started again after \(time)"
        case .clientShutdown: return "\(who) shuts down, and is made anew after \(time)"
        case .clientClockJump:
            return "the wall clock of \(who) is set \(amount < 0 ? "back" : "forward") by \(Format.length(abs(amount)))"
        case .clientStop:
            return "the virtual machine of \(who) is stopped for \(time), and its wall clock is right \(size) later"
        case .clientClockRate: return "the clock of \(who) is \(Format.decimal(amount, per: 1_000)) ppm off for \(time)"
        case .linkDelay: return "messages between \(who) take up to \(size) longer, for \(time)"
        case .linkLoss: return "of 1000 messages between \(who), \(amount) are lost and sent again, for \(time)"
        case .linkReset: return "the connections between \(who) are reset"
        case .partition: return "nothing passes \(passage) for \(time)"
        }
    }

    private var passage: String {
        let clients = Self.list("client", clients)
        let nodes = Self.list("node", nodes)
        return switch direction {
        case .both: "between \(clients) and \(nodes)"
        case .toNode: "from \(clients) to \(nodes)"
        case .toClient: "from \(nodes) to \(clients)"
        }
    }

    private static func list(_ noun: String, _ numbers: [Int]) -> String {
        switch numbers.count {
        case 0: "no \(noun)"
        case 1: "\(noun) \(numbers[0])"
        default:
            "\(noun)s " + numbers.dropLast().map { String($0) }.joined(separator: ", ") + " and \(numbers.last!)"
        }
    }
}
