import Testing

@testable import RedlockCore

/// Random events, as far as a shell could bring them. The stage checks every directive, and ``Script/finish()`` the
/// rest: no answer missing or twice, no round open, closed once.
@Suite struct FuzzTests {
    private static let steps = 1_000

    /// Nodes that answer with anything at all.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func whateverNodesSayEveryCallerGetsOneAnswer(seed: UInt64) {
        var fuzzer = Fuzzer(seed: seed, areHonest: false)
        fuzzer.run(steps: Self.steps)
    }

    /// Nodes that behave like Redis, behind connections that do not.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func withHonestNodesNoTwoHoldersAndNoKeyIsLeftBehind(seed: UInt64) {
        var fuzzer = Fuzzer(seed: seed, areHonest: true)
        fuzzer.run(steps: Self.steps)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func decisionsDoNotDependOnWhetherAnybodyWantsReports(seed: UInt64) {
        var reporting = Fuzzer(seed: seed, areHonest: false, reports: true)
        reporting.run(steps: Self.steps)
        var silent = Fuzzer(seed: seed, areHonest: false, reports: false)
        silent.run(steps: Self.steps)
        #expect(!reporting.script.reports.isEmpty)
        #expect(silent.script.reports.isEmpty)
        #expect(reporting.script.told == silent.script.told)
        #expect(reporting.script.risks == silent.script.risks)
    }

    @Test func itReachesEveryKindOfOutcome() {
        var outcomes = Set<String>()
        for seed in 1...60 as ClosedRange<UInt64> {
            var fuzzer = Fuzzer(seed: seed, areHonest: seed.isMultiple(of: 2))
            fuzzer.run(steps: Self.steps)
            for told in fuzzer.script.told {
                switch told {
                case .granted: outcomes.insert("granted")
                case .refused(_, let refusal): outcomes.insert("refused \(refusal.reason)")
                case .extended: outcomes.insert("extended")
                case .notExtended(_, let refusal, _): outcomes.insert("not extended \(refusal.reason)")
                case .lost(_, let loss): outcomes.insert("lost \(loss.reason)")
                case .released: outcomes.insert("released")
                case .closed: outcomes.insert("closed")
                }
            }
            for news in fuzzer.script.risks {
                switch news {
                case .atRisk(let report): outcomes.insert("at risk \(report.risk)")
                case .recovered: outcomes.insert("recovered")
                }
            }
            for case .repaired in fuzzer.script.reports { outcomes.insert("repaired") }
        }
        // A fuzzer that never gets anywhere finds nothing.
        #expect(
            outcomes.sorted() == [
                "at risk noSpareNode", "at risk notExtended", "closed", "extended", "granted", "lost expired",
                "lost maximumHold", "lost notExtended",
                "lost shutDown", "lost taken", "not extended expired", "not extended lost",
                "not extended notExtended", "not extended released", "recovered", "refused cancelled",
                "refused expired", "refused heldByAnother", "refused shutDown", "refused unavailable", "released",
                "repaired",
            ])
    }
}

private struct Fuzzer {
    private static let keys = ["a", "b", "c"]

    let script: Script
    private let areHonest: Bool
    /// How often in a hundred answers a dishonest node says anything at all.
    private let garbage: Int
    private var random: SplitMix64
    private var key: [LockID: String] = [:]
    private var waiting: [LockID] = []
    private var held: [LockID] = []
    private var ended: [LockID] = []
    private var validUntil: [LockID: Instant] = [:]
    /// The last fencing token of each key.
    private var tokens: [String: Int64] = [:]
    /// A connection of the past, to bring news from.
    private var stale: ConnectionID?

    init(seed: UInt64, areHonest: Bool, reports: Bool = true, at location: SourceLocation = #_sourceLocation) {
        random = SplitMix64(seed: seed)
        self.areHonest = areHonest
        garbage = [2, 10, 40].randomElement(using: &random)!
        var parameters = Parameters(nodes: Int.random(in: 1...7, using: &random))
        parameters.reports = reports
        parameters.retryDelay = .milliseconds(20)
        parameters.retryJitter = .milliseconds(20)
        parameters.silenceTimeout = .milliseconds(500)
        script = Script(parameters, seed: seed, at: location)
    }

    mutating func run(steps: Int) {
        script.start()
        for _ in 0..<steps {
            step()
            listen()
        }
        if areHonest { calmDown() }
        script.shutdown()
        for _ in 0..<20 {
            step()
            listen()
        }
        script.finish()
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func step() {
        let node = Int.random(in: 0..<script.nodeCount, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<6: acquire()
        case 6..<11: if let lock = held.randomElement(using: &random) { script.extend(lock, ttl: ttl()) }
        case 11..<15: if let lock = held.randomElement(using: &random) { release(lock) }
        case 15..<16: if let lock = waiting.randomElement(using: &random) { script.cancel(lock) }
        case 16..<17: if let lock = (held + ended).randomElement(using: &random) { script.cancel(lock) }
        case 17..<18: if let lock = ended.randomElement(using: &random) { sayAgain(lock) }
        case 18..<22: script.listening(node, confirming: chance(90))
        case 22..<23: if script.isBeingListenedTo(node) { chance(30) ? script.deafen(node) : hearsay(node) }
        case 23..<30: if script.connection(node) != nil, !script.isUp(node) { script.connected(node) }
        case 30..<31: if chance(50) { disconnect(node) }
        case 31..<32: bringStaleNews(node)
        // Another client, with a clock of its own, was here.
        case 32..<33: raiseNumber(of: node)
        case 33..<36:
            script.together {
                for _ in 0..<Int.random(in: 1...4, using: &random) { acquire() }
                if let lock = held.randomElement(using: &random) { release(lock) }
                for node in 0..<script.nodeCount where !script.unanswered(node).isEmpty && chance(50) { answer(node) }
            }
        case 36..<80:
            for _ in 0..<Int.random(in: 1...10, using: &random) where !script.unanswered(node).isEmpty {
                answer(node)
            }
        case 80..<99: script.advance(by: .microseconds(Int64.random(in: 0..<5_000, using: &random)))
        default:
            script.pause(for: .milliseconds(Int64.random(in: 0..<(chance(20) ? 2_000 : 100), using: &random)))
            if chance(50) { script.timer() }
        }
    }

    /// Short ones, that end by themselves, and such as outlast the end of the run.
    private mutating func ttl() -> Nanoseconds {
        .milliseconds(Int64.random(in: chance(60) ? 5..<1_500 : 20_000..<60_000, using: &random))
    }

    private mutating func acquire() {
        let name = Self.keys.randomElement(using: &random)!
        let lock = script.acquire(
            name, ttl: ttl(), wait: chance(30) ? .zero : .milliseconds(Int64.random(in: 1..<800, using: &random)),
            attempts: chance(20) ? Int.random(in: 1...3, using: &random) : nil, extendsItself: chance(50),
            maximumHold: chance(20) ? .milliseconds(Int64.random(in: 10..<3_000, using: &random)) : nil,
            wallClock: chance(50) ? Int64.random(in: 1_000_000..<2_000_000, using: &random) : nil)
        key[lock] = name
        waiting.append(lock)
    }

    private mutating func release(_ lock: LockID) {
        held.removeAll { $0 == lock }
        validUntil[lock] = nil
        ended.append(lock)
        script.release(lock)
    }

    /// What callers may still say about a lease that they have released.
    private mutating func sayAgain(_ lock: LockID) {
        if chance(50) { script.release(lock) } else { script.extend(lock, ttl: ttl()) }
    }

    private mutating func raiseNumber(of node: Int) {
        let name = Self.keys.randomElement(using: &random)!
        let number = (script.number(on: node, key: name) ?? 1_000_000) + Int64.random(in: 0..<100_000, using: &random)
        script.setNumber(number, on: node, key: name)
    }

    private mutating func disconnect(_ node: Int) {
        guard script.connection(node) != nil else { return }
        stale = script.connection(node)
        if areHonest {
            // What was on its way arrived in part, and the answers are lost.
            let commands = script.unanswered(node)
            let arrived = Int.random(in: 0...commands.count, using: &random)
            for command in commands.prefix(arrived) { _ = script.execute(command, on: node) }
        }
        script.disconnect(node)
    }

    private mutating func bringStaleNews(_ node: Int) {
        guard let stale else { return }
        guard script.connection(node) != stale else { return }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: script.handle(.connected(node: node, stale, .unknown("nobody asks")))
        case 1: script.handle(.disconnected(node: node, stale, reason: "stale"))
        default: script.handle(.replies(node: node, stale, [.ok]))
        }
    }

    /// What may come over a channel: true, false, or no message of ours.
    private mutating func hearsay(_ node: Int) {
        let key = Self.keys.randomElement(using: &random)!
        switch Int.random(in: 0..<6, using: &random) {
        case 0: script.push(node, .message(channel: [UInt8](key.utf8), payload: []))
        case 1: script.push(node, .refused("NOPERM"))
        case 2: script.push(node, .unsubscribed(channel: Channel.name(of: [UInt8](key.utf8))))
        case 3: script.confirm(node)
        default: script.tell(node, chance(50) ? 0 : Int64.random(in: 1..<2_000, using: &random), key: key)
        }
    }

    /// One answer, or some that come together.
    private mutating func answer(_ node: Int) {
        let commands = script.unanswered(node).prefix(chance(30) ? Int.random(in: 2...5, using: &random) : 1)
        script.reply(node, together: commands.map { reply(of: node, to: $0) })
    }

    private mutating func reply(of node: Int, to command: Command) -> Reply {
        if areHonest {
            // A script that was flushed, or an error, changes nothing on the node.
            if !command.isRelease, chance(3) { return .error("OOM command not allowed") }
            if case .acquire = command.operation {
            } else if command.spelling == .digest, chance(10) {
                return .error("NOSCRIPT No matching script")
            }
            return script.execute(command, on: node)
        }
        guard chance(garbage) else { return script.execute(command, on: node) }
        let replies: [Reply] = [
            .ok, .null, .integer(1), .integer(0), .integer(-1), .integer(.max), .error(""), .error("OOM"),
            .error("NOSCRIPT No matching script"), .unexpected("an array"), .pair(0, -2), .pair(0, 10), .pair(1, 1),
            .pair(2, 0), .pair(2, .max), .pair(2, .min), .pair(2, 3_000_000), .pair(2, Limits.fencingNumber),
        ]
        return replies.randomElement(using: &random)!
    }

    /// Hears what callers are told, and sees to it that no two hold the same.
    private mutating func listen() {
        for told in script.news() {
            switch told {
            case .granted(let lock, let grant):
                waiting.removeAll { $0 == lock }
                held.append(lock)
                validUntil[lock] = grant.validUntil
                if areHonest { checkAlone(lock) }
                if areHonest, let token = grant.fencingToken { checkRising(token, lock) }
            case .refused(let lock, _):
                waiting.removeAll { $0 == lock }
            case .extended(let lock, let until, _):
                if validUntil[lock] != nil { validUntil[lock] = until }
            case .released(let lock):
                // At the shutdown nobody asked for it.
                held.removeAll { $0 == lock }
                if !ended.contains(lock) { ended.append(lock) }
                validUntil[lock] = nil
            case .notExtended, .lost, .closed:
                break
            }
        }
    }

    private mutating func checkRising(_ token: Int64, _ lock: LockID) {
        if let last = tokens[key[lock]!], token <= last { script.complain("the token \(token) after \(last)") }
        tokens[key[lock]!] = token
    }

    private func checkAlone(_ lock: LockID) {
        for other in held where other != lock && key[other] == key[lock] {
            guard let end = validUntil[other], script.now < end else { continue }
            script.complain("\(lock) was granted what \(other) holds until \(end)")
        }
    }

    /// The network recovers and everybody lets go: then no key is left, not even of those whose ttl is far from over.
    private mutating func calmDown() {
        for lock in waiting { script.cancel(lock) }
        for lock in held { release(lock) }
        listen()
        for lock in held { release(lock) }
        for _ in 0..<40 {
            for node in 0..<script.nodeCount {
                if script.connection(node) != nil, !script.isUp(node) { script.connected(node) }
                script.listening(node)
                script.serve(node)
            }
            script.advance(by: .milliseconds(50))
        }
        listen()
        for node in 0..<script.nodeCount where !script.keys(node).isEmpty {
            script.complain("node \(node) still holds a key")
        }
    }
}
