internal import PosixLock
internal import RedlockCore

/// A lock that is held, until it is released or its validity ends.
///
/// A lease that is let go without ``release()`` is released then; do not rely on it for anything but mistakes.
public final class Lease: Sendable {
    /// What is locked.
    public let resource: Resource

    /// A number that is higher than those of all leases of this resource before it: hand it to what the lock protects,
    /// which refuses whatever comes with a lower number than it has seen.
    ///
    /// From 1 to 2^53 - 1; nil unless ``Redlock/Configuration/fencing`` is on. It stays the same for as long as the
    /// lease is held. Numbers leave gaps, and say nothing about the time.
    public let fencingToken: Int64?

    let redlock: Redlock
    let lock: LockID
    private let ttl: Nanoseconds
    /// How many attempts it took.
    let attempts: Int
    let state: LeaseState

    init(_ lock: LockID, of request: LockRequest, _ grant: Grant) {
        self.lock = lock
        resource = request.resource
        redlock = request.redlock
        ttl = request.ttl
        attempts = grant.attempts
        fencingToken = grant.fencingToken
        state = LeaseState(validUntil: grant.validUntil)
    }

    deinit {
        if !state.releaseBegun { redlock.driver.post(.release(lock), here: false) }
    }
}

// MARK: - Validity

extension Lease {
    /// The end of validity: until then no other client that keeps to the rules holds the lock. Extensions move it.
    public var validUntil: ContinuousClock.Instant {
        redlock.driver.clock.time(of: state.validUntil)
    }

    /// What is left of the validity; zero once it is over or the lease was released, and while the lease is checked because
    /// the wall clock of this machine gained on its boot clock.
    public var remaining: Duration {
        let now = redlock.driver.clock.now()
        return Duration(state.withLock { $0.releaseBegun || $0.isDoubted ? .zero : max($0.validUntil - now, .zero) })
    }

    /// Whether the lease may be relied on now: neither over, nor released, nor reported lost.
    ///
    /// If the wall clock of this machine gains on its boot clock by more than what is left, the machine may have been
    /// stopped, as a virtual machine can be: the lease is then extended at once, and is not valid before a quorum of nodes
    /// has done so.
    ///
    /// The answer is true when it is given. What you do next takes time, and a process can be stopped for any time at
    /// any point: compare ``remaining`` with what you are about to do, and let the resource check where it can.
    public var isValid: Bool {
        let now = redlock.driver.clock.now()
        return state.withLock { now < $0.validUntil && $0.loss == nil && !$0.releaseBegun && !$0.isDoubted }
    }

    /// Whether the lease is valid, and its loss has become likely: an extension failed, or half of the ttl has passed
    /// without the one that was due; or no spare node is left, because exactly a quorum of them has the key, and repair
    /// has not changed that in a fifth of the ttl (in up to two fifths if the node timeout is more than a tenth of it).
    ///
    /// A good moment to save what can be saved. It is over when the lease was extended and more nodes have the key; the
    /// library sees to both. False once the lease is lost or released. ``Redlock/Event/Kind/atRisk`` tells the reason.
    public var isAtRisk: Bool {
        state.withLock { $0.isAtRisk && $0.loss == nil && !$0.releaseBegun }
    }

    /// Why the lease was lost, once that is known.
    public var loss: RedlockError? {
        state.withLock { $0.loss }
    }

    /// The loss. If the validity is over and the coordinator did not run since, this waits for its word: it knows why.
    package func lossOrLapse() async -> RedlockError? {
        await waitForCheck()
        if let loss { return loss }
        guard isOver else { return nil }
        // The coordinator may have extended the lease, and not noted it here yet.
        await Caller.wait { redlock.driver.post(.endOfTurn($0)) }
        guard isOver else { return loss }
        let answering = Answering<RedlockError?>()
        return await answering.wait { state.onLoss { answering.answer($0) } }
            ?? RedlockError(.lost, Loss.Reason.expired.words, resource: resource)
    }

    /// The same as ``isValid``; a lease in doubt is waited for.
    package func isValidAfterCheck() async -> Bool {
        if isValid { return true }
        await waitForCheck()
        return isValid
    }

    /// Waits for the extension that ends a doubt: for a node timeout at most.
    private func waitForCheck() async {
        await Caller.wait { if !state.awaitCheck($0) { $0.resume() } }
    }

    private var isOver: Bool { redlock.driver.clock.now() >= state.validUntil }

    /// Waits until the lease is lost, and says why; nil once it was released, or when the waiting task is cancelled.
    ///
    /// A loss is told ahead of the end of validity, by ``Redlock/Configuration/lossMargin``, unless this process did
    /// not get to run in time. Once it is told the lease cannot be extended any more.
    @discardableResult
    public func waitForLoss() async -> RedlockError? {
        let answering = Answering<RedlockError?>()
        let id = state.onLoss { answering.answer($0) }
        defer { state.removeLossHandler(id) }
        return await withTaskCancellationHandler {
            await answering.wait()
        } onCancel: {
            answering.answer(nil)
        }
    }
}

// MARK: - Extend and release

extension Lease {
    /// Makes the lease valid for a whole ttl from now, less the drift; it never becomes shorter, nor is it held for
    /// longer than ``Redlock/Configuration/maximumHold``.
    ///
    /// - Parameter ttl: Within ``Redlock/Configuration/ttlLimits``; nil for the ttl that it was acquired with.
    /// - Returns: The new end of validity.
    /// - Throws: ``RedlockError`` with the code `notExtended` when no quorum extended it (it stays valid until the end
    ///   it had), `expired` when that end had passed, `lost` or `released` when it is over; `invalidArgument` for the
    ///   ttl.
    @discardableResult
    public func extend(ttl: Duration? = nil) async throws(RedlockError) -> ContinuousClock.Instant {
        if let ttl { try redlock.configuration.checkTTL(ttl, resource) }
        let ttl = ttl.map { Nanoseconds($0) } ?? self.ttl
        guard !state.releaseBegun else {
            throw RedlockError(.released, ExtensionRefusal.Reason.released.words, resource: resource)
        }
        let answering = Answering<Result<Instant, RedlockError>>()
        let outcome = await answering.wait {
            redlock.driver.post(.extend(lock, resource, ttl, answering))
        }
        return redlock.driver.clock.time(of: try outcome.get())
    }

    /// Releases the lock on all nodes; returns when a quorum confirmed it, or none could be reached within the node
    /// timeout. Quiet when the lease is over or was released before, and not stopped by cancellation.
    public func release() async {
        await Caller.wait { caller in
            switch state.beginRelease(of: caller) {
            case .begun: redlock.driver.post(.release(lock))
            case .underWay: break
            case .over: caller.resume()
            }
        }
    }
}
