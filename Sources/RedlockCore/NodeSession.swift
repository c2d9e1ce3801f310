/// One node, as this client knows it: its connection, the commands it has not answered, and the releases it is owed.
///
/// A value: it decides, and its ``Engine`` acts. Replies come in the order of the commands (RESP has no other way), so
/// the oldest unanswered command is the one that a reply answers, and needs no number.
struct NodeSession: Sendable {
    enum Phase: Hashable, Sendable {
        /// Not dialled yet. Can become connecting.
        case idle
        /// Being dialled and greeted. Can become ready, or backing off.
        case connecting(ConnectionID, deadline: Instant)
        /// Commands may be sent. Can become backing off.
        case ready(ConnectionID)
        /// Will be dialled again. Can become connecting.
        case backingOff(until: Instant, reason: String)
        /// Shut down. The last phase.
        case closed
    }

    /// Whose vote a command is.
    enum Ballot: Hashable, Sendable {
        case attempt(LockID, number: UInt32)
        case raise(LockID, attempt: UInt32, round: UInt32)
        case extend(LockID, round: UInt32)
        case repair(LockID, round: UInt32)
        case release(LockID)
        /// Nobody waits for it.
        case none
    }

    struct Entry: Sendable {
        var command: Command
        var ballot: Ballot
        var round: RoundID?
        var sentAt: Instant
        var deadline: Instant
        /// It was sent in quarantine: a grant does not count, also when it comes after the end.
        var quarantine: OnHeap<Vote.Failure>?
    }

    private(set) var phase = Phase.idle
    /// Sent and not answered, oldest first; the first `timedOut` of them have had their time.
    private var unanswered = Deque<Entry>()
    private var timedOut = 0
    /// Waiting for the connection. What is still here at its deadline was never sent, so never applied.
    private var queued = Deque<Entry>()
    /// Releases for the next connection. Time does not end them: a node that hangs may apply, when it wakes, a SET that
    /// it was sent long ago.
    private var owed = Deque<Entry>()
    /// Which server it is, and whether it may have forgotten locks.
    var memory = NodeMemory()
    var clock = ClockGuard()
    /// When the server is to be asked again what it is; the distant future if it is not.
    var lookDue = Instant.distantFuture
    /// The replies so far to the oldest command, which is a look.
    private var lookReplies: [Reply] = []
    /// Looks among the unanswered commands.
    private var looksUnderWay = 0
    /// Which servers its address led to lately.
    var names = ServerNames()
    /// The node that has this server's vote, if that is another.
    var twin: Twin?
    private var lastHeard = Instant(nanoseconds: 0)
    private(set) var dialledAt = Instant(nanoseconds: 0)
    private var connectedAt = Instant(nanoseconds: 0)
    private var failures = 0
    /// The first error in answer to the greeting that is under way.
    private var complaint: String?
    /// The outage that was told of last; nil while there is a connection, and before the first.
    private var toldOutage: Outage?

    /// It has left a command unanswered for longer than the node timeout, and is asked nothing until it answers.
    var isStalled: Bool { timedOut > 0 }
    /// A release was sent, or word of one, and its time is not over.
    var awaitsReleases: Bool {
        (timedOut..<unanswered.count).contains {
            unanswered[$0].command.isRelease || unanswered[$0].command.operation == .announce
        }
    }
    /// There is a command that an answer can be for.
    var isAsked: Bool { !unanswered.isEmpty }
    /// Whose command the next answer is for.
    var oldestBallot: Ballot? { unanswered.first?.ballot }
    var owedCount: Int { owed.count }
    var waitingCount: Int { unanswered.count + queued.count }

    /// Connected, not stalled, and its votes count.
    func isUsable(at now: Instant) -> Bool {
        guard case .ready = phase else { return false }
        return !isStalled && twin == nil && quarantineFailure(at: now) == nil
    }

    /// Why its votes do not count; nil when they do.
    func barredFailure(at now: Instant) -> Vote.Failure? {
        if let twin { .sameServer(as: twin.first) } else { quarantineFailure(at: now) }
    }

    var connection: ConnectionID? {
        switch phase {
        case .connecting(let connection, _), .ready(let connection): connection
        case .idle, .backingOff, .closed: nil
        }
    }
}

// MARK: - Commands

extension NodeSession {
    enum Submission: Hashable, Sendable {
        /// To be sent now.
        case send
        /// It is sent when the connection is ready, or fails at its deadline.
        case queued
        /// It was not sent and will not be.
        case failed(Vote.Failure)
    }

    /// Takes an acquire or an extension.
    mutating func submit(
        _ command: Command, ballot: Ballot, round: RoundID, at now: Instant, _ policy: Policy
    ) -> Submission {
        func entry(in quarantine: Vote.Failure?) -> Entry {
            Entry(
                command: command, ballot: ballot, round: round, sentAt: now,
                deadline: now + policy.parameters.nodeTimeout, quarantine: quarantine.map { OnHeap($0) })
        }
        guard waitingCount < Limits.commandsPerNode else { return .failed(.overloaded) }
        switch phase {
        case .ready:
            if let twin { return .failed(.sameServer(as: twin.first)) }
            guard !isStalled else { return .failed(.stalled) }
            let quarantine = quarantineFailure(at: now)
            if let quarantine, !Self.isSent(command, in: quarantine) { return .failed(quarantine) }
            unanswered.append(entry(in: quarantine))
            return .send
        case .connecting:
            queued.append(entry(in: nil))
            return .queued
        case .backingOff(_, let reason):
            return .failed(.unreachable(reason))
        case .idle, .closed:
            return .failed(.unreachable("not connected"))
        }
    }

    /// Takes a repair: now, or not at all. It is never queued, so nothing else has to wait for it, and a lease that
    /// ends meanwhile has nothing to take back.
    mutating func submitRepair(
        _ command: Command, ballot: Ballot, round: RoundID, at now: Instant, _ policy: Policy
    ) -> Submission {
        guard case .ready = phase, waitingCount < Limits.commandsBeforeRepairs else { return .failed(.overloaded) }
        return submit(command, ballot: ballot, round: round, at: now, policy)
    }

    enum ReleaseSubmission: Hashable, Sendable {
        case send
        /// It is owed: sent first thing on the next connection.
        case owed(droppedOldest: Bool)
    }

    /// Takes a release. It follows its SET down the same connection, so it needs no waiting for it.
    ///
    /// Not counted against the limit of the other commands: each of them has one release at most, and must have it.
    mutating func submitRelease(
        _ command: Command, ballot: Ballot, round: RoundID?, at now: Instant, _ policy: Policy
    ) -> ReleaseSubmission {
        let entry = Entry(
            command: command, ballot: ballot, round: round, sentAt: now,
            deadline: now + policy.parameters.nodeTimeout)
        guard case .ready = phase else { return .owed(droppedOldest: owe(entry)) }
        unanswered.append(entry)
        return .send
    }

    /// Takes what tells of a release in the place of another node: now, or not at all.
    mutating func submitAnnouncement(_ command: Command, at now: Instant, _ policy: Policy) -> Submission {
        guard case .ready = phase, waitingCount < Limits.commandsPerNode else { return .failed(.overloaded) }
        unanswered.append(
            Entry(
                command: command, ballot: .none, round: nil, sentAt: now,
                deadline: now + policy.parameters.nodeTimeout))
        return .send
    }

    /// From here on nobody counts its vote. True when the oldest had to go for it.
    private mutating func owe(_ release: Entry) -> Bool {
        guard phase != .closed else { return false }
        var release = release
        release.ballot = .none
        release.round = nil
        // What was to follow it at once does so no longer.
        release.command.notice = .node
        owed.append(release)
        guard owed.count > Limits.owedReleasesPerNode else { return false }
        _ = owed.popFirst()
        return true
    }
}

// MARK: - Connection

extension NodeSession {
    /// Dials, unless it is connected or shut down.
    mutating func connect(_ connection: ConnectionID, at now: Instant, _ policy: Policy) -> Bool {
        switch phase {
        case .idle, .backingOff:
            phase = .connecting(connection, deadline: now + policy.parameters.connectTimeout)
            dialledAt = now
            complaint = nil
            return true
        case .connecting, .ready, .closed:
            return false
        }
    }

    mutating func complained(_ connection: ConnectionID, _ text: String) {
        if case .connecting(connection, _) = phase, complaint == nil { complaint = text }
    }

    /// What follows from a connection that is made.
    struct Arrival: Sendable {
        var news: [NodeMemory.News] = []
        var send: [Command] = []
        /// Nobody wants them any more.
        var drop: [Entry] = []
        /// Not sent: their votes would not count.
        var failed: [(entry: Entry, failure: Vote.Failure)] = []
    }

    /// The connection is made and greeted. What is owed goes out before all that could set a key; then what waited, as
    /// far as it is still wanted. Nil when it is not the connection that was waited for.
    mutating func connected(
        _ connection: ConnectionID, _ greeting: Greeting, at now: Instant, isWanted: (Ballot) -> Bool, _ policy: Policy
    ) -> Arrival? {
        guard case .connecting(connection, _) = phase else { return nil }
        phase = .ready(connection)
        lastHeard = now
        connectedAt = now
        toldOutage = nil
        var arrival = Arrival()
        arrival.news = memory.met(greeting, dialledAt: dialledAt, at: now, policy)
        scheduleLook(after: greeting, at: now, policy)
        // Deadlines must not fall along the queue, and those that waited keep theirs.
        let releaseDeadline = queued.first?.deadline ?? now + policy.parameters.nodeTimeout
        if policy.parameters.guardsClocks {
            arrival.send.append(beginSample(at: now, deadline: releaseDeadline))
        }
        while var release = owed.popFirst() {
            release.sentAt = now
            release.deadline = releaseDeadline
            unanswered.append(release)
            arrival.send.append(release.command)
        }
        let quarantine = quarantineFailure(at: now)
        while var entry = queued.popFirst() {
            guard isWanted(entry.ballot) else {
                arrival.drop.append(entry)
                continue
            }
            if let twin {
                arrival.failed.append((entry, .sameServer(as: twin.first)))
                continue
            }
            if let quarantine {
                guard Self.isSent(entry.command, in: quarantine) else {
                    arrival.failed.append((entry, quarantine))
                    continue
                }
                entry.quarantine = OnHeap(quarantine)
            }
            entry.sentAt = now
            unanswered.append(entry)
            arrival.send.append(entry.command)
        }
        return arrival
    }

    /// Reads the node's clock: the answer comes before those of all that is sent after it.
    mutating func beginSample(at now: Instant, deadline: Instant) -> Command {
        clock.began(at: now)
        unanswered.append(
            Entry(command: .readClock, ballot: .none, round: nil, sentAt: now, deadline: deadline))
        return .readClock
    }

    /// A server that may not be asked is not asked again before the next connection.
    mutating func scheduleLook(after greeting: Greeting, at now: Instant, _ policy: Policy) {
        let isWanted = policy.parameters.looks != nil && policy.parameters.quarantine > .zero
        if case .unknown = greeting {
            lookDue = .distantFuture
        } else {
            lookDue = isWanted ? now + Limits.lookInterval : .distantFuture
        }
    }

    /// Asks the server again what it is: the answer comes before those of all that is sent after it.
    mutating func beginLook(at now: Instant, deadline: Instant) -> Command {
        lookDue = now + Limits.lookInterval
        looksUnderWay += 1
        unanswered.append(Entry(command: .look, ballot: .none, round: nil, sentAt: now, deadline: deadline))
        return .look
    }

    /// Keeps a reply to a look until the last one: true, and nothing else to do. False for all other replies.
    mutating func gathersLook(_ reply: Reply, at now: Instant, _ policy: Policy) -> Bool {
        guard looksUnderWay > 0, unanswered.look(at: 0, { $0.command.operation == .look }),
            let looks = policy.parameters.looks
        else { return false }
        lookReplies.append(reply)
        lastHeard = now
        return lookReplies.count < looks.replies
    }

    /// What a look came to, once its last reply is there; nil if the server cannot tell now.
    mutating func readLook(_ policy: Policy) -> Greeting? {
        defer {
            lookReplies = []
            looksUnderWay -= 1
        }
        return policy.parameters.looks?.read(lookReplies)
    }

    /// The connection ended, or was never made. Returns what that leaves undecided.
    ///
    /// Releases that were not confirmed are owed from here on. Acquires are not: whoever sent them releases them at the
    /// end of the attempt or the lease, on every node that was asked. `isNews`: the outage has begun, or has become
    /// another.
    mutating func disconnected(
        _ connection: ConnectionID, reason: String, kind: Outage, at now: Instant, _ policy: Policy,
        using generator: inout any RandomNumberGenerator
    ) -> (undecided: [(entry: Entry, failure: Vote.Failure)], droppedReleases: Int, isNews: Bool)? {
        guard connection == self.connection else { return nil }
        var failure = Vote.Failure.unreachable(reason)
        if case .ready = phase {
            failure = .connectionLost(reason)
            if Limits.isProven(connectedAt: connectedAt, at: now) { failures = 0 }
        }

        if case .connecting = phase, kind.servesNobody { memory.servedNobody(dialledAt: dialledAt, at: now, policy) }
        lookReplies = []
        looksUnderWay = 0

        var undecided: [(entry: Entry, failure: Vote.Failure)] = []
        var droppedReleases = 0
        while let entry = unanswered.popFirst() {
            if entry.command.isRelease, owe(entry) { droppedReleases += 1 }
            if timedOut > 0 {
                timedOut -= 1
            } else {
                undecided.append((entry, failure))
            }
        }
        while let entry = queued.popFirst() { undecided.append((entry, failure)) }
        phase = .backingOff(
            until: now + Limits.reconnectDelay(after: failures, dice: generator.next()), reason: reason)
        failures += 1
        defer { toldOutage = kind.reported }
        return (undecided, droppedReleases, isNews: kind.reported != toldOutage)
    }

    mutating func close() {
        phase = .closed
        owed = Deque()
    }
}

// MARK: - Answers and time

extension NodeSession {
    /// How a command was answered.
    enum Answered: Sendable {
        case inTime
        /// It had its time, and its vote was counted as timed out.
        case late
        /// The node does not know the script: the command is to be sent again, with the script as a whole.
        case resend(Command)
    }

    /// The oldest unanswered command has its answer: ``isAsked`` must be true.
    ///
    /// Two values, and no enum or optional with both: that was copied and destroyed by way of its metadata, at a
    /// twentieth of a cycle.
    ///
    /// - Parameter isWanted: Whether what ``oldestBallot`` is for goes on. A script that sets a key is not sent again
    ///   when it does not: it would come after its own release.
    mutating func answered(
        _ reply: Reply, isWanted: Bool = true, at now: Instant, _ policy: Policy
    ) -> (entry: Entry, Answered) {
        let entry = unanswered.removeFirst()
        let late = timedOut > 0
        if late { timedOut -= 1 }
        lastHeard = now
        memory.heard(fromAfter: entry.sentAt)

        if reply.asksForScript, entry.command.spelling == .digest, isWanted || !entry.command.setsKey {
            var again = entry
            again.command.spelling = .source
            again.sentAt = now
            again.deadline = now + policy.parameters.nodeTimeout
            // Its part in the round ended with the time-out; its vote may still come.
            if late { again.round = nil }
            unanswered.append(again)
            return (entry, .resend(again.command))
        }
        return (entry, late ? .late : .inTime)
    }

    enum TimerStep: Sendable {
        case connect
        /// Close the connection, for this reason.
        case disconnect(ConnectionID, reason: String, Outage)
        case timedOut(Entry)
        case quarantineOver
        /// Look again whether the server has its vote under another name.
        case appoint
        /// Read the node's clock, or ask what the server is.
        case send(Command)
    }

    /// When this session next wants ``onTimer(at:isHolding:_:)``. `isHolding`: this client holds a lease.
    mutating func deadline(isHolding: Bool, _ policy: Policy) -> Instant {
        var deadline = Instant.distantFuture
        switch phase {
        case .idle, .closed: return .distantFuture
        case .connecting(_, let end): deadline = end
        case .backingOff(let until, _): deadline = until
        case .ready: deadline = silenceDeadline(policy)
        }
        if timedOut < unanswered.count { deadline = min(deadline, unanswered.look(at: timedOut) { $0.deadline }) }
        if !queued.isEmpty { deadline = min(deadline, queued.look(at: 0) { $0.deadline }) }
        if let twin { deadline = min(deadline, twin.until) }
        if let quarantine = memory.untold { deadline = min(deadline, quarantine.until) }
        return isHolding ? min(deadline, sampleDeadline(policy), lookDeadline(policy)) : deadline
    }

    /// One thing that is due; to be called until nil.
    mutating func onTimer(at now: Instant, isHolding: Bool, _ policy: Policy) -> TimerStep? {
        if timedOut < unanswered.count, unanswered[timedOut].deadline <= now {
            timedOut += 1
            return .timedOut(unanswered[timedOut - 1])
        }
        if let first = queued.first, first.deadline <= now {
            _ = queued.popFirst()
            return .timedOut(first)
        }
        if phase != .closed, memory.endQuarantine(at: now) { return .quarantineOver }
        if phase != .closed, let twin, twin.until <= now { return .appoint }
        if isHolding, let command = sampleIfDue(at: now, policy) { return .send(command) }
        if isHolding, let command = lookIfDue(at: now, policy) { return .send(command) }
        switch phase {
        case .connecting(let connection, let deadline) where deadline <= now:
            let late = "not connected within the connect timeout"
            guard let complaint else { return .disconnect(connection, reason: late, .unreachable) }
            return .disconnect(connection, reason: "\(complaint); \(late)", .turnedAway)
        case .backingOff(let until, _) where until <= now:
            return .connect
        case .ready(let connection) where silenceDeadline(policy) <= now:
            return .disconnect(connection, reason: "silent for longer than the silence timeout", .unreachable)
        case .idle, .connecting, .backingOff, .ready, .closed:
            return nil
        }
    }

    private mutating func silenceDeadline(_ policy: Policy) -> Instant {
        guard !unanswered.isEmpty else { return .distantFuture }
        return max(lastHeard, unanswered.look(at: 0) { $0.sentAt }) + policy.parameters.silenceTimeout
    }
}
