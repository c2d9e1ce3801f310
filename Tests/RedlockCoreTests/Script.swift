import Testing

@testable import RedlockCore

/// Plays a script to an engine, and checks at its end that nobody was forgotten: see ``Script/finish()``.
func play(
    nodes: Int = 3, seed: UInt64 = 1, connected: Bool = true, rules: any Rules = StandardRules(),
    at location: SourceLocation = #_sourceLocation,
    _ change: (inout Parameters) -> Void = { _ in }, script: (Script) throws -> Void
) rethrows {
    var parameters = Parameters(nodes: nodes)
    parameters.reports = true
    change(&parameters)
    let stage = Script(parameters, rules: rules, seed: seed, at: location)
    stage.start()
    if connected { for node in 0..<nodes { stage.connected(node) } }
    try script(stage)
    stage.finish()
}

/// An engine, a clock that stands still unless it is told to move, and nodes that answer when they are told to.
///
/// It carries the directives out as a shell would, and complains whenever an engine asks for what no shell could do:
/// a command without a connection, a round left twice, a caller answered twice.
final class Script {
    /// What callers were told, in order.
    enum Told: Hashable {
        case granted(LockID, Grant)
        case refused(LockID, Refusal)
        case extended(LockID, until: Instant, [ExtensionID])
        case notExtended(LockID, ExtensionRefusal, [ExtensionID])
        case lost(LockID, Loss)
        case released(LockID)
        case closed
    }

    private struct Node {
        var connection: ConnectionID?
        var isUp = false
        /// Sent on this connection, and not answered.
        var unanswered: [Command] = []
        /// Of the look that is the oldest of them.
        var lookReplies = 0
        /// Everything that was ever sent.
        var sent: [Command] = []
        var dials = 0
        /// The connection for subscriptions.
        var listener: ConnectionID?
        var isListening = false
        /// Asked for on this connection; only what was confirmed is told of.
        var subscriptions: [(key: [UInt8], isConfirmed: Bool)] = []
        var unsubscriptions = 0
        /// What a real node would hold, if it is let serve.
        var keys: [[UInt8]: (token: Token, expiry: Instant)] = [:]
        var numbers: [[UInt8]: Int64] = [:]
        /// Its wall clock against the script's.
        var clockOffset = Nanoseconds.seconds(1_700_000_000)
    }

    private struct Account {
        var decided = 0
        var lost = 0
        var released = 0
        var validUntil: Instant?
        var risk: Risk?

        var isOver: Bool { validUntil == nil || lost > 0 || released > 0 }
    }

    private(set) var engine: Engine
    var nextDeadline: Instant { engine.nextDeadline }
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var reports: [Report] = []
    /// All that was told so far.
    private(set) var told: [Told] = []
    /// What holders were told of risks: apart, as most scripts are about something else.
    private(set) var risks: [RiskNews] = []
    /// Until when leases in doubt are valid.
    private(set) var doubts: [Instant] = []
    /// How far the client's wall clock is ahead of its boot clock; nil if the shell does not read it.
    var wallLead: Nanoseconds?
    /// Whether the engine may be due after a timer event: with broken rules.
    var mayStayDue = false
    private(set) var rounds: [RoundID: NodeSet] = [:]
    private(set) var broadcasts = 0
    private var newsRead = 0
    private var generator: any RandomNumberGenerator
    /// What is to come to the engine together; nil where nothing is.
    private var gathered: [Event]?
    private var nodes: [Node]
    private var accounts: [LockID: Account] = [:]
    private var extensions: [ExtensionID: Int] = [:]
    private var closedCount = 0
    private let repliesToLook: Int
    private let seed: UInt64
    private let location: SourceLocation

    init(_ parameters: Parameters, rules: any Rules = StandardRules(), seed: UInt64, at location: SourceLocation) {
        engine = Engine(parameters, rules: rules)
        repliesToLook = parameters.looks?.replies ?? 1
        generator = SplitMix64(seed: seed)
        nodes = [Node](repeating: Node(), count: parameters.nodes)
        self.seed = seed
        self.location = location
    }

    var nodeCount: Int { nodes.count }
    var isClosed: Bool { closedCount > 0 }

    func complain(_ what: String) {
        Issue.record("\(what) (seed \(seed), at \(now.nanoseconds) ns)", sourceLocation: location)
    }
}

// MARK: - What callers do

extension Script {
    func start() { handle(.start) }

    @discardableResult
    func acquire(
        _ key: String = "resource", ttl: Nanoseconds = .seconds(10), wait: Nanoseconds = .zero, attempts: Int? = nil,
        extendsItself: Bool = false, maximumHold: Nanoseconds? = nil, wallClock: Int64? = nil
    ) -> LockID {
        let lock = engine.newLock()!
        accounts[lock] = Account()
        let request = AcquireRequest(
            key: [UInt8](key.utf8), ttl: ttl, deadline: now + wait, maximumAttempts: attempts,
            extendsItself: extendsItself, maximumHold: maximumHold,
            wallClock: wallClock.map { WallClockReading(microseconds: $0, at: now) })
        handle(.acquire(lock, request))
        return lock
    }

    /// Acquires, lets every node grant, and forgets the news.
    func hold(
        ttl: Nanoseconds = .seconds(10), extendsItself: Bool = false, maximumHold: Nanoseconds? = nil
    ) -> LockID {
        let lock = acquire(ttl: ttl, extendsItself: extendsItself, maximumHold: maximumHold)
        for node in nodes.indices { reply(node, .ok) }
        if accounts[lock]!.validUntil == nil { complain("the lock was not granted") }
        _ = news()
        return lock
    }

    @discardableResult
    func extend(_ lock: LockID, ttl: Nanoseconds = .seconds(10)) -> ExtensionID {
        let caller = ExtensionID(number: UInt64(extensions.count + 1))
        guard isLegal(lock) else { return caller }
        extensions[caller] = 0
        handle(.extend(lock, caller, ttl: ttl))
        return caller
    }

    func release(_ lock: LockID) {
        if isLegal(lock) { handle(.release(lock)) }
    }

    func cancel(_ lock: LockID) { handle(.cancel(lock)) }
    func shutdown() { handle(.shutdown) }

    /// Only who was granted a lease has one to extend or release: the engine traps otherwise, and with it all tests.
    private func isLegal(_ lock: LockID) -> Bool {
        guard let account = accounts[lock], account.validUntil != nil || account.decided > 0 else {
            complain("\(lock) is not held")
            return false
        }
        return true
    }

    /// What callers were told since this was last asked.
    func news() -> [Told] {
        defer { newsRead = told.count }
        return Array(told[newsRead...])
    }
}

// MARK: - What nodes do

extension Script {
    func connection(_ node: Int) -> ConnectionID? { nodes[node].connection }
    func isUp(_ node: Int) -> Bool { nodes[node].isUp }
    func dials(_ node: Int) -> Int { nodes[node].dials }
    func sent(_ node: Int) -> [Command] { nodes[node].sent }
    func unanswered(_ node: Int) -> [Command] { nodes[node].unanswered }
    func operations(_ node: Int) -> [Command.Operation] { nodes[node].sent.map(\.operation) }
    /// The keys that a node holds now.
    func keys(_ node: Int) -> [[UInt8]] { nodes[node].keys.filter { now < $0.value.expiry }.map(\.key) }
    func hasKey(_ node: Int, _ key: String = "resource") -> Bool {
        nodes[node].keys[[UInt8](key.utf8)].map { now < $0.expiry } ?? false
    }

    func isBeingListenedTo(_ node: Int) -> Bool { nodes[node].listener != nil }
    func subscriptions(_ node: Int) -> [String] {
        nodes[node].subscriptions.map { String(decoding: $0.key, as: UTF8.self) }
    }
    func unsubscriptions(_ node: Int) -> Int { nodes[node].unsubscriptions }

    /// The node accepts the subscription connection, and confirms what it is asked for if it is to.
    func listening(_ node: Int, confirming: Bool = true) {
        guard let listener = nodes[node].listener, !nodes[node].isListening else { return }
        nodes[node].isListening = true
        handle(.connected(node: node, listener, greeting(of: node)))
        if confirming { confirm(node) }
    }

    /// Confirms all subscriptions that it has not confirmed, in order.
    func confirm(_ node: Int) {
        while let place = nodes[node].subscriptions.firstIndex(where: { !$0.isConfirmed }) {
            nodes[node].subscriptions[place].isConfirmed = true
            push(node, .subscribed(channel: Channel.name(of: nodes[node].subscriptions[place].key)))
        }
    }

    func push(_ node: Int, _ push: Push) {
        guard let listener = nodes[node].listener else { return complain("node \(node) has no listener") }
        handle(.pushed(node: node, listener, push))
    }

    /// Somebody released on this node, or took it for so long.
    func tell(_ node: Int, _ milliseconds: Int64 = 0, key: String = "resource") {
        tell(node, milliseconds == 0 ? .free : .taken(.milliseconds(milliseconds)), key: key)
    }

    func tell(_ node: Int, _ message: Channel.Message, key: String = "resource") {
        push(node, .message(channel: Channel.name(of: [UInt8](key.utf8)), payload: message.payload))
    }

    /// The subscription connection ends.
    func deafen(_ node: Int) {
        guard let listener = nodes[node].listener else { return complain("node \(node) has no listener") }
        forgetListener(node)
        handle(.disconnected(node: node, listener, reason: "reset"))
    }

    private func forgetListener(_ node: Int) {
        nodes[node].listener = nil
        nodes[node].isListening = false
        nodes[node].subscriptions = []
    }

    private func publish(_ command: Command, _ message: Channel.Message, on node: Int) -> Int64 {
        guard command.notice != .nothing, nodes[node].isListening,
            nodes[node].subscriptions.contains(where: { $0.key == command.key && $0.isConfirmed })
        else { return 0 }
        if command.notice != .count { tell(node, message, key: String(decoding: command.key, as: UTF8.self)) }
        return 1
    }

    /// The node accepts the connection that is being made to it, and says what it is: the server that it always was.
    func connected(_ node: Int, _ greeting: Greeting? = nil) {
        guard let connection = nodes[node].connection, !nodes[node].isUp else {
            return complain("node \(node) is not being dialled")
        }
        nodes[node].isUp = true
        handle(.connected(node: node, connection, greeting ?? self.greeting(of: node)))
    }

    private func greeting(of node: Int) -> Greeting {
        .server(NodeFacts(runID: "node \(node)", uptime: .seconds(86_400), durability: .no))
    }

    /// The connection ends, or is refused.
    func disconnect(_ node: Int, _ reason: String = "reset", kind: Outage = .unreachable) {
        guard let connection = nodes[node].connection else { return complain("node \(node) has no connection") }
        nodes[node].connection = nil
        nodes[node].isUp = false
        nodes[node].unanswered = []
        nodes[node].lookReplies = 0
        handle(.disconnected(node: node, connection, reason: reason, kind: kind))
    }

    /// The node answers the oldest command that it has not answered.
    func reply(_ node: Int, _ reply: Reply) {
        guard let command = nodes[node].unanswered.first else { return complain("node \(node) was asked nothing") }
        if command.operation == .look { nodes[node].lookReplies += 1 }
        if command.operation != .look || nodes[node].lookReplies == repliesToLook {
            nodes[node].unanswered.removeFirst()
            nodes[node].lookReplies = 0
        }
        handle(.replies(node: node, nodes[node].connection!, [reply]))
    }

    /// It answers the oldest ones, and all of that comes at once.
    func reply(_ node: Int, together replies: [Reply]) {
        guard let connection = nodes[node].connection, nodes[node].unanswered.count >= replies.count else {
            return complain("node \(node) was not asked so much")
        }
        nodes[node].unanswered.removeFirst(replies.count)
        together { handle(.replies(node: node, connection, replies)) }
    }

    /// What is done in `body` comes to the engine at once: what follows must be what would follow if it came piece by
    /// piece.
    func together(_ body: () -> Void) {
        guard gathered == nil else { return body() }
        gathered = []
        body()
        let events = gathered.take()!
        var twin = engine
        var chance = generator
        var apart: [Directive] = []
        for event in events.flatMap(pieces) { twin.handle(event, at: now, using: &chance, into: &apart) }
        var together: [Directive] = []
        engine.handle(events, at: now, using: &generator, into: &together)
        if words(together) != words(apart) || engine.nextDeadline != twin.nextDeadline {
            complain("together: \(words(together)); apart: \(words(apart))")
        }
        for directive in together { carryOut(directive) }
    }

    private func pieces(of event: Event) -> [Event] {
        guard case .replies(let node, let connection, let replies) = event else { return [event] }
        return replies.map { .replies(node: node, connection, [$0]) }
    }

    /// Departures at the end: when they are told does not matter.
    private func words(_ directives: [Directive]) -> [String] {
        var others: [String] = []
        var departures: [String] = []
        for directive in directives {
            if case .leave(let nodes) = directive {
                departures += nodes.map { "\($0)" }
            } else {
                others.append("\(directive)")
            }
        }
        return others + departures
    }

    func reply(_ nodes: some Sequence<Int>, _ reply: Reply) {
        for node in nodes { self.reply(node, reply) }
    }

    /// The node answers that its key is another's, for so long still where it is asked to say that.
    func refuse(_ node: Int, for milliseconds: Int64 = 60_000) {
        guard let command = nodes[node].unanswered.first else { return complain("node \(node) was asked nothing") }
        if case .contend = command.operation { reply(node, .integer(milliseconds)) } else { reply(node, .null) }
    }

    func refuse(_ nodes: some Sequence<Int>, for milliseconds: Int64 = 60_000) {
        for node in nodes { refuse(node, for: milliseconds) }
    }

    /// The node does what it was asked, as Redis would.
    func serve(_ node: Int) {
        while let command = nodes[node].unanswered.first {
            reply(node, execute(command, on: node))
        }
    }

    /// All keys of the node are gone, as after a clock that went far ahead and came back.
    func expireKeys(on node: Int) {
        nodes[node].keys = [:]
    }

    /// Its wall clock is set. Keys are not moved: what would come of it is for the simulator.
    func setClock(_ node: Int, by amount: Nanoseconds) {
        nodes[node].clockOffset = nodes[node].clockOffset + amount
    }

    /// Does what the command says, whether or not the answer will ever arrive.
    func execute(_ command: Command, on node: Int) -> Reply {
        let held = nodes[node].keys[command.key].flatMap { now < $0.expiry ? $0 : nil }
        switch command.operation {
        case .acquire(let milliseconds):
            guard held == nil else { return .null }
            nodes[node].keys[command.key] = (command.token, now + .milliseconds(milliseconds))
            return .ok
        case .acquireFenced(let milliseconds, let number):
            if let held { return .pair(0, (held.expiry - now).millisecondsRoundedUp) }
            nodes[node].keys[command.key] = (command.token, now + .milliseconds(milliseconds))
            _ = publish(command, .taken(.milliseconds(milliseconds)), on: node)
            return accept(number, of: command.key, on: node)
        case .raise(let number):
            guard let held else { return .pair(0, -2) }
            guard held.token == command.token else { return .pair(0, 1) }
            return accept(number, of: command.key, on: node)
        case .contend(let milliseconds):
            if let held { return .integer((held.expiry - now).millisecondsRoundedUp) }
            nodes[node].keys[command.key] = (command.token, now + .milliseconds(milliseconds))
            _ = publish(command, .taken(.milliseconds(milliseconds)), on: node)
            return .ok
        case .extend(let milliseconds):
            guard let held else { return .integer(0) }
            guard held.token == command.token else { return .integer(-1) }
            nodes[node].keys[command.key]!.expiry = max(held.expiry, now + .milliseconds(milliseconds))
            return .integer(1)
        case .repair(let milliseconds):
            guard held == nil || held!.token == command.token else { return .integer(-1) }
            let expiry = now + .milliseconds(milliseconds)
            nodes[node].keys[command.key] = (command.token, max(held?.expiry ?? expiry, expiry))
            return .integer(1)
        case .announce:
            return .integer(publish(command, .released, on: node))
        case .release:
            guard let held, held.token == command.token else { return .integer(0) }
            nodes[node].keys[command.key] = nil
            return .integer(1 + publish(command, command.notice == .everywhere ? .released : .free, on: node))
        case .look:
            return .text("as greeted")
        case .readClock:
            let wall = now.nanoseconds + nodes[node].clockOffset.count
            return .list([.text(String(wall / 1_000_000_000)), .text(String(wall / 1_000 % 1_000_000))])
        }
    }
}

extension Script {
    private func accept(_ number: Int64, of key: [UInt8], on node: Int) -> Reply {
        let highest = nodes[node].numbers[key] ?? 0
        guard number > highest else { return .pair(2, highest) }
        nodes[node].numbers[key] = number
        return .pair(1, number)
    }

    /// The node's number, as another client left it.
    func setNumber(_ number: Int64, on node: Int, key: String = "resource") {
        nodes[node].numbers[[UInt8](key.utf8)] = number
    }

    func number(on node: Int, key: String = "resource") -> Int64? { nodes[node].numbers[[UInt8](key.utf8)] }
}

// MARK: - Time

extension Script {
    /// Time passes, and the timer fires whenever the engine asked for it.
    func advance(by duration: Nanoseconds) {
        advance(to: now + duration)
    }

    func advance(to end: Instant) {
        while engine.nextDeadline <= end {
            now = max(now, engine.nextDeadline)
            timer()
            guard engine.nextDeadline > now else { return }
        }
        now = end
    }

    /// Time passes, and this process does not run: no timer fires.
    func pause(for duration: Nanoseconds) {
        now = now + duration
    }

    func pause(until instant: Instant) {
        now = instant
    }

    func timer() {
        handle(.timer)
        if !mayStayDue, engine.nextDeadline <= now { complain("the timer never comes to rest") }
    }
}

// MARK: - The shell

extension Script {
    @discardableResult
    func handle(_ event: Event) -> [Directive] {
        var directives: [Directive] = []
        guard gathered == nil else {
            gathered!.append(event)
            return []
        }
        let wall = wallLead.map { (now.nanoseconds + $0.count) / 1_000 }
        engine.handle(event, at: now, wall: wall, using: &generator, into: &directives)
        for directive in directives { carryOut(directive) }
        // As a shell does after every turn: it sets its timer.
        _ = engine.nextDeadline
        return directives
    }

    private func carryOut(_ directive: Directive) {
        if isClosed, case .answer = directive {} else if isClosed { complain("after the end: \(directive)") }
        switch directive {
        case .connect(let node, let connection):
            if nodes[node].connection != nil { complain("node \(node) has a connection already") }
            nodes[node].connection = connection
            nodes[node].dials += 1
        case .disconnect(let node, let connection, _):
            if nodes[node].connection != connection { complain("node \(node) has no such connection") }
            nodes[node].connection = nil
            nodes[node].isUp = false
            nodes[node].unanswered = []
        case .broadcast(let command, let targets, let round, let awaiting):
            broadcasts += 1
            if rounds[round] != nil || awaiting.isEmpty { complain("a round opens twice, or for nobody") }
            if !targets.subtracting(awaiting).isEmpty { complain("a node is asked and not awaited") }
            rounds[round] = awaiting
            for node in targets { send(command, to: node) }
        case .send(let command, let node):
            send(command, to: node)
        case .listen(let node, let connection):
            if nodes[node].listener != nil { complain("node \(node) has a listener already") }
            nodes[node].listener = connection
        case .stopListening(let node, let connection):
            if nodes[node].listener != connection { complain("node \(node) has no such listener") }
            forgetListener(node)
        case .subscribe(let key, let node):
            if !nodes[node].isListening { complain("a subscription to node \(node), which has no listener") }
            if nodes[node].subscriptions.contains(where: { $0.key == key }) { complain("subscribed twice") }
            nodes[node].subscriptions.append((key, false))
        case .unsubscribe(let key, let node):
            if !nodes[node].subscriptions.contains(where: { $0.key == key }) { complain("never subscribed") }
            nodes[node].subscriptions.removeAll { $0.key == key }
            nodes[node].unsubscriptions += 1
        case .leave(let departures):
            for departure in departures { leave(departure.round, departure.node) }
        case .answer(let answer):
            note(answer)
        case .report(let report):
            reports.append(report)
        case .closed:
            closedCount += 1
            told.append(.closed)
        }
    }

    private func leave(_ round: RoundID, _ node: Int) {
        guard rounds[round]?.contains(node) == true else {
            return complain("node \(node) leaves a round that does not await it")
        }
        rounds[round]!.remove(node)
        if rounds[round]!.isEmpty { rounds[round] = nil }
    }

    private func send(_ command: Command, to node: Int) {
        guard nodes[node].isUp else { return complain("\(command.operation) to node \(node), which is not connected") }
        nodes[node].unanswered.append(command)
        nodes[node].sent.append(command)
    }

    private func note(_ answer: Answer) {
        switch answer {
        case .granted(let lock, let grant):
            told.append(.granted(lock, grant))
            accounts[lock]!.decided += 1
            accounts[lock]!.validUntil = grant.validUntil
            if grant.validUntil <= now { complain("a lease was granted that is over") }
        case .refused(let lock, let refusal):
            told.append(.refused(lock, refusal))
            accounts[lock]!.decided += 1
        case .extended(let lock, let validUntil, let callers):
            told.append(.extended(lock, until: validUntil, callers))
            if validUntil <= now { complain("a lease was extended that is over") }
            if validUntil < accounts[lock]!.validUntil! { complain("an extension made a lease shorter") }
            if now >= accounts[lock]!.validUntil! { complain("a lapsed lease was brought back") }
            accounts[lock]!.validUntil = validUntil
            answered(callers, lock)
        case .notExtended(let lock, let refusal, let callers):
            told.append(.notExtended(lock, refusal, callers))
            answered(callers, lock)
        case .doubted(let lock, let validUntil):
            doubts.append(validUntil)
            if accounts[lock]!.isOver { complain("a doubt about no lease") }
            if validUntil > now { accounts[lock]!.validUntil = validUntil }
        case .atRisk(let lock, let report):
            risks.append(.atRisk(report))
            if isReportedAtRisk(lock, report.risk) { complain("a risk is told twice") }
            accounts[lock]!.risk = report.risk
            if accounts[lock]!.isOver || report.validUntil != accounts[lock]!.validUntil {
                complain("a risk of no lease")
            }
        case .recovered(let lock, let validUntil):
            risks.append(.recovered(validUntil: validUntil))
            if accounts[lock]!.risk == nil || accounts[lock]!.isOver { complain("nothing to recover from") }
            accounts[lock]!.risk = nil
        case .lost(let lock, let loss):
            told.append(.lost(lock, loss))
            accounts[lock]!.lost += 1
            if accounts[lock]!.lost > 1 || accounts[lock]!.released > 0 { complain("a loss out of turn") }
            if loss.validUntil != accounts[lock]!.validUntil { complain("a loss of a lease that was never granted") }
        case .released(let lock):
            told.append(.released(lock))
            accounts[lock]!.released += 1
            if accounts[lock]!.validUntil == nil { complain("released, but never granted") }
        }
    }

    private func isReportedAtRisk(_ lock: LockID, _ risk: Risk) -> Bool {
        accounts[lock]!.risk.map { $0 >= risk } ?? false
    }

    private func answered(_ callers: [ExtensionID], _ lock: LockID) {
        if accounts[lock]!.released > 0, !callers.isEmpty, accounts[lock]!.validUntil == nil {
            complain("an extension of what was never granted")
        }
        for caller in callers { extensions[caller]! += 1 }
    }

    /// The end of every script: the engine is shut down, and then nobody may have been forgotten, or served twice.
    func finish() {
        if !isClosed { shutdown() }
        var steps = 0
        while !isClosed, steps < 100_000, engine.nextDeadline < .distantFuture {
            advance(to: engine.nextDeadline)
            steps += 1
        }
        if closedCount != 1 { complain("closed \(closedCount) times") }
        if !rounds.isEmpty { complain("\(rounds.count) rounds are still open") }
        for (lock, account) in accounts {
            if account.decided != 1 { complain("\(lock) got \(account.decided) answers") }
            let leases = account.validUntil == nil ? 0 : 1
            if account.released != leases { complain("\(lock) was released \(account.released) times") }
        }
        for (caller, count) in extensions where count != 1 { complain("\(caller) got \(count) answers") }
        if engine.nextDeadline != .distantFuture { complain("closed, and still waiting") }
    }
}

// MARK: - Words for votes

extension Vote {
    static func error(_ text: String) -> Vote { .failed(.errorReply(text)) }
    static let timedOut = Vote.failed(.timedOut)
}

extension [Vote] {
    /// So many of each, in this order.
    static func counts(_ counts: (Vote, Int)...) -> [Vote] {
        counts.flatMap { [Vote](repeating: $0, count: $1) }
    }
}
