internal import Dispatch
internal import PosixLock
internal import RedlockCore
internal import RedlockRedis

/// The production shell: brings the engine its events, and carries its directives out.
///
/// All of it happens in turns of the event loop, but for ``post(_:here:)`` and ``clock``. That is what makes it
/// `Sendable`.
final class Driver: @unchecked Sendable {
    /// What other threads ask for.
    enum Input: Sendable {
        case acquire(LockRequest, AcquireRequest)
        case cancel(LockRequest)
        case extend(LockID, Resource, Nanoseconds, Answering<Result<Instant, RedlockError>>)
        case release(LockID)
        /// Resumes the caller when all turns before are over.
        case endOfTurn(Caller)
        case shutdown(Caller?)
    }

    private struct Inbox {
        var inputs: [Input] = []
        /// The loop has no thread any more: what is not taken by who posts it is taken by nobody.
        var isClosed = false
    }

    private struct Extension {
        let resource: Resource
        let caller: Answering<Result<Instant, RedlockError>>
    }

    /// A node, as the shell has it: the engine knows the rest.
    struct Node {
        let address: NodeAddress
        let name: String
        let resolver: Resolver
        let listenerResolver: Resolver
        var connection: NodeConnection?
        /// For subscriptions; only while somebody waits.
        var listener: NodeConnection?
        var dials: UInt64 = 0
    }

    /// As many broadcasts may be open for callers to send their own. With more, what they ask for gathers.
    private static let roundsAtOnce = 3

    let clock = MonotonicClock()

    let loop: EventLoop
    private let observer: (@Sendable (Redlock.Event) -> Void)?
    private let inbox = Locked(Inbox())
    private(set) var nodes: [Node]
    private var core: DriverCore
    private var outbox = Outbox()
    private var listenerOutbox = Outbox()
    private(set) var clients = Clients()
    private var extensions: [ExtensionID: Extension] = [:]
    private var extensionCount: UInt64 = 0
    /// A broadcast enters it for every node that it is sent to, and a node leaves it with its answer, failure or
    /// time-out. Decisions never wait for it; ``Redlock/shutdown()`` does.
    private let broadcasts = DispatchGroup()
    /// How many have entered and not left.
    private var openVotes = 0
    private var isClosed = false
    private var progress = ProgressWatch()
    /// When the timer event of this turn began; nil if the turn has none.
    private var timerTime: Instant?
    /// How many timer events there were.
    private(set) var timers = 0
    private var shutdownWaiters: [Caller] = []

    init(
        _ addresses: [NodeAddress], _ parameters: Parameters, rules: any Rules = StandardRules(),
        observer: (@Sendable (Redlock.Event) -> Void)?
    ) throws(EventLoop.SystemError) {
        let loop = try EventLoop()
        self.loop = loop
        self.observer = observer
        core = DriverCore(parameters, rules: rules)
        nodes = addresses.map {
            Node(
                address: $0, name: $0.description, resolver: Resolver($0.endpoint, loop: loop),
                listenerResolver: Resolver($0.endpoint, loop: loop))
        }
    }

    /// Starts the loop and dials the nodes. The loop keeps the driver alive until it is shut down.
    func start() throws(EventLoop.SystemError) {
        try loop.start(
            onTimer: { self.timerFired() },
            onTurn: { self.takeTurn() })
        loop.perform { self.handle(.start) }
    }

    /// Hands something in, from any thread. What gathers while another is at work is one turn, and one write for each
    /// node.
    ///
    /// - Parameter here: Whether this thread may act on it, before this returns. Not from a `deinit` or the handler of
    ///   a cancellation: whoever causes those may hold a lock, and a turn calls the observer, which may want the same
    ///   one.
    func post(_ input: Input, here: Bool = true) {
        let isTaken = inbox.withLock { inbox in
            // Kept, it would keep this driver: a request holds its coordinator.
            guard here || !inbox.isClosed else { return false }
            inbox.inputs.append(input)
            return true
        }
        guard isTaken else { return }
        if here {
            loop.ask { takeTurn() }
        } else {
            loop.askThread()
        }
    }
}

// MARK: - Turns

extension Driver {
    private func takeTurn() {
        let inputs = inbox.withLock { inbox in
            defer { inbox.inputs = [] }
            return inbox.inputs
        }
        for input in inputs { if let event = event(for: input) { core.add(event) } }
        handleAdded()
        endTurn()
    }

    /// What the engine is to be told; nil where there is nothing to tell.
    private func event(for input: Input) -> Event? {
        switch input {
        case .acquire(let request, let details):
            return acquire(request, details)
        case .cancel(let request):
            return request.lock.map { .cancel($0) }
        case .extend(let lock, let resource, let ttl, let caller):
            extensionCount += 1
            let id = ExtensionID(number: extensionCount)
            extensions[id] = Extension(resource: resource, caller: caller)
            return .extend(lock, id, ttl: ttl)
        case .release(let lock):
            return .release(lock)
        case .endOfTurn(let caller):
            caller.resume()
            return nil
        case .shutdown(let waiter):
            return shutDown(waiter)
        }
    }

    private func acquire(_ request: LockRequest, _ details: AcquireRequest) -> Event? {
        switch request.begin(as: { core.engine.newLock() }) {
        case .begun(let lock):
            clients.insert(request, as: lock)
            return .acquire(lock, details)
        case .cancelled:
            request.finish(
                .failure(error(Refusal(reason: .cancelled, attempts: 0, votes: []), request.resource)))
        case .tooMany:
            let message = "\(Limits.locks) locks are held or waited for already"
            request.finish(.failure(RedlockError(.unavailable, message, resource: request.resource)))
        }
        return nil
    }

    private func timerFired() {
        timers += 1
        timerTime = clock.now()
        handle(.timer)
    }

    private func handle(_ event: Event) {
        core.add(event)
        handleAdded()
    }

    /// Takes events that have come together through the engine, and whatever follows from them.
    ///
    /// All of them first, then what is to be done: each half is short enough for the processor to have its instructions
    /// at hand. In turn, event by event, they were fetched anew for each.
    ///
    /// Carrying out a directive can cause another event at once (a connection that is refused on the spot); it waits
    /// until the directives before it are done.
    private func handleAdded() {
        loop.preconditionInTurn()
        var directives: [Directive] = []
        guard core.begin(clock, into: &directives) else { return }
        repeat {
            for index in directives.indices { carryOut(directives[index]) }
        } while core.goOn(clock, into: &directives)
    }

    /// Sends what has gathered, and sees to the timer.
    private func endTurn() {
        guard !isClosed else { return }
        // What cannot be sent ends its connection, and that may be cause to send more.
        while !outbox.isEmpty || !listenerOutbox.isEmpty {
            let written = outbox.handOut { nodes[$0].connection?.take($1) }
            let listenersWritten = listenerOutbox.handOut { nodes[$0].listener?.take($1) }
            for node in written { nodes[node].connection?.flush() }
            for node in listenersWritten { nodes[node].listener?.flush() }
        }
        let deadline = core.engine.nextDeadline
        if let time = timerTime.take(), progress.noteTimer(at: time, nextDeadline: deadline) {
            observer?(noProgress(core.engine.dueParts(at: time)))
        }
        if deadline < .distantFuture { loop.wake(at: progress.wakeTime(for: deadline).nanoseconds) }
        loop.setBusy(openVotes > nodes.count * Self.roundsAtOnce)
    }
}

// MARK: - Directives

extension Driver {
    private func carryOut(_ directive: Directive) {
        switch directive {
        case .connect(let node, let connection):
            connect(node, connection)
        case .disconnect(let node, _, let discardUnsent):
            nodes[node].connection?.close(discardUnsent: discardUnsent)
            nodes[node].connection = nil
        case .broadcast(let command, let targets, _, let awaiting):
            for _ in awaiting { broadcasts.enter() }
            openVotes += awaiting.count
            outbox.add(command, for: targets)
        case .send(let command, let node):
            outbox.add(command, for: NodeSet(node))
        case .listen(let node, let connection):
            listen(node, connection)
        case .stopListening(let node, _):
            nodes[node].listener?.close(discardUnsent: true)
            nodes[node].listener = nil
        case .subscribe(let key, let node):
            listenerOutbox.add(subscription: true, to: key, for: node)
        case .unsubscribe(let key, let node):
            listenerOutbox.add(subscription: false, to: key, for: node)
        case .leave(let departures):
            for _ in departures { broadcasts.leave() }
            openVotes -= departures.count
        case .answer(let answer):
            self.answer(answer)
        case .report(let report):
            if let event = event(for: report) { observer?(event) }
        case .closed:
            close()
        }
    }

    private func connect(_ node: Int, _ id: ConnectionID) {
        let connection = NodeConnection(to: nodes[node].address, loop: loop, resolver: nodes[node].resolver) {
            [self] event in
            switch event {
            case .connected(let greeting): handle(.connected(node: node, id, greeting))
            case .complained(let text): handle(.complained(node: node, id, text))
            case .replies(let replies): handle(.replies(node: node, id, replies))
            case .closed(let reason, let kind): handle(.disconnected(node: node, id, reason: reason, kind: kind))
            }
        }
        nodes[node].connection = connection
        outbox.drop(node)
        connection.open(attempt: nodes[node].dials)
        nodes[node].dials += 1
    }

    private func listen(_ node: Int, _ id: ConnectionID) {
        let listener = NodeConnection(
            to: nodes[node].address, loop: loop, resolver: nodes[node].listenerResolver
        ) { [self] event in
            switch event {
            case .connected(let greeting): handle(.connected(node: node, id, greeting))
            case .complained: break
            case .replies(let replies):
                for push in replies.lazy.compactMap(\.push) { core.add(.pushed(node: node, id, push)) }
                handleAdded()
            case .closed(let reason, let kind): handle(.disconnected(node: node, id, reason: reason, kind: kind))
            }
        }
        nodes[node].listener = listener
        listenerOutbox.drop(node)
        listener.open(attempt: nodes[node].dials)
    }
}

// MARK: - Answers

extension Driver {
    private func answer(_ answer: Answer) {
        switch answer {
        case .granted(let lock, let grant):
            guard let request = clients.takeRequest(of: lock) else { return }
            let lease = Lease(lock, of: request, grant)
            clients.setLease(lease.state, of: lock)
            request.finish(.success(lease))
        case .refused(let lock, let refusal):
            guard let client = clients.remove(lock) else { return }
            client.request?.finish(.failure(error(refusal, client.resource)))
        case .extended(let lock, let validUntil, let callers):
            clients[lock]?.lease?.extended(until: validUntil)
            for caller in callers {
                extensions.removeValue(forKey: caller)?.caller.answer(.success(validUntil))
            }
        case .notExtended(_, let refusal, let callers):
            for caller in callers {
                guard let call = extensions.removeValue(forKey: caller) else { continue }
                let error = RedlockError(
                    refusal.reason.code, refusal.words, resource: call.resource,
                    votes: votes(refusal.votes, after: refusal.pause))
                call.caller.answer(.failure(error))
            }
        case .doubted(let lock, let validUntil):
            clients[lock]?.lease?.doubted(until: validUntil, at: clock.now())
        case .atRisk(let lock, _):
            clients[lock]?.lease?.risk(true)
        case .recovered(let lock, _):
            clients[lock]?.lease?.risk(false)
        case .lost(let lock, let loss):
            guard let client = clients[lock] else { return }
            client.lease?.lost(
                RedlockError(
                    .lost, loss.words, resource: client.resource, votes: votes(loss.votes, after: loss.pause)))
        case .released(let lock):
            clients.remove(lock)?.lease?.released()
        }
    }

    private func error(_ refusal: Refusal, _ resource: Resource) -> RedlockError {
        RedlockError(refusal.reason.code, refusal.words, resource: resource, votes: votes(of: refusal))
    }

    func votes(of refusal: Refusal) -> [NodeVote] {
        guard refusal.ahead != nil else { return votes(refusal.votes, after: refusal.pause) }
        return zip(refusal.votes, nodes.indices).map { nodeVote($0, of: $1, detail: refusal.detail(of: $0)) }
    }

    /// - Parameter pause: How long this process did not run; nil where that did not matter.
    func votes(_ votes: [Vote], after pause: Nanoseconds? = nil) -> [NodeVote] {
        zip(votes, nodes.indices).map { vote, node in
            nodeVote(vote, of: node, detail: pause != nil && vote == .pending ? "no answer since" : "")
        }
    }

    /// - Parameter detail: For a vote that says nothing more itself.
    func nodeVote(_ vote: Vote, of node: Int, detail: String = "") -> NodeVote {
        NodeVote(vote, node: nodes[node].name, detail: detail) { nodes[$0].name }
    }
}

// MARK: - Shutdown

extension Driver {
    private func shutDown(_ waiter: Caller?) -> Event? {
        if let waiter {
            guard !isClosed else {
                waiter.resume()
                return nil
            }
            shutdownWaiters.append(waiter)
        }
        return .shutdown
    }

    /// Every node has left the broadcasts by the end of the turn: closing it answered what it had not answered.
    private func close() {
        loop.perform {
            let isOver = self.broadcasts.wait(timeout: .now()) == .success
            assert(isOver, "a broadcast is open after the nodes were closed")
            self.isClosed = true
            self.inbox.withLock { $0.isClosed = true }
            self.loop.stop()
            // They hold this driver.
            for node in self.nodes.indices {
                self.nodes[node].connection = nil
                self.nodes[node].listener = nil
            }
            for waiter in self.shutdownWaiters { waiter.resume() }
            self.shutdownWaiters = []
        }
    }
}
