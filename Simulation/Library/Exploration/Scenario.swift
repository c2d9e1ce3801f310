/// A situation with a name, and what must come of it.
package struct Scenario: Sendable {
    package enum Expectation: Hashable, Sendable {
        /// Every promise is kept.
        case held
        /// One of these oracles fails, and this assumption was broken before.
        case inconclusive([Oracle], Assumption)
        /// This oracle fails, as the library was broken on purpose.
        case violated(Oracle)
    }

    package let name: String
    package let summary: String
    package let expected: Expectation
    /// How often a lock is granted; nil when it does not matter.
    package var grants: Int?
    /// How often a holder is told of a loss; nil when it does not matter.
    package var losses: Int?
    /// Situations that it must have been in.
    package var marks: [Mark] = []
    package var schedule: Schedule
    /// Why it cannot be played with real servers; nil when it can.
    package var simulatedOnly: String?

    /// What is not as expected; empty when all is.
    package func check(_ outcome: Outcome) -> [String] {
        var faults: [String] = []
        let found = outcome.worst.map { "\($0.oracle.rawValue): \($0.message)" } ?? "every promise was kept"
        switch expected {
        case .held:
            if outcome.verdict != .held { faults.append("expected every promise to be kept; found \(found)") }
        case .inconclusive(let oracles, let assumption):
            if outcome.verdict != .inconclusive || !outcome.violations.contains(where: { oracles.contains($0.oracle) })
            {
                faults.append("expected \(oracles.map(\.rawValue).joined(separator: " or ")); found \(found)")
            } else if !outcome.breaches.contains(where: { $0.assumption == assumption }) {
                faults.append("expected a broken assumption: \(assumption.rawValue)")
            }
        case .violated(let oracle):
            if outcome.worst?.oracle != oracle { faults.append("expected \(oracle.rawValue); found \(found)") }
        }
        if let grants, outcome.grants != grants { faults.append("expected \(grants) grants; found \(outcome.grants)") }
        if let losses, outcome.losses != losses { faults.append("expected \(losses) losses; found \(outcome.losses)") }
        for mark in marks where !outcome.marks.contains(mark) { faults.append("expected: \(mark.words)") }
        return faults
    }

    /// In words: `held`, or who fails and why.
    package var expectation: String {
        switch expected {
        case .held: "held"
        case .inconclusive(let oracles, let assumption):
            oracles.map(\.rawValue).joined(separator: " or ") + ", once it is not true that " + assumption.rawValue
        case .violated(let oracle): "\(oracle.rawValue), as the library is broken on purpose"
        }
    }
}

// MARK: - Making one

extension Scenario {
    /// Five nodes, two clients with one worker each, a ttl of 2 s, round trips of 1 to 3 ms; nothing happens by itself.
    init(
        _ name: String, _ summary: String, _ expected: Expectation = .held, grants: Int? = nil, losses: Int? = nil,
        marks: [Mark] = [], seconds: Int64 = 8, simulatedOnly: String? = nil, _ make: (inout Schedule) -> Void
    ) {
        var schedule = Schedule(seed: 1)
        schedule.options.clients = 2
        schedule.options.scripted = true
        schedule.healAt = 0
        schedule.endAt = WorldOptions.milliseconds(seconds * 1_000)
        make(&schedule)
        schedule.faults.sort { $0.at < $1.at }
        self.name = name
        self.summary = summary
        self.expected = expected
        self.grants = grants
        self.losses = losses
        self.marks = marks
        self.schedule = schedule
        self.simulatedOnly = simulatedOnly
    }
}

extension Schedule {
    /// Times are milliseconds here, possibly with a fraction.
    mutating func acquire(
        _ worker: Int, at time: Double, wait: Int64 = 0, extendsItself: Bool = false, maximumHold: Int64 = 0,
        maximumAttempts: Int = 0
    ) {
        var step = Step(.acquire, at: Self.time(time), worker: worker)
        step.wait = WorldOptions.milliseconds(wait)
        step.extendsItself = extendsItself
        step.maximumHold = WorldOptions.milliseconds(maximumHold)
        step.maximumAttempts = maximumAttempts
        script.append(step)
    }

    mutating func then(_ action: Step.Action, _ worker: Int, at time: Double, ttl: Int64 = 0, delay: Int64 = 0) {
        var step = Step(action, at: Self.time(time), worker: worker)
        step.ttl = WorldOptions.milliseconds(ttl)
        step.delay = WorldOptions.milliseconds(delay)
        script.append(step)
    }

    mutating func fault(
        _ kind: Fault.Kind, at time: Double, nodes: [Int] = [], clients: [Int] = [], for duration: Int64 = 0,
        amount: Int64 = 0, text: String = "", direction: Fault.Direction = .both
    ) {
        var fault = Fault(kind, at: Self.time(time), nodes: nodes, clients: clients)
        fault.duration = WorldOptions.milliseconds(duration)
        fault.amount = kind.unit == .time ? WorldOptions.milliseconds(amount) : amount
        fault.text = text
        fault.direction = direction
        faults.append(fault)
    }

    private static func time(_ milliseconds: Double) -> Int64 { Int64(milliseconds * 1_000) * 1_000 }

    /// Each node is away for longer than the ttl, and comes back empty; at most one at a time.
    mutating func rollingRestart() {
        options.persistence = .none
        acquire(0, at: 100, extendsItself: true)
        for node in 0..<5 { fault(.nodeKill, at: Double(500 + 3_500 * node), nodes: [node], for: 2_600) }
        then(.release, 0, at: 19_000)
    }

    /// Client 0 holds the lock on nodes 0, 1 and 2 only, from 0.2 s on; the way from it to nodes 3 and 4 is cut for
    /// good, so that it cannot repair them.
    mutating func holdBareMajority() {
        fault(.partition, at: 10, nodes: [3, 4], clients: [0], for: 60_000)
        acquire(0, at: 200)
    }

    /// Node 0 of the bare majority restarts with nothing; the other client wants the lock.
    mutating func crashAmnesia() {
        options.persistence = .none
        holdBareMajority()
        fault(.nodeKill, at: 1_200, nodes: [0], for: 200)
        acquire(1, at: 1_700)
    }

    /// Client 1 has looked at all nodes for longer than the ttl. Then the logs of a bare majority are switched off, client
    /// 0 takes the lock there, and the nodes are restarted with their logs.
    mutating func switchLogOff(for milliseconds: Int64) {
        fault(.partition, at: 10, nodes: [3, 4], clients: [0], for: 60_000)
        acquire(1, at: 200, extendsItself: true)
        fault(.nodeSettings, at: 3_500, nodes: [0, 1, 2], for: milliseconds + 150, text: "none")
        then(.release, 1, at: 3_400)
        acquire(0, at: Double(3_500 + milliseconds - 200))
        // Client 1 looks again while it waits.
        if milliseconds > 1_500 { acquire(1, at: Double(3_500 + milliseconds - 150)) }
        fault(.nodeKill, at: Double(3_500 + milliseconds), nodes: [0, 1, 2], for: 200)
        acquire(1, at: Double(3_500 + milliseconds + 500))
    }

    /// Node 0 of the bare majority has its clock set past the ttl; the other client wants the lock.
    mutating func jumpOfBareMajority() {
        holdBareMajority()
        fault(.nodeClockJump, at: 900, nodes: [0], amount: 5_000)
        acquire(1, at: 1_500)
    }

    mutating func driftBeyond() {
        options.nodeRates = Array(repeating: 200_000_000, count: 5)
        acquire(0, at: 100)
        acquire(1, at: 200, wait: 5_000)
    }
}
