internal import ChildProcesses
internal import Glibc
internal import LocalCluster
internal import PosixLock
internal import RedlockSimulation

/// A client process, as the run sees it: started, told what to do, stopped, killed, and started again.
///
/// One thread at a time uses it, but for what says otherwise.
final class LiveClient: @unchecked Sendable {
    let index: Int
    let proxy: LinkProxy
    /// Of its wall clock; nil without the shim.
    let clock: ClockControl?
    private let program: String
    private let options: WorldOptions
    private let clientConfiguration: ClientConfiguration
    private let seed: UInt64
    private let view: [Int]
    private let undertaker: Undertaker
    private let heard: @Sendable (LiveRecord) -> Void

    private let life = Locked(Life())
    private let state = Locked(State())
    /// Set when a fault, or the end of the run, ends its process.
    private let isToEnd = Locked(false)
    private var input: Int32 = -1
    private var reader = Signal()
    private var pauses = 0

    private struct Life {
        var process: ChildProcess?
        /// Counts its processes.
        var epoch = 0
    }

    /// What its process has told, and whether it still can.
    private struct State {
        var isReady = false
        var hasEnded = false
    }

    init(
        index: Int, program: String, proxy: LinkProxy, clock: ClockControl?, schedule: Schedule, view: [Int],
        undertaker: Undertaker, heard: @escaping @Sendable (LiveRecord) -> Void
    ) {
        self.index = index
        self.program = program
        self.proxy = proxy
        self.clock = clock
        options = schedule.options
        var configuration = ClientConfiguration(schedule.options, client: index)
        let workers = schedule.options.workersPerClient
        let step = schedule.script.first { $0.action == .acquire && $0.worker / workers == index }
        configuration.maximumHold = step?.maximumHold ?? 0
        configuration.maximumAttempts = step?.maximumAttempts ?? 0
        clientConfiguration = configuration
        seed = schedule.seed
        self.view = view
        self.undertaker = undertaker
        self.heard = heard
    }

    /// Whether it has told that it reached all nodes. From any thread.
    var isReady: Bool { state.withLock { $0.isReady } }
    /// Its process has ended and nobody wanted that. From any thread.
    var hasDiedByItself: Bool { state.withLock { $0.hasEnded } && !isToEnd.withLock { $0 } }
    var isRunning: Bool { process != nil }
    private var process: ChildProcess? { life.withLock { $0.process } }
    private var epoch: Int { life.withLock { $0.epoch } }

    /// What its process takes, with a name that no other process has. From any thread.
    var usage: (name: String, usage: ProcessUsage)? {
        let life = life.withLock { $0 }
        guard let process = life.process, let usage = ProcessUsage(process.id) else { return nil }
        return ("client \(index), process \(life.epoch)", usage)
    }

    // MARK: Life

    func start() throws {
        guard process == nil else { return }
        let epoch = life.withLock { life in
            life.epoch += 1
            return life.epoch
        }
        state.withLock { $0 = State() }
        isToEnd.withLock { $0 = false }
        let (childInput, input) = try socketPair()
        let (childOutput, output) = try socketPair()
        defer {
            close(childInput)
            close(childOutput)
        }
        let configuration = ClientProcess.configuration(
            nodes: view.map { "redis://127.0.0.1:\(proxy.ports[$0])" }, seed: seed &+ UInt64(index * 1_000 + epoch),
            options: options.asSeen(by: index), clientConfiguration)
        let child: ChildProcess
        do {
            child = try ChildProcess(
                (clock.map(ClockShim.launcher) ?? []) + [program, ClientProcess.verb, configuration],
                input: childInput, output: childOutput, errors: 2)
        } catch {
            close(input)
            close(output)
            throw error
        }
        undertaker.started(child)
        self.input = input
        life.withLock { $0.process = child }
        if pauses > 0 { child.signal(SIGSTOP) }
        reader = Signal()
        runOnThread { [self, reader] in
            read(output, epoch)
            close(output)
            reader.send()
        }
    }

    private func read(_ output: Int32, _ epoch: Int) {
        var unread: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe recv(output, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            unread += buffer[..<count]
            while let end = unread.firstIndex(of: 0x0a) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeFirst(end + 1)
                if let report = ClientReport(line: line) { take(report, epoch) }
            }
        }
        state.withLock { $0.hasEnded = true }
    }

    private func take(_ report: ClientReport, _ epoch: Int) {
        if report.kind == .ready { state.withLock { $0.isReady = true } }
        heard(LiveRecord(.report(report), at: report.at, client: index, epoch: epoch))
    }

    func tell(_ order: ClientOrder) {
        guard process != nil else { return }
        _ = unsafe [UInt8]((order.line + "\n").utf8).withUnsafeBytes {
            unsafe send(input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    // MARK: Faults

    func pause() {
        pauses += 1
        if pauses == 1 { process?.signal(SIGSTOP) }
    }

    func resume() {
        pauses -= 1
        if pauses == 0 { process?.signal(SIGCONT) }
    }

    /// kill -9. Returns when it is gone.
    func kill() {
        guard let process else { return }
        isToEnd.withLock { $0 = true }
        process.signal(SIGKILL)
        bury(process)
    }

    /// Tells it to shut its coordinator down; the process ends by itself.
    func beginShutdown() {
        isToEnd.withLock { $0 = true }
        tell(.shutdown)
    }

    /// Ends what is left of the old process.
    func endShutdown() {
        guard let process else { return }
        isToEnd.withLock { $0 = true }
        if !reader.wait(seconds: 0) { process.signal(SIGKILL) }
        bury(process)
    }

    private func bury(_ process: ChildProcess) {
        process.wait()
        let now = MachineClock.now()
        undertaker.ended(process)
        close(input)
        input = -1
        reader.wait()
        life.withLock { $0.process = nil }
        heard(LiveRecord(.clientGone, at: now, client: index, epoch: epoch))
    }

    // MARK: The end

    func beginStop() {
        isToEnd.withLock { $0 = true }
        tell(.stop)
    }

    /// Waits until it has ended by itself; false when it had to be killed.
    func finish(withinSeconds seconds: Int) -> Bool {
        guard let process else { return true }
        if pauses > 0 {
            pauses = 1
            resume()
        }
        let isOrderly = reader.wait(seconds: seconds)
        if !isOrderly { process.signal(SIGKILL) }
        bury(process)
        return isOrderly
    }
}
