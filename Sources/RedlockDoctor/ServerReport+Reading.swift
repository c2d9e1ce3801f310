package import RedlockCore
import RedlockRedis

// Answers made into values. Nothing is judged here but what every client judges: whether the node votes.

extension ServerReport {
    /// - Parameter parameters: Those of the lock's clients.
    package init(_ answers: NodeAnswers, _ parameters: Parameters) {
        self.init()
        var info = InfoText("")
        for case .text(let text) in answers.facts + answers.info { info.add(text) }
        read(info)
        persistence = Persistence(info, settings: answers.facts.last)
        memory = Memory(info)
        loop = LoopUse(info)
        roundTrip = RoundTrip(answers.clock)
        clock = ClockOffset(answers.clock)
        rights = answers.rights.map { RightVerdict($0) }
        refusal = Self.refusal(answers)
        access = Self.access(answers)
        readNumbers(answers.numbers)
        greet(answers, parameters)
    }

    private mutating func read(_ info: InfoText) {
        version = Version(info)
        mode = info.mode.flatMap { Mode(rawValue: String($0)) }
        isReplica = info["role"].map { $0 == "slave" || $0 == "replica" }
        replicas = info.number("connected_slaves")
        runID = info["run_id"].map { InfoText.printable($0) }
        uptime = info.number("uptime_in_seconds").flatMap {
            (0...Self.longestUptimeSeconds).contains($0) ? .seconds($0) : nil
        }
    }

    /// A hundred years.
    private static let longestUptimeSeconds: Int64 = 3_153_600_000

    private mutating func readNumbers(_ replies: [Reply]) {
        guard let last = replies.last else { return }
        numbers = replies.dropLast().map { StoredNumber($0) }
        floor = StoredNumber(last)
    }

    private mutating func greet(_ answers: NodeAnswers, _ parameters: Parameters) {
        do throws(NodeFactsReader.NotReady) {
            let greeting = try NodeFactsReader.greeting(answers.facts)
            quarantine = Quarantine.atFirstSight(
                of: greeting, dialledAt: answers.dialledAt, at: answers.answeredAt, parameters)
            if let quarantine { quarantineLeft = quarantine.until - answers.answeredAt }
            switch greeting {
            case .server(let facts):
                isDurable = facts.durability == .everyWrite
                if case .unknown(let reason) = facts.durability { unverified = reason }
            case .unknown(let reason):
                unverified = reason
                infoRefusal = reason
            case .malformed, .sentinel: break
            }
        } catch {
            notReady = error
        }
    }

    /// Nil where nobody knows: the stranger could not ask, or this user may delete nothing either.
    private static func access(_ answers: NodeAnswers) -> Access? {
        guard answers.hasPassword else {
            guard let index = Right.all.firstIndex(where: { $0.rule == "+del" }), answers.rights.indices.contains(index)
            else { return nil }
            return RightVerdict(answers.rights[index]) == .granted ? .noPassword : nil
        }
        switch answers.stranger {
        case nil: return nil
        case .error(let text)?:
            // Others come after the check of the rights. Who is turned away has not been heard at all.
            if Reply.error(text).turnsAway { return nil }
            let isLetIn = !text.hasPrefix("NOAUTH") && RightVerdict(.error(text)) == .granted
            return isLetIn ? .withoutPassword : .withPassword
        default: return .withoutPassword
        }
    }

    private static func refusal(_ answers: NodeAnswers) -> String? {
        guard let index = Right.all.firstIndex(where: { $0.rule == "+set" }), answers.rights.indices.contains(index),
            case .error(let text) = answers.rights[index], RightVerdict(answers.rights[index]) == .granted
        else { return nil }
        return text
    }
}

extension ServerReport.Version {
    /// Valkey also says which version of Redis it is compatible with.
    init?(_ info: InfoText) {
        product = info["server_name"] == "valkey" || info["valkey_version"] != nil ? "Valkey" : "Redis"
        guard let text = info["valkey_version"] ?? info["redis_version"] else { return nil }
        numbers = text.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
    }

    package var text: String { product + " " + numbers.map(String.init).joined(separator: ".") }
}

extension ServerReport.Persistence {
    init(_ info: InfoText, settings: Reply?) {
        keepsLog = info["aof_enabled"].map { $0 == "1" }
        lastWriteFailed = info["aof_last_write_status"].map { $0 != "ok" } ?? false
        guard case .list(let words) = settings else { return }
        fsync = NodeFactsReader.setting("appendfsync", words).map { InfoText.printable($0) }
        pausesOnRewrite = NodeFactsReader.setting("no-appendfsync-on-rewrite", words) == "yes"
    }
}

extension ServerReport.Memory {
    init(_ info: InfoText) {
        used = info.number("used_memory")
        limit = info.number("maxmemory")
        policy = info["maxmemory_policy"].map { InfoText.printable($0) }
        evictedKeys = info.number("evicted_keys")
    }
}

extension ServerReport.LoopUse {
    /// Below this age, starting is most of what the server has done.
    private static let shortestUptimeSeconds = 60.0

    /// Since 7.2 the server measures its loop. Before, the CPU time of the thread that the loop runs on is known.
    init?(_ info: InfoText) {
        if let cycles = info.number("instantaneous_eventloop_cycles_per_sec"),
            let microseconds = info.number("instantaneous_eventloop_duration_usec")
        {
            self.init(share: min(Double(cycles) * Double(microseconds) / 1e6, 1), isRecent: true)
        } else if let user = info.fraction("used_cpu_user_main_thread"),
            let system = info.fraction("used_cpu_sys_main_thread"), let uptime = info.fraction("uptime_in_seconds"),
            uptime >= Self.shortestUptimeSeconds
        {
            self.init(share: min((user + system) / uptime, 1), isRecent: false)
        } else {
            return nil
        }
    }
}

extension ServerReport.RoundTrip {
    init(_ samples: [NodeAnswers.ClockSample]) {
        let sorted = samples.map(\.roundTrip).sorted()
        self.init(median: sorted.isEmpty ? .zero : sorted[sorted.count / 2], longest: sorted.last ?? .zero)
    }
}

extension ServerReport.ClockOffset {
    /// As NTP does it: the node read its clock at some moment of the round trip, so the shortest tells most. Nil when
    /// it does not tell its time.
    init?(_ samples: [NodeAnswers.ClockSample]) {
        let readings = samples.compactMap { sample in
            sample.reply.wallClock.map { (wall: $0, sample: sample) }
        }
        guard let best = readings.min(by: { $0.sample.roundTrip < $1.sample.roundTrip }) else { return nil }
        let half = best.sample.roundTrip / 2
        self.init(offset: best.wall - (.microseconds(best.sample.sentAt) + half), uncertainty: half)
    }
}

extension InfoText {
    fileprivate func number(_ name: String) -> Int64? { self[name].flatMap { Int64($0) } }
    fileprivate func fraction(_ name: String) -> Double? { self[name].flatMap { Double($0) } }
}
