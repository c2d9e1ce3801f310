internal import RedlockCore
internal import RedlockRedis

/// A lock over independent Redis (or Valkey) nodes: held when more than half of them say so.
///
/// One instance serves a process; it connects to every node once, and any number of tasks may use it.
///
/// ```swift
/// let redlock = try Redlock(nodes: ["redis://10.0.0.1", "redis://10.0.0.2", "redis://10.0.0.3"])
///
/// try await redlock.withLock("invoice:42", ttl: .seconds(10), waitingUpTo: .seconds(30)) { lease in
///     try await charge()  // extended while it runs; cancelled before a lock that cannot be kept ends
/// }
///
/// await redlock.shutdown()
/// ```
///
/// The algorithm is that of the Redis documentation, "Distributed locks with Redis". The nodes must be independent: no
/// replicas of each other, no cluster. One node is the plain lock on a single server.
public final class Redlock: Sendable {
    /// How it behaves.
    public let configuration: Configuration
    /// The endpoints of the nodes, in the order given; without users and passwords.
    public let nodes: [String]
    /// How many votes make a quorum: more than half of the nodes.
    public var quorum: Int { nodes.count / 2 + 1 }

    /// What of each node a key is in: its endpoint and the number of the database.
    package let databases: [String]

    let driver: Driver

    /// Checks the arguments and starts to connect. Nodes that cannot be reached are no error here: they are tried again
    /// for as long as the instance lives.
    ///
    /// - Parameters:
    ///   - nodes: 1 to 15 URLs, each of another server: `redis://[[user]:password@]host[:port][/database]` or
    ///     `unix://[[user]:password@]/path[?db=database]`.
    ///   - configuration: Times, limits and the observer. Values out of their ranges are errors.
    /// - Throws: ``RedlockError`` with the code `invalidArgument`, or `system` when the process may not open another
    ///   file descriptor.
    public convenience init(nodes: [String], configuration: Configuration = Configuration()) throws(RedlockError) {
        try self.init(nodes: nodes, configuration: configuration, rules: StandardRules())
    }

    /// For tests, which break rules.
    init(nodes: [String], configuration: Configuration, rules: any Rules) throws(RedlockError) {
        let addresses: [NodeAddress]
        do throws(NodeAddress.ParseError) {
            addresses = try NodeAddress.set(of: nodes)
        } catch {
            throw RedlockError(.invalidArgument, error.description)
        }
        let parameters = try configuration.parameters(nodes: nodes.count)
        self.configuration = configuration
        self.nodes = addresses.map(\.description)
        databases = addresses.map { "\($0)/\($0.database)" }
        do throws(EventLoop.SystemError) {
            driver = try Driver(addresses, parameters, rules: rules, observer: configuration.observer)
            try driver.start()
        } catch {
            throw RedlockError(.system, error.description)
        }
    }

    deinit {
        driver.post(.shutdown(nil), here: false)
    }

    /// Runs tasks on the coordinator's own thread, for those that lock much and do little else.
    ///
    /// ```swift
    /// try await withTaskExecutorPreference(redlock.taskExecutor) {
    ///     let lease = try await redlock.acquire("invoice:42", ttl: .seconds(10), waitingUpTo: .seconds(30))
    ///     await lease.release()
    /// }
    /// ```
    ///
    /// No thread is woken to send what such a task asks for, or to tell it the answer: a cycle costs less time, and less
    /// of the processor (docs/performance.md has figures). **It must neither block nor compute for long**: meanwhile
    /// this coordinator hears no answer and extends no lease. The body of ``withLock(_:ttl:waitingUpTo:_:)`` is a task
    /// of its own, and runs elsewhere. After ``shutdown()`` the tasks run where all others do.
    public var taskExecutor: any TaskExecutor { driver.loop }
}

// MARK: - Locking

extension Redlock {
    /// Runs `body` while holding the lock, extends it for as long as that takes, and releases it at the end.
    ///
    /// The clock is read right before `body` starts. If the lease is over by then, because this process was paused after
    /// the grant, `body` does not start: the lease is released, and the lock is waited for again until the same deadline.
    ///
    /// When the lease cannot be kept, the task that runs `body` is cancelled ahead of the end of validity, by
    /// ``Configuration/lossMargin``, and when `body` has returned, this throws an error with the code `lost`, whatever
    /// `body` returned or threw. So `body` must heed cancellation. It is a task of its own, with the task-local values
    /// and the priority of the caller, and is cancelled with the caller too.
    ///
    /// - Parameters:
    ///   - resource: What to lock.
    ///   - ttl: How long the lock outlives a client that dies: within ``Configuration/ttlLimits``.
    ///   - wait: How long to wait while others hold the lock, or too few nodes can be reached. Zero tries once. No
    ///     attempt starts later; the last may end a node timeout later.
    ///   - body: What needs the lock. It gets the lease.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` threw; else ``RedlockError`` with the code `heldByAnother`, `unavailable`, `expired`,
    ///   `cancelled`, `lost`, `shutDown` or `invalidArgument`.
    public func withLock<Value: Sendable>(
        _ resource: Resource, ttl: Duration, waitingUpTo wait: Duration = .zero,
        _ body: @escaping @Sendable (Lease) async throws -> Value
    ) async throws -> Value {
        var wait = try self.wait(upTo: wait, for: resource)
        while true {
            let lease = try await acquire(resource, ttl: ttl, &wait, extendingItself: true)
            let work = Task { () async throws -> Value? in
                guard await lease.isValidAfterCheck() else { return nil }
                return try await body(lease)
            }
            lease.state.onLoss { loss in if loss != nil { work.cancel() } }
            let outcome = await withTaskCancellationHandler {
                await work.result
            } onCancel: {
                work.cancel()
            }
            if case .success(nil) = outcome {
                try await giveUp(lease, &wait)
                continue
            }
            let loss = await lease.lossOrLapse()
            await lease.release()
            if let loss { throw loss }
            if let value = try outcome.get() { return value }
        }
    }

    /// Acquires the lock, for callers that cannot put their work into a closure. The caller releases the lease.
    ///
    /// The lease is valid at the moment of the return, as far as a process can know: if it was over before this task ran
    /// on, it is released, and the lock is waited for again until the same deadline.
    ///
    /// If the task is cancelled, this throws and no key is left behind.
    ///
    /// - Parameters:
    ///   - resource: What to lock.
    ///   - ttl: How long the lock lasts unless it is extended: within ``Configuration/ttlLimits``.
    ///   - wait: How long to wait while others hold the lock, or too few nodes can be reached. Zero tries once. No
    ///     attempt starts later; the last may end a node timeout later.
    ///   - extendingItself: Whether the lease is extended by itself, at every third of its ttl, until it is released,
    ///     lost, or held for ``Configuration/maximumHold``. If not, call ``Lease/extend(ttl:)``.
    /// - Throws: ``RedlockError`` with the code `heldByAnother`, `unavailable`, `expired`, `cancelled`, `shutDown` or
    ///   `invalidArgument`.
    public func acquire(
        _ resource: Resource, ttl: Duration, waitingUpTo wait: Duration = .zero, extendingItself: Bool = false
    ) async throws(RedlockError) -> Lease {
        var wait = try self.wait(upTo: wait, for: resource)
        return try await acquire(resource, ttl: ttl, &wait, extendingItself: extendingItself)
    }

    /// Acquires the lock. The lease may be over before this task runs on: what must not begin then checks that itself,
    /// and calls ``giveUp(_:_:)``.
    package func acquire(
        _ resource: Resource, ttl: Duration, _ wait: inout Wait, extendingItself: Bool
    ) async throws(RedlockError) -> Lease {
        let request = try post(resource, ttl: ttl, wait, extendingItself: extendingItself)
        await withTaskCancellationHandler {
            await Caller.wait { request.suspend($0) }
        } onCancel: {
            request.cancel()
        }
        return try lease(request)
    }

    /// Releases a lease that was over, or lost, before its holder began.
    ///
    /// - Throws: ``RedlockError`` with the code `expired` if no time or no attempt is left to acquire it anew.
    package func giveUp(_ lease: Lease, _ wait: inout Wait) async throws(RedlockError) {
        let loss = await lease.lossOrLapse()
        await lease.release()
        if let left = wait.attemptsLeft { wait.attemptsLeft = left - lease.attempts }
        let isSpent = wait.attemptsLeft.map { $0 <= 0 } ?? false
        guard isSpent || driver.clock.now() >= wait.deadline else { return }
        let reason = loss.map { ": \($0.message)" } ?? ""
        throw RedlockError(
            .expired, "the lease ended before its holder could begin\(reason)", resource: lease.resource,
            votes: loss?.votes ?? [])
    }

    /// Checks the arguments, and hands the request in. Its answer may come before this returns.
    ///
    /// A function of its own, as ``lease(_:)`` is, and not inlined: what is needed on the way would take its place in
    /// the frame of each task that waits.
    @inline(never)
    private func post(
        _ resource: Resource, ttl: Duration, _ wait: Wait, extendingItself: Bool
    ) throws(RedlockError) -> LockRequest {
        let key = try configuration.key(of: resource)
        try configuration.checkTTL(ttl, resource)
        guard !Task.isCancelled else { throw cancelled(resource) }
        let now = driver.clock.now()
        let request = LockRequest(of: resource, ttl: Nanoseconds(ttl), for: self)
        let details = AcquireRequest(
            key: key, ttl: request.ttl, deadline: wait.deadline, maximumAttempts: wait.attemptsLeft,
            extendsItself: extendingItself,
            maximumHold: configuration.maximumHold.map { Nanoseconds($0) },
            wallClock: configuration.fencing
                ? WallClockReading(microseconds: WallClock.microseconds, at: now) : nil)
        driver.post(.acquire(request, details))
        return request
    }

    @inline(never)
    private func lease(_ request: LockRequest) throws(RedlockError) -> Lease {
        let lease = try request.takeOutcome().get()
        // Granted, and cancelled before the task ran on: the lease, let go, is released.
        guard !Task.isCancelled else { throw cancelled(request.resource) }
        return lease
    }

    private func cancelled(_ resource: Resource) -> RedlockError {
        RedlockError(.cancelled, Refusal.Reason.cancelled.words, resource: resource)
    }

    /// Ends the service: waiting callers are refused, holders are told that their leases are lost, connections closed.
    ///
    /// A lease keeps its keys until its holder releases it or its validity is over: the bodies of
    /// ``withLock(_:ttl:waitingUpTo:_:)`` are cancelled and finish under the lock. Returns when that is so, and the
    /// nodes confirmed the releases or had the node timeout to do so. So release what you hold by hand, or this takes
    /// until it lapses. Without it, the same happens in the background once the instance and its leases are gone.
    public func shutdown() async {
        await Caller.wait { driver.post(.shutdown($0)) }
    }
}
