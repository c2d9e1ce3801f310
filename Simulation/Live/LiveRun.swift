internal import ChildProcesses
internal import Dispatch
internal import Folders
internal import LocalCluster
internal import PosixLock
package import RedlockSimulation

/// What a live run cannot do, and what would help.
package struct LiveError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// A schedule on real servers, real clients and a real network, on this machine.
///
/// It blocks the thread that it is used on.
package final class LiveRun {
    package struct Setup: Sendable {
        package var schedule: Schedule
        /// The program that is a client when its first argument is ``ClientProcess/verb``.
        package var program: String
        /// Instead of servers of our own.
        package var cluster: ComposeCluster?
        /// Asked now and then; true ends the run early and in order.
        package var isInterrupted: @Sendable () -> Bool = { false }
        /// Told about once a second.
        package var progress: @Sendable (String) -> Void = { _ in }

        package init(_ schedule: Schedule, program: String) {
            self.schedule = schedule
            self.program = program
        }
    }

    /// After the healing, every resource is granted so often before the run is over.
    private static let enoughGrants = 3
    /// By how much the machine's wall clock may go another way than its monotonic one from one look to the next: about
    /// a second.
    private static let allowedStep: Int64 = 2_000_000
    /// How long nothing must happen before a scenario is taken to be over.
    private static let settling: Int64 = 500_000_000
    /// Real machines are slow and busy: so many times the simulator's bound, and half a minute.
    private static let patience: Int64 = 3

    let setup: Setup
    let schedule: Schedule
    let options: WorldOptions
    let history: LiveHistory
    let tally: LiveTally
    let folder: String
    let undertaker: Undertaker
    var nodes: [LiveNode] = []
    var clients: [LiveClient] = []
    var watches: [KeyWatch] = []
    let nodeQueues: [DispatchQueue]
    let clientQueues: [DispatchQueue]
    let failure = Locked<LiveError?>(nil)
    /// How late the latest action was.
    let lateness = Locked<Int64>(0)
    /// The highest fencing number that a node may have forgotten.
    let lostNumber = Locked<Int64>(0)
    /// Of ``MachineClock``; moments of the schedule count from here.
    private(set) var start: Int64 = 0
    var wallOffset: Int64 = 0
    var notes: [String] = []
    var usage: UsageWatch
    var isInterrupted = false

    package init(_ setup: Setup) throws {
        self.setup = setup
        schedule = setup.schedule
        options = setup.schedule.options
        history = LiveHistory(nodes: options.nodes)
        tally = LiveTally(resources: options.resources)
        usage = UsageWatch(clients: options.clients)
        guard setup.cluster != nil || Self.isInPath("redis-server") else {
            throw LiveError("redis-server was not found; install it with `apt-get install redis-server`")
        }
        guard let path = Folder.makeTemporary("redlock-live") else {
            throw LiveError(
                "no temporary folder can be made in \(Folder.temporary); set TMPDIR to one that can be written")
        }
        folder = path
        undertaker = try Undertaker(folder: folder)
        nodeQueues = (0..<options.nodes).map { DispatchQueue(label: "node \($0)") }
        clientQueues = (0..<options.clients).map { DispatchQueue(label: "client \($0)") }
    }

    /// From the first server to the last key: whatever happens, nothing is left behind.
    package func run() throws -> LiveResult {
        defer { cleanUp() }
        try startNodes()
        try awaitVotes()
        try startClients()
        try checkOffsets()
        watches = nodes.map { KeyWatch($0, options, history) }
        for watch in watches { watch.start() }
        try timed { try play() }
        wait(for: nodeQueues + clientQueues)
        if let error = failure.withLock({ $0 }) { throw error }
        try stopClients()
        drainKeys()
        for watch in watches { watch.stop() }
        watches = []
        let (records, looks) = history.snapshot
        let judge = LiveJudge(schedule, start: start, end: MachineClock.now(), records: records, looks: looks)
        return LiveResult(
            judge.judge(), notes: notes, leaks: usage.leaks, lateness: lateness.withLock { $0 },
            isInterrupted: isInterrupted)
    }

    // MARK: During

    private func play() throws {
        start = MachineClock.now() + 50_000_000
        if options.persistence == .aofEverySecond {
            // The server syncs its log at full seconds of its wall clock; so does the simulated one, from zero on.
            let wall = start + wallOffset
            start += 1_000_000_000 - wall % 1_000_000_000
        }
        for client in clients where !options.scripted { client.tell(.work) }
        var actions = timeline()[...]
        while let action = actions.first {
            try checkProgress()
            if isInterrupted { return }
            let due = start + action.at
            guard MachineClock.now() >= due else {
                MachineClock.sleep(until: due)
                continue
            }
            actions.removeFirst()
            action.perform(self)
        }
        options.scripted ? try awaitQuiet() : try awaitProgress()
    }

    /// A machine that has no time for us is as good as steps that come late.
    private func timed(_ body: () throws -> Void) throws {
        let watch = StallWatch()
        watch.start()
        defer {
            let stall = watch.stop()
            lateness.withLock { $0 = max($0, stall) }
        }
        try body()
    }

    func wait(for queues: [DispatchQueue]) {
        for queue in queues { queue.sync {} }
    }

    /// Nobody waits for an answer, and nobody believes in a lease any more.
    private func awaitQuiet() throws {
        wait(for: nodeQueues + clientQueues)
        let deadline = start + 2 * schedule.endAt + 30_000_000_000
        // What was ordered last takes a moment to be asked for.
        var quietSince = MachineClock.now()
        while MachineClock.now() < min(quietSince + Self.settling, deadline), !isInterrupted {
            try checkProgress()
            MachineClock.sleep(until: deadline)
            if !tally.isQuiet(at: MachineClock.now()) { quietSince = MachineClock.now() }
        }
    }

    /// All faults are over: every resource is to be granted again.
    private func awaitProgress() throws {
        wait(for: nodeQueues + clientQueues)
        tally.beginHealed()
        let from = MachineClock.now()
        let bound = Self.patience * options.livenessBound + 30_000_000_000
        while !tally.haveAllBeenGranted(Self.enoughGrants), !isInterrupted {
            try checkProgress()
            guard MachineClock.now() < from + bound else {
                let starved = tally.starved(Self.enoughGrants).map { String($0) }.joined(separator: ", ")
                history.add(LiveRecord(.starved(starved), at: MachineClock.now()))
                return
            }
            MachineClock.sleep(until: from + bound)
        }
    }

    private var lastProgress: Int64 = 0

    /// Looks whether all is well, and tells how far it is.
    func checkProgress() throws {
        isInterrupted = isInterrupted || setup.isInterrupted()
        if let error = failure.withLock({ $0 }) { throw error }
        let now = MachineClock.now()
        guard now - lastProgress > 1_000_000_000 else { return }
        lastProgress = now
        for node in nodes where node.hasDiedByItself {
            throw LiveError("the redis-server of node \(node.index) ended by itself" + LiveNode.lastLogLine(in: folder))
        }
        for client in clients where client.hasDiedByItself {
            throw LiveError("the process of client \(client.index) ended by itself")
        }
        guard start > 0 else { return }
        checkWallClock()
        usage.look(at: usages(), now)
        setup.progress("\(Format.decimal((now - start) / 1_000_000, per: 1_000)) s: \(tally.words)")
    }

    /// Somebody who sets this machine's clock sets the nodes' with it. Slewing is slower than that.
    private func checkWallClock() {
        let moved = MachineClock.wallOffset() - wallOffset
        wallOffset += moved
        guard abs(moved) > Self.allowedStep else { return }
        breach(.clockSteps, "this machine (its wall clock was set by \(Format.length(moved)))")
    }

    /// Fault injection failed: the run cannot mean anything.
    func fail(_ error: any Error) {
        failure.withLock { if $0 == nil { $0 = LiveError("\(error)") } }
    }

    func breach(_ assumption: Assumption, _ subject: String) {
        history.add(LiveRecord(.breach(assumption.rawValue, subject), at: MachineClock.now()))
    }
}
