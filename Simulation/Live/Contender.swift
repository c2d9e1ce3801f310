internal import PosixLock
internal import Redlock
internal import RedlockSimulation

/// A worker of a client process: locks, works, writes, extends, unlocks, thinks, and starts again; or does as it is
/// told.
///
/// As `Worker` and `World+Workers` are it in the simulated world.
final class Contender: Sendable {
    /// A lease that it holds, by its number in this process.
    private struct Holding {
        let lease: Lease
        let number: Int
        let resource: Int
        var isLost = false
    }

    private struct State {
        var isAcquiring = false
        var isReleasing = false
        var request: Task<Void, Never>?
        var holding: Holding?
        var reportedEnd: Int64 = 0
        var isStopping = false
        var random: Randomness
    }

    /// How long a write takes to the resource, at most.
    static let writeTime: Int64 = 5_000_000

    private let number: Int
    private let redlock: Redlock
    private let options: WorldOptions
    private let output: Output
    private let state: Locked<State>

    init(_ number: Int, _ redlock: Redlock, _ options: WorldOptions, _ random: Randomness, _ output: Output) {
        self.number = number
        self.redlock = redlock
        self.options = options
        self.output = output
        state = Locked(State(random: random))
    }

    private static let holdNumbers = Locked(0)

    private func report(
        _ kind: ClientReport.Kind, _ holding: Holding?, at: Int64 = MachineClock.now(), value: Int64 = 0,
        other: Int64 = 0, text: String = ""
    ) {
        var report = ClientReport(kind, at: at, worker: number)
        report.resource = holding?.resource ?? 0
        report.hold = holding?.number ?? -1
        report.value = value
        report.other = other
        report.text = text
        output.write(report)
    }

    // MARK: Acquiring

    func acquire(_ resource: Int, ttl: Int64, wait: Int64, extendsItself: Bool) {
        state.withLock { state in
            guard !state.isAcquiring, state.holding == nil, !state.isStopping else { return }
            state.isAcquiring = true
            state.request = Task { await ask(resource, ttl, wait, extendsItself) }
        }
    }

    private func ask(_ resource: Int, _ ttl: Int64, _ wait: Int64, _ extendsItself: Bool) async {
        var asked = ClientReport(.asked, at: MachineClock.now(), worker: number)
        asked.resource = resource
        asked.value = asked.at + wait
        output.write(asked)
        do throws(RedlockError) {
            let lease = try await redlock.acquire(
                Resource(LiveKeys.key(of: resource)), ttl: .nanoseconds(ttl), waitingUpTo: .nanoseconds(wait),
                extendingItself: extendsItself)
            granted(lease, resource)
        } catch {
            var refused = ClientReport(.refused, at: MachineClock.now(), worker: number)
            refused.resource = resource
            refused.text = error.code.rawValue
            state.withLock { $0.isAcquiring = false }
            output.write(refused)
        }
    }

    private func granted(_ lease: Lease, _ resource: Int) {
        let now = MachineClock.now()
        let end = lease.validUntil.machineTime
        let hold = Self.holdNumbers.withLock { count in
            count += 1
            return count
        }
        let holding = Holding(lease: lease, number: hold, resource: resource)
        state.withLock { state in
            state.isAcquiring = false
            state.holding = holding
            state.reportedEnd = end
        }
        report(.granted, holding, at: now, value: end, other: lease.fencingToken ?? 0)
        Task {
            guard let loss = await lease.waitForLoss() else { return }
            let now = MachineClock.now()
            state.withLock { if $0.holding?.number == hold { $0.holding?.isLost = true } }
            report(.lost, holding, at: now, value: lease.validUntil.machineTime, text: loss.message)
        }
    }

    func cancel() {
        state.withLock { if $0.isAcquiring { $0.request?.cancel() } }
    }

    // MARK: Extending

    func extend(ttl: Int64) {
        guard let holding = state.withLock({ $0.holding }) else { return }
        Task { await extend(holding, ttl) }
    }

    private func extend(_ holding: Holding, _ ttl: Int64) async {
        do throws(RedlockError) {
            let end = try await holding.lease.extend(ttl: .nanoseconds(ttl))
            report(.extended, holding, value: end.machineTime)
        } catch {
            report(.notExtended, holding, value: holding.lease.validUntil.machineTime, text: error.code.rawValue)
        }
    }

    /// Some lease of this process was extended, or was not.
    func mayHaveBeenExtended(_ isExtended: Bool) {
        guard state.withLock({ $0.holding != nil }) else { return }
        Task {
            guard let holding = state.withLock({ $0.holding }) else { return }
            let end = holding.lease.validUntil.machineTime
            let isNew = state.withLock { state in
                guard state.holding?.number == holding.number, end > state.reportedEnd else { return false }
                state.reportedEnd = end
                return true
            }
            if isNew {
                report(.extended, holding, value: end)
            } else if !isExtended {
                report(.notExtended, holding, value: end)
            }
        }
    }

    // MARK: Writing

    /// Checks the lease, and writes `delay` later, if there is time enough.
    func write(in delay: Int64) {
        guard let holding = state.withLock({ $0.holding }) else { return report(.writeRefused, nil) }
        guard check(holding) else { return }
        Task { await write(holding, checkedAt: MachineClock.now(), in: delay) }
    }

    private func check(_ holding: Holding) -> Bool {
        let isLost = state.withLock { $0.holding?.isLost ?? true }
        guard !isLost, holding.lease.isValid, holding.lease.remaining.nanoseconds > 2 * Self.writeTime else {
            report(.writeRefused, holding)
            return false
        }
        return true
    }

    private func write(_ holding: Holding, checkedAt: Int64, in delay: Int64) async {
        if delay > 1_000_000 { try? await Task.sleep(for: .nanoseconds(delay)) }
        report(.written, holding, value: checkedAt, other: checkedAt + delay)
    }

    // MARK: Releasing

    func release() {
        Task { await letGo() }
    }

    private func letGo() async {
        let holding = state.withLock { state -> Holding? in
            guard !state.isReleasing else { return nil }
            state.isReleasing = state.holding != nil
            return state.holding
        }
        guard let holding else { return }
        report(.releasing, holding, value: holding.lease.validUntil.machineTime)
        await holding.lease.release()
        state.withLock { state in
            state.holding = nil
            state.isReleasing = false
        }
        report(.released, holding)
    }

    // MARK: Working by itself

    /// Until it is told to stop.
    func work() async {
        await think()
        while !isStopping {
            let (resource, ttl, wait, extendsItself, patience) = draw()
            let request = Task { await ask(resource, ttl, wait, extendsItself) }
            state.withLock { state in
                state.isAcquiring = true
                state.request = request
            }
            if let patience {
                try? await Task.sleep(for: .nanoseconds(patience))
                request.cancel()
            }
            await request.value
            if let holding = state.withLock({ $0.holding }) {
                await hold(holding)
                await letGo()
                await think()
            } else {
                // Who asks again at once keeps everybody busy, himself included.
                await think(beyond: options.retryDelay + options.retryJitter)
            }
        }
        output.write(ClientReport(.ended, at: MachineClock.now(), worker: number))
    }

    private func draw() -> (resource: Int, ttl: Int64, wait: Int64, extendsItself: Bool, patience: Int64?) {
        state.withLock { state in
            let resource = Int(state.random.below(Int64(options.resources)))
            let shorter = state.random.chance(perMille: 100)
            let ttl = shorter ? max(options.ttl / 2, WorldOptions.milliseconds(10)) : options.ttl
            let wait = state.random.below(options.wait + 1)
            let extendsItself = state.random.chance(perMille: options.selfExtending)
            let givesUp = state.random.chance(perMille: options.cancelled)
            let patience = 1 + state.random.below(options.nodeTimeout * 2)
            return (resource, ttl, wait, extendsItself, givesUp ? patience : nil)
        }
    }

    private func hold(_ holding: Holding) async {
        let length = state.withLock { 1 + $0.random.below(options.hold) }
        let end = MachineClock.now() + length
        while MachineClock.now() < end, !isStopping, state.withLock({ $0.holding?.isLost == false }) {
            let (dice, pause) = state.withLock { state in
                (state.random.below(100), 1 + state.random.below(options.hold / 4 + 1))
            }
            if dice < 60 {
                if check(holding) { await write(holding, checkedAt: MachineClock.now(), in: 0) }
            } else if dice < 80 {
                await extend(holding, state.withLock { extensionTTL(&$0.random) })
            }
            try? await Task.sleep(for: .nanoseconds(min(pause, max(1, end - MachineClock.now()))))
        }
    }

    /// The usual one, or another, shorter or longer.
    private func extensionTTL(_ random: inout Randomness) -> Int64 {
        guard options.otherExtensions > 0, random.chance(perMille: options.otherExtensions) else { return options.ttl }
        let least = min(max(options.ttl / 4, WorldOptions.milliseconds(10)), options.ttl)
        return random.within(least...options.ttl)
    }

    private func think(beyond least: Int64 = 0) async {
        let length = state.withLock { least + 1 + $0.random.below(max(options.think, 1)) }
        let end = MachineClock.now() + length
        while !isStopping, MachineClock.now() < end {
            try? await Task.sleep(for: .nanoseconds(min(end - MachineClock.now(), 100_000_000)))
        }
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Nothing new from here on.
    func stop() {
        state.withLock { state in
            state.isStopping = true
            if state.isAcquiring { state.request?.cancel() }
        }
    }

    /// Waits for its request, and lets go of what it has.
    func end() async {
        await state.withLock({ $0.request })?.value
        await letGo()
    }
}
