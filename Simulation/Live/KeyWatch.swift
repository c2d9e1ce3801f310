internal import LocalCluster
internal import PosixLock
internal import RedlockSimulation

/// Looks at the keys of one node again and again, beside the clients' network, and notes what changes.
final class KeyWatch: Sendable {
    /// Between two looks.
    static let period: Int64 = 20_000_000
    /// Every so many looks the expiries are looked at too.
    private static let expiryPeriod = 25

    private let node: LiveNode
    private let resources: Int
    private let longestTTL: Int64
    private let history: LiveHistory
    private let isStopped = Locked(false)
    private let finished = Signal()

    /// Writes something at every look. A server that has nothing to do syncs a lone write at once, whatever the second;
    /// with other work it does so when the second is over, and that is what a loss of power is about.
    private let keepsBusy: Bool

    init(_ node: LiveNode, _ options: WorldOptions, _ history: LiveHistory) {
        self.node = node
        resources = options.resources
        longestTTL = options.ttl
        keepsBusy = options.persistence == .aofEverySecond
        self.history = history
    }

    func start() {
        runOnThread { [self] in
            watch()
            finished.send()
        }
    }

    /// Returns when it has ended; a node that stands still holds it up for two seconds.
    func stop() {
        isStopped.withLock { $0 = true }
        finished.wait()
    }

    private func watch() {
        var client: (BlockingClient, port: UInt16)?
        var known = Array(repeating: "", count: resources)
        let keys = (0..<resources).map(LiveKeys.key)
        var count = 0
        while !isStopped.withLock({ $0 }) {
            let start = MachineClock.now()
            let port = node.port
            if client?.port != port { client = (try? BlockingClient(port: port)).map { ($0, port) } }
            if keepsBusy { _ = client?.0.command("SET", "redlock-live-busy", "1", "PX", "1000") }
            let from = MachineClock.now()
            let answer = client?.0.command(["MGET"] + keys)
            let to = MachineClock.now()
            switch answer {
            case .array(let values) where values.count == resources:
                note(values, &known, at: from)
                history.looked(at: node.index, LiveHistory.Look(from: from, to: to))
                count += 1
                if count % Self.expiryPeriod == 0, let connection = client?.0 { checkExpiries(connection, known) }
            case nil: client = nil
            // It is loading its data, as a rule: nothing was seen.
            default: break
            }
            MachineClock.sleep(until: start + Self.period)
        }
    }

    private func note(_ values: [BlockingClient.Answer], _ known: inout [String], at time: Int64) {
        for (resource, value) in values.enumerated() {
            var token = ""
            if case .string(let text) = value { token = text }
            guard token != known[resource] else { continue }
            known[resource] = token
            history.add(LiveRecord(.key(node: node.index, resource: resource, token: token), at: time))
        }
    }

    /// No key of the library is without an end, or has one that is further away than the longest ttl.
    private func checkExpiries(_ client: BlockingClient, _ known: [String]) {
        for (resource, token) in known.enumerated() where !token.isEmpty {
            guard case .integer(let left) = client.command("PTTL", LiveKeys.key(of: resource)), left != -2 else {
                continue
            }
            // A clock that is set back makes every key live longer.
            let isTooLong = left > longestTTL / 1_000_000 && !node.clockWasSetBack
            if left == -1 || isTooLong {
                history.add(
                    LiveRecord(
                        .strangeExpiry(node: node.index, resource: resource, milliseconds: left),
                        at: MachineClock.now()))
            }
        }
    }
}
