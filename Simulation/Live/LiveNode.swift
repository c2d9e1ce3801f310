internal import Folders
internal import Glibc
internal import LocalCluster
internal import PosixLock
internal import RedlockCore
internal import RedlockRedis
internal import RedlockSimulation

/// A real redis-server, and what fate does to it. Faults may overlap, as in the simulated world: each kind is counted.
///
/// One thread at a time uses it, but for ``port``, ``hasDiedByItself`` and ``clockWasSetBack``.
final class LiveNode: @unchecked Sendable {
    let index: Int
    let server: any LiveServer
    let clock: ClockControl?
    private let folder: String
    private var persistence: WorldOptions.Persistence
    private var persistenceAtStop: WorldOptions.Persistence

    private var stops = 0
    private var pauses = 0
    private var powerWasLost = false
    private var stoppedAt: Int64 = 0
    private var errors: [String] = []
    /// What it evicts while it is out of memory, for each fault that has it so.
    private var shortages: [Fault.EvictionPolicy] = []
    /// How much longer the disk takes for every sync, in nanoseconds.
    private var stall: Int64 = 0
    /// A server that follows this one, and is behind.
    private var replica: LaggingReplica?
    private let replacement = Locked<(any LiveServer)?>(nil)
    private let fate = Locked(Fate())
    private let wasSetBack = Locked(false)

    private struct Fate {
        /// It is down because a fault wants it so.
        var isDown = false
        var changes = 0
    }

    /// A server of ours, which has not been started.
    init(
        index: Int, folder: String, options: WorldOptions, withShim: Bool, undertaker: Undertaker
    ) throws {
        self.index = index
        self.folder = folder
        persistence = options.persistence
        persistenceAtStop = options.persistence
        _ = unsafe mkdir(folder, 0o700)
        clock = withShim ? try ClockControl(path: "\(folder)/page") : nil
        server = LocalNode(
            port: try FreePorts.next(), folder: folder, persistence: .init(options),
            launcher: clock.map(ClockShim.launcher) ?? [],
            // A rewritten log would be another file, synced at another time.
            options: ["--auto-aof-rewrite-percentage", "0"], undertaker: undertaker)
        if index < options.nodeRates.count || !options.clientRates.isEmpty {
            clock?.setRate(Self.baseRate(of: index, options))
        }
    }

    /// A container, which runs.
    init(index: Int, folder: String, container: ComposeServer) {
        self.index = index
        self.folder = folder
        persistence = .aofAlways
        persistenceAtStop = .aofAlways
        clock = nil
        server = container
    }

    /// What counts is the rate between a node's clock and the clients'. A client's monotonic clock cannot be changed
    /// from outside, so the node's wall clock gets both.
    static func baseRate(of index: Int, _ options: WorldOptions) -> Int64 {
        let own = index < options.nodeRates.count ? options.nodeRates[index] : 0
        return own - (options.clientRates.min() ?? 0)
    }

    var port: UInt16 { current.port }
    private var current: any LiveServer { replacement.withLock { $0 } ?? server }

    /// At some time in this run: keys may live longer.
    var clockWasSetBack: Bool { wasSetBack.withLock { $0 } }
    /// Of the process that runs now; nil when none of ours does.
    var usage: ProcessUsage? { current.usage }

    /// Whether its absence is a surprise.
    var hasDiedByItself: Bool {
        let before = fate.withLock { $0 }
        guard !before.isDown, current.hasEnded else { return false }
        // Not if a fault came between the two looks.
        return fate.withLock { $0.changes == before.changes }
    }

    private func setDown(_ isDown: Bool) {
        fate.withLock { fate in
            fate.isDown = isDown
            fate.changes += 1
        }
    }

    func start() throws {
        try server.launch()
    }

    /// What it says its time is; nil when it does not answer.
    func time() -> BlockingClient.Answer? { current.command("TIME") }

    // MARK: Life

    /// kill -9.
    func kill(losingPower: Bool) {
        stops += 1
        if losingPower { powerWasLost = true }
        guard stops == 1 else { return }
        stoppedAt = MachineClock.now()
        persistenceAtStop = persistence
        setDown(true)
        current.kill()
    }

    /// Starts it again, when the last fault that keeps it down is over. `willStart` is told how long it was away.
    func restart(_ willStart: (Int64) -> Void = { _ in }) throws {
        stops -= 1
        guard stops == 0 else { return }
        willStart(MachineClock.now() - stoppedAt)
        if powerWasLost { loseWhatWasNotSynced() }
        powerWasLost = false
        try current.launch()
        // The successor was started as a follower, and follows nobody any more.
        if wasReplaced { current.command("REPLICAOF", "NO", "ONE") }
        setDown(false)
        // What a fault still in force did to the process that died, it does to this one.
        if let text = errors.last { refuse(with: text) }
        if !shortages.isEmpty { setMemory() }
        if pauses > 0 { current.pause() }
    }

    /// A process that is killed has handed its log to the kernel; a machine without power has not. So the log is cut to
    /// what had been synced.
    private func loseWhatWasNotSynced() {
        guard persistence == .aofAlways || persistence == .aofEverySecond, let clock else { return }
        for directory in [folder, folder + "/appendonlydir"] {
            for name in Folder.names(in: directory) ?? [] where name.hasSuffix(".aof") {
                var status = stat()
                let path = directory + "/" + name
                guard unsafe stat(path, &status) == 0 else { continue }
                let synced = clock.syncedSize(inode: UInt64(status.st_ino))
                // The base of the log is synced when it is made; a log without any sync is empty on the disk.
                guard synced != nil || !name.contains(".base.") else { continue }
                if Int64(status.st_size) > synced ?? 0 { _ = unsafe truncate(path, Int(synced ?? 0)) }
            }
        }
    }

    func pause() {
        pauses += 1
        if pauses == 1 { current.pause() }
    }

    func resume() {
        pauses -= 1
        if pauses == 0 { current.resume() }
    }

    // MARK: Clock, errors, disk, memory

    func jump(by amount: Int64) {
        if amount < 0 { wasSetBack.withLock { $0 = true } }
        clock?.jump(by: amount)
    }

    /// Has the server refuse writes for a reason of its own, as near to `text` as there is one.
    func beginErrors(_ text: String) {
        errors.append(text)
        refuse(with: text)
    }

    func endErrors(_ text: String) {
        if let place = errors.firstIndex(of: text) { errors.remove(at: place) }
        allow(text)
        if let other = errors.last { refuse(with: other) }
    }

    private func refuse(with text: String) {
        switch text.split(separator: " ").first {
        case "OOM": setMemory()
        case "READONLY": current.command("REPLICAOF", "127.0.0.1", "1")
        default: configure("min-replicas-to-write", "1")
        }
    }

    private func allow(_ text: String) {
        switch text.split(separator: " ").first {
        case "OOM": setMemory()
        case "READONLY": current.command("REPLICAOF", "NO", "ONE")
        default: configure("min-replicas-to-write", "0")
        }
    }

    /// Out of memory it evicts what the policy lets it, and refuses all that needs memory; reads and deletes go on.
    func beginShortage(_ policy: Fault.EvictionPolicy) {
        shortages.append(policy)
        setMemory()
    }

    func endShortage(_ policy: Fault.EvictionPolicy) {
        if let place = shortages.firstIndex(of: policy) { shortages.remove(at: place) }
        setMemory()
    }

    private func setMemory() {
        let isShort = !shortages.isEmpty || errors.contains { $0.hasPrefix("OOM") }
        configure("maxmemory-policy", (shortages.last ?? .noEviction).rawValue)
        configure("maxmemory", isShort ? "1" : "0")
    }

    private func configure(_ name: String, _ value: String) {
        current.command("CONFIG", "SET", name, value)
    }

    /// How it keeps its keys: at once if it runs, else from its next start on.
    func setPersistence(_ persistence: WorldOptions.Persistence) {
        self.persistence = persistence
        guard stops == 0 else {
            (server as? LocalNode)?.setPersistence(.init(persistence))
            return
        }
        configure("appendfsync", persistence == .aofAlways ? "always" : "everysec")
        configure("appendonly", persistence.keepsLog ? "yes" : "no")
    }

    /// What it granted before it stopped may be gone.
    func forgets(losingPower: Bool) -> Bool {
        switch (persistenceAtStop, persistence) {
        case (.aofAlways, .aofAlways): false
        case (.aofEverySecond, .aofEverySecond): losingPower
        default: true
        }
    }

    /// Whether it says what it is.
    func setInfoDenied(_ isDenied: Bool) {
        current.command("ACL", "SETUSER", "default", isDenied ? "-info" : "+info")
    }

    func stallSync(by amount: Int64) {
        stall += amount
        clock?.setSyncStall(stall)
    }

    func flush() {
        current.command("FLUSHALL")
    }

    func flushScripts() {
        current.command("SCRIPT", "FLUSH")
    }

    /// The fencing number of a resource; 0 if there is none.
    func number(of resource: Int) -> Int64 {
        guard case .string(let text) = current.command("GET", LiveKeys.numberKey(of: resource)) else { return 0 }
        return Int64(text) ?? 0
    }

    func setNumber(of resource: Int, to number: String) {
        current.command("SET", LiveKeys.numberKey(of: resource), number)
    }

    func setNumbers(to number: Int64, resources: Int) {
        for resource in 0..<resources where self.number(of: resource) < number {
            setNumber(of: resource, to: String(number))
        }
    }

    /// One step of `redlock forget-numbers` that scans all keys.
    ///
    /// - Parameter age: In nanoseconds.
    func forgetNumbers(olderThan age: Int64) {
        // The node's own clock is what counts: the cutoff offered is beyond all.
        current.command(
            "EVAL", Script.forgetNumbers, "1", Command.floorKey, String(Limits.fencingProposal), String(age / 1_000),
            "0",
            "10000", "", "0")
    }

    /// Makes it so short of memory, for a moment, that it evicts what it can.
    func evict() {
        configure("maxmemory-policy", "allkeys-random")
        configure("maxmemory", "1")
        setMemory()
    }

    /// Of a resource's key, in milliseconds, as PTTL tells it; nil when the node does not answer.
    func keyExpiry(_ resource: Int) -> BlockingClient.Answer? {
        current.command("PTTL", LiveKeys.key(of: resource))
    }

    /// Removes a resource's key, and that of its fencing number.
    func forget(_ resource: Int) {
        let key = LiveKeys.key(of: resource)
        current.command("DEL", key, key + ":fencing")
    }

    /// What a server that would not start said last.
    static func lastLogLine(in folder: String) -> String {
        var last = ""
        for index in 0..<15 {
            let lines = Folder.text(of: "\(folder)/node\(index)/log")?.split(separator: "\n") ?? []
            if let line = lines.last(where: { $0.contains(" # ") && !$0.contains("WARNING") }) { last = ": \(line)" }
        }
        return last
    }

    // MARK: Failover

    /// A replica took its place, which writes nothing to the disk.
    var wasReplaced: Bool { replacement.withLock { $0 != nil } }

    /// Starts a replica that will be `lag` nanoseconds behind.
    func follow(lag: Int64, undertaker: Undertaker) throws {
        guard replica == nil, let server = server as? LocalNode else { return }
        replica = try LaggingReplica(
            of: server, folder: folder + "-replica", lag: lag,
            launcher: clock.map(ClockShim.launcher) ?? [], undertaker: undertaker)
    }

    /// The server is gone, and the replica takes its place with what it has; as a replica, if it is not promoted.
    func failOver(promoting: Bool = true) {
        guard let replica, stops == 0 else { return }
        self.replica = nil
        setDown(true)
        server.kill()
        let successor = promoting ? replica.promote() : replica.takeOver()
        replacement.withLock { $0 = successor }
        setDown(false)
    }

    func promote() { current.command("REPLICAOF", "NO", "ONE") }

    // MARK: The end

    /// A process of ours is killed; a container runs again as it was found.
    func stop() {
        setDown(true)
        guard !(server is ComposeServer) else { return heal() }
        server.kill()
        replacement.withLock { $0 }?.kill()
        replica?.stop()
    }

    private func heal() {
        if stops > 0 { try? server.launch() }
        if pauses > 0 { server.resume() }
        shortages = []
        setMemory()
        while let text = errors.popLast() { allow(text) }
        (stops, pauses) = (0, 0)
    }
}

extension LocalNode.Persistence {
    init(_ options: WorldOptions) {
        self.init(options.persistence, snapshotPeriod: options.snapshotPeriod)
    }

    init(_ persistence: WorldOptions.Persistence, snapshotPeriod: Int64 = WorldOptions().snapshotPeriod) {
        self =
            switch persistence {
            case .aofAlways: .everyWrite
            case .aofEverySecond: .everySecond
            case .snapshot: .snapshot(afterSeconds: max(1, Int(snapshotPeriod / 1_000_000_000)))
            case .none: .none
            }
    }
}
