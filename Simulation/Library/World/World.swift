import RedlockCore

/// A whole world: clients that run the library's engine, nodes, the network between them, and the judge.
///
/// One run is one value, one thread and one seed. Everything that happens is an event at a true time, which nobody
/// inside can read: clients and nodes have clocks of their own.
package struct World {
    package let schedule: Schedule
    let options: WorldOptions
    let mutant: Mutant?

    var now: Int64 = 0
    var queue = EventQueue()

    var nodes: [SimulatedNode] = []
    var clients: [SimulatedClient] = []
    var engines: [Engine] = []
    var engineRandom: [any RandomNumberGenerator] = []
    var workers: [Worker] = []
    /// One for each client and node: the client's number times the nodes, plus the node's.
    var links: [Link] = []
    var linkRandom: [Randomness] = []
    var connections: [Connection] = []
    var freeConnections: [Int] = []
    var connectionCount: UInt32 = 0
    var workRandom: [Randomness] = []
    var shellRandom: [Randomness] = []
    var directives: [Directive] = []
    var extensionCount: UInt64 = 0
    var tickets: UInt64 = 0

    var attempts: [AttemptRecord] = []
    var holds: [Hold] = []
    /// Open holds of each resource.
    var believers: [[Int]] = []
    /// The hold that was granted last on each resource; -1 for none.
    var latestHold: [Int] = []
    var waits: [Starvation] = []
    var writes: [PendingWrite] = []
    var resources: [ProtectedResource] = []
    /// Grants with a token, of each resource, oldest first.
    var fencedGrants: [[FencedGrant]] = []
    /// The highest number of each resource that a node has lost.
    var lostNumbers: [Int64] = []
    /// Grants of each resource since the healing.
    var healedGrants: [Int] = []
    var isEnding = false

    /// Faults in force, and when the last one began or ended.
    var activeFaults = 0
    var lastFaultAt: Int64 = 0
    var lastErrorAt: [Int64] = []
    /// By how much nodes' clocks were set back in all: keys live so much longer.
    var setBack: Int64 = 0

    package var outcome = Outcome()
    package var trace: [TraceRecord] = []
    let isTracing: Bool
    /// Whether the least slack is wanted: what a search goes by, and too dear for a sweep.
    let measuresSlack: Bool
    /// Stops at the first violation that no broken assumption explains.
    let stopsAtViolation: Bool
    var isOver = false
    /// The most events that this world may use.
    var stepLimit: Int
    /// What clients' engines wanted last.
    var recent = RecentDirectives()
    /// How often a mutant's clock read otherwise than the right one.
    var clockMutations = 0
    var resourceMutations = 0
    /// Delays of the first messages of each link and direction, for the exhaustive mode.
    var plannedDelays: [[Int64]] = []

    package init(
        _ schedule: Schedule, tracing: Bool = false, measuringSlack: Bool = false, stopsAtViolation: Bool = true
    ) {
        self.schedule = schedule
        options = schedule.options
        stepLimit = schedule.stepLimit
        mutant = schedule.mutant.flatMap(Mutant.named)
        // Before the engines are made: they ask for quorums once, and keep them.
        mutant?.counter?.reset()
        isTracing = tracing
        measuresSlack = measuringSlack
        self.stopsAtViolation = stopsAtViolation
        makeNodes()
        makeClients()
        believers = Array(repeating: [], count: options.resources)
        healedGrants = Array(repeating: 0, count: options.resources)
        latestHold = Array(repeating: -1, count: options.resources)
        waits = Array(repeating: Starvation(), count: options.resources)
        resources = Array(repeating: ProtectedResource(), count: options.resources)
        fencedGrants = Array(repeating: [], count: options.resources)
        lostNumbers = Array(repeating: 0, count: options.resources)
        plan()
    }

    /// Runs to the end, and says what happened.
    package mutating func run() -> Outcome {
        for client in clients.indices { start(client) }
        judgeOptions()
        while !isOver, let item = queue.popFirst() {
            now = item.time
            outcome.events += 1
            note(
                UInt64(truncatingIfNeeded: now),
                UInt64(item.kind.rawValue) << 32 | UInt64(UInt32(bitPattern: item.subject)))
            handle(item)
            if outcome.events >= stepLimit { endForTooManySteps() }
        }
        finish()
        return outcome
    }

    /// Mixes what happened into the run's hash.
    @inline(__always)
    mutating func note(_ one: UInt64, _ other: UInt64) {
        var hash = (outcome.hash ^ one) &* 0x9fb2_1c65_1e98_df25
        hash ^= hash >> 32
        hash = (hash ^ other) &* 0xd6e8_feb8_6659_fd93
        outcome.hash = hash ^ (hash >> 29)
    }

    private mutating func handle(_ item: EventQueue.Item) {
        let subject = Int(item.subject)
        switch item.kind {
        case .toNode: if connections[subject].generation == item.number { arriveAtNode(subject) }
        case .toClient: if connections[subject].generation == item.number { arriveAtClient(subject) }
        case .timer: timerFired(subject, item.number)
        case .work: if runs(workers[subject].client, orDefer: item) { step(subject, item.number) }
        case .write:
            let client = workers[Int(writes[subject].worker)].client
            if runs(client, orDefer: item) { sendWrite(subject) }
        case .writeArrival: writeArrives(subject)
        case .cancel: if runs(workers[subject].client, orDefer: item) { cancel(subject, item.number) }
        case .beliefEnd: beliefMayEnd(subject)
        case .orphanCheck: checkOrphans(of: subject)
        case .guardCheck: item.number == 0 ? checkGuard(subject) : checkAnswered(subject)
        case .faultBegin: begin(subject)
        case .faultEnd: end(subject)
        case .strobe: strobe(subject, item.number)
        case .wallPutRight: putWallRight(subject)
        case .script: scriptStep(subject, item)
        case .heal: heal()
        case .end: isOver = true
        }
    }

    /// Whether the client gets to run now; if not, what was to happen is kept until it does.
    private mutating func runs(_ client: Int, orDefer item: EventQueue.Item) -> Bool {
        if clients[client].isDown { return false }
        guard clients[client].pauses > 0 else { return true }
        clients[client].deferred.append(item)
        return false
    }
}

// MARK: - Telling

extension World {
    mutating func mark(_ mark: Mark) {
        outcome.marks.insert(mark)
    }

    mutating func breach(_ assumption: Assumption, _ subject: String) {
        if let place = outcome.breaches.firstIndex(where: { $0.assumption == assumption }) {
            outcome.breaches[place].latest = now
            outcome.breaches[place].latestSubject = subject
        } else {
            outcome.breaches.append(
                Breach(assumption: assumption, at: now, latest: now, subject: subject, latestSubject: subject))
        }
        if isTracing {
            trace.append(TraceRecord(.breach, at: now, text: "\(subject): no longer true that \(assumption.rawValue)"))
        }
    }

    /// The broken assumption that a failure of this oracle can come of: one whose consequences can last until now.
    private func excuse(for oracle: Oracle) -> Breach? {
        outcome.breaches.first { breach in
            guard breach.assumption.excuses(oracle) else { return false }
            switch breach.assumption {
            // A number that is lost stays lost.
            case .oneNodeList, .numbers: return true
            case .clockRates where !clockRatesAgree: return true
            case .memory, .uptime, .clockSteps, .clockRates, .promptWrites, .longestTTL, .bootClocks:
                // What a lost key does is over with the leases that it belonged to.
                return options.scripted
                    || now - breach.latest <= options.hold + 3 * options.ttl + WorldOptions.milliseconds(1_000)
            }
        }
    }

    mutating func violate(_ oracle: Oracle, _ message: String, at moment: Int64? = nil) {
        // One of a kind tells enough, and a broken world may produce thousands.
        guard !outcome.violations.contains(where: { $0.oracle == oracle }) else { return }
        let excuse = excuse(for: oracle)
        outcome.violations.append(Violation(oracle: oracle, at: moment ?? now, message: message, excuse: excuse))
        if isTracing {
            trace.append(TraceRecord(.violation, at: moment ?? now, text: "\(oracle.rawValue): \(message)"))
        }
        if stopsAtViolation, excuse == nil { isOver = true }
    }

    private mutating func finish() {
        endJudgement()
        outcome.duration = now
        outcome.mutantActivations =
            nodes.reduce(0) { $0 + $1.defects.activations } + (mutant?.counter?.count ?? 0) + clockMutations
            + resourceMutations
        for random in linkRandom { note(random.state, 1) }
        for random in workRandom { note(random.state, 2) }
        for random in shellRandom { note(random.state, 3) }
        for random in engineRandom { note((random as? Randomness)?.state ?? 0, 4) }
    }
}
