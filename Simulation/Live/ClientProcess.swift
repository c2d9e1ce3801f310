internal import ChildProcesses
internal import Glibc
internal import PosixLock
internal import Redlock
internal import RedlockSimulation

/// A client: a process of its own that uses the library as any service does, reports what its workers are told, and
/// does what its standard input says.
package enum ClientProcess {
    package struct BadConfiguration: Error {}

    /// The hidden word after the program's name.
    package static let verb = "live-client"

    /// Runs until it is told to stop, or until whoever started it is gone.
    package static func run(_ text: String) async throws {
        guard let json = try? JSON(parsing: text), case .array(let urls)? = json["nodes"],
            case .number(let seed)? = json["seed"], let world = json["world"],
            let configuration = json["configuration"].flatMap(ClientConfiguration.init)
        else { throw BadConfiguration() }
        let options = try WorldOptions(json: world)
        let output = Output()
        let lookout = Lookout(nodes: urls.count, output)
        var settings = configuration.redlock
        settings.observer = { lookout.see($0) }
        let nodes = urls.compactMap { if case .string(let url) = $0 { url } else { nil } }
        let redlock = try Redlock(nodes: nodes, configuration: settings)
        let contenders = (0..<options.workersPerClient).map { worker in
            Contender(
                worker, redlock, options,
                Randomness(seed: UInt64(bitPattern: seed), .workload, worker), output)
        }
        lookout.contenders = contenders
        var work: [Task<Void, Never>] = []
        for await line in lines() {
            guard let order = ClientOrder(line: line) else { throw BadConfiguration() }
            switch order {
            case .acquire, .extend, .release, .cancel, .write: pass(order, to: contenders)
            case .work: work += contenders.map { contender in Task { await contender.work() } }
            case .stop:
                for contender in contenders { contender.stop() }
                for task in work { await task.value }
                for contender in contenders { await contender.end() }
                await redlock.shutdown()
                return
            case .shutdown:
                for contender in contenders { contender.stop() }
                // Holders are told, and finish under the lock.
                await redlock.shutdown()
                for task in work { await task.value }
                for contender in contenders { await contender.end() }
                return
            }
        }
        // Nobody is there to report to: the keys are left to their ttl, as with any process that dies.
        exit(1)
    }

    private static func pass(_ order: ClientOrder, to contenders: [Contender]) {
        switch order {
        case .acquire(let worker, let resource, let ttl, let wait, let extendsItself):
            contenders[worker].acquire(resource, ttl: ttl, wait: wait, extendsItself: extendsItself)
        case .extend(let worker, let ttl): contenders[worker].extend(ttl: ttl)
        case .release(let worker): contenders[worker].release()
        case .cancel(let worker): contenders[worker].cancel()
        case .write(let worker, let delay): contenders[worker].write(in: delay)
        case .work, .stop, .shutdown: preconditionFailure("\(order) is for the process, not for a worker")
        }
    }

    /// Of standard input, read on a thread of its own.
    private static func lines() -> AsyncStream<String> {
        AsyncStream { continuation in
            runOnThread {
                while let line = StandardInput.line() { continuation.yield(line) }
                continuation.finish()
            }
        }
    }

    /// What a client process is told at its start.
    static func configuration(
        nodes: [String], seed: UInt64, options: WorldOptions, _ client: ClientConfiguration
    ) -> String {
        JSON.record([
            "nodes": .array(nodes.map { .string($0) }), "seed": .number(Int64(bitPattern: seed)),
            "world": options.json, "configuration": client.json,
        ]).text
    }
}

/// Standard output, a line at a time, from any thread.
final class Output: Sendable {
    private let lock = Locked(())

    func write(_ report: ClientReport) {
        let bytes = Array((report.line + "\n").utf8)
        lock.withLock { _ in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(1, $0.baseAddress, $0.count) }
                // Nobody reads any more: there is nothing left to do.
                guard count > 0 else { exit(1) }
                rest = rest.dropFirst(count)
            }
        }
    }
}

/// What the coordinator's observer tells.
private final class Lookout: @unchecked Sendable {
    private let nodes: Int
    private let output: Output
    private let connected = Locked<Set<String>?>([])
    /// Set before there are any locks.
    var contenders: [Contender] = []

    init(nodes: Int, _ output: Output) {
        self.nodes = nodes
        self.output = output
    }

    func see(_ event: Redlock.Event) {
        switch event.kind {
        case .nodeConnected:
            guard let node = event.node else { return }
            let isComplete = connected.withLock { connected in
                connected?.insert(node)
                guard connected?.count == nodes else { return false }
                // Once.
                connected = nil
                return true
            }
            if isComplete { output.write(ClientReport(.ready, at: MachineClock.now())) }
        case .vote where event.votes.first?.kind == .errorReply:
            output.write(ClientReport(.errorReply, at: MachineClock.now()))
        case .extended, .notExtended:
            // Leases that extend themselves tell nobody else. The lease has its new end when this turn is over.
            for contender in contenders { contender.mayHaveBeenExtended(event.kind == .extended) }
        case .atRisk: output.write(ClientReport(.atRisk, at: MachineClock.now()))
        case .recovered: output.write(ClientReport(.recovered, at: MachineClock.now()))
        case .noProgress:
            var report = ClientReport(.noProgress, at: MachineClock.now())
            report.text = event.reason
            output.write(report)
        case .repaired: output.write(ClientReport(.repaired, at: MachineClock.now()))
        default: break
        }
    }
}
