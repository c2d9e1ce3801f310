internal import ChildProcesses
internal import Glibc
internal import LocalCluster
internal import RedlockSimulation

// Before anything goes wrong: servers, networks and clients, and clocks that agree.

extension LiveRun {
    /// Seconds that all clients may take to reach all nodes at the start.
    private static let readySeconds: Int64 = 60
    /// The most that a node's clock may be off at the start, in milliseconds.
    private static let clockMilliseconds: Int64 = 100

    func startNodes() throws {
        if let cluster = setup.cluster {
            guard options.nodes == cluster.services.count, schedule.isForContainers else {
                throw LiveError(
                    "this schedule wants \(options.nodes) nodes, or does to them what cannot be done to the "
                        + "\(cluster.services.count) containers: clocks, disks, and how they keep their data")
            }
            nodes = (0..<options.nodes).map {
                LiveNode(index: $0, folder: "\(folder)/node\($0)", container: cluster.server($0))
            }
            // What an earlier run may have left.
            for node in nodes { for resource in 0..<options.resources { node.forget(resource) } }
            return
        }
        let needsShim = schedule.needsClockShim
        if needsShim, !ClockShim.isThere {
            throw LiveError(
                "the clock shim is not at \(ClockShim.path); build it with `swift build --product ClockShim`, or name it in "
                    + "REDLOCK_CLOCK_SHIM")
        }
        do {
            for index in 0..<options.nodes { nodes.append(try startedNode(index, withShim: needsShim)) }
            for fault in schedule.faults where fault.kind == .nodeFailover || fault.kind == .nodeReplica {
                for node in fault.nodes { try nodes[node].follow(lag: fault.amount, undertaker: undertaker) }
            }
        } catch let error as LocalNode.StartError {
            throw LiveError(error.description + LiveNode.lastLogLine(in: folder))
        }
    }

    /// Another program may take a port between the choice of it and the server's start.
    private static let startTries = 5

    private func startedNode(_ index: Int, withShim: Bool) throws -> LiveNode {
        var tries = 0
        while true {
            tries += 1
            let node = try LiveNode(
                index: index, folder: "\(folder)/node\(index)", options: options, withShim: withShim,
                undertaker: undertaker)
            do {
                try node.start()
                return node
            } catch let error as LocalNode.StartError {
                node.stop()
                if tries == Self.startTries { throw error }
            }
        }
    }

    static func isInPath(_ program: String) -> Bool {
        guard let path = unsafe getenv("PATH").map({ unsafe String(cString: $0) }) else { return false }
        return path.split(separator: ":").contains { unsafe access("\($0)/\(program)", X_OK) == 0 }
    }

    /// Servers have no vote at first, unless clients trust that they keep every write: they grow old before a client
    /// meets them.
    func awaitVotes() throws {
        let areTrusted =
            options.persistence == .aofAlways && (0..<options.clients).allSatisfy { options.trustsDurableNodes($0) }
        guard setup.cluster == nil, !areTrusted, options.quarantineLength > 0 else { return }
        // A second for the grain of the uptime, and one for clocks that run slow.
        let longest = (0..<options.clients).reduce(options.quarantineLength) {
            max($0, options.quarantineLength(of: $1))
        }
        let end = MachineClock.now() + longest + longest / 10 + 2_000_000_000
        while MachineClock.now() < end, !isInterrupted {
            try checkProgress()
            MachineClock.sleep(until: end)
        }
    }

    func startClients() throws {
        var random = Randomness(seed: schedule.seed, .network, 10_000)
        for index in 0..<options.clients {
            let proxy = try startProxy(of: index, &random)
            let clock = schedule.needsClockShim ? try ClockControl(path: "\(folder)/client\(index)") : nil
            if options.wallSkew > 0 { clock?.jump(by: random.within(-options.wallSkew...options.wallSkew)) }
            let client = LiveClient(
                index: index, program: setup.program, proxy: proxy, clock: clock, schedule: schedule,
                view: index < options.views.count ? options.views[index] : Array(0..<options.nodes),
                undertaker: undertaker
            ) { [history, tally] record in
                history.add(record)
                tally.count(record)
            }
            clients.append(client)
            try client.start()
        }
        let deadline = MachineClock.now() + Self.readySeconds * 1_000_000_000
        while !clients.allSatisfy(\.isReady) {
            try checkProgress()
            guard MachineClock.now() < deadline else {
                throw LiveError("the clients did not reach all nodes within \(Self.readySeconds) s")
            }
            MachineClock.sleep(until: deadline)
        }
    }

    private func startProxy(of client: Int, _ random: inout Randomness) throws -> LinkProxy {
        let links = (0..<options.nodes).map { node in
            var link = LinkSettings(port: nodes[node].port)
            // As the simulated world lays its cables.
            let isNear = (node < (options.nodes + client % 2) / 2) == (client % 2 == 0)
            let spread = options.delay + random.below(options.delay + 1)
            link.delay = options.twoSites ? options.delay * (isNear ? 1 : 3) : spread
            link.jitter = options.jitter
            return link
        }
        let proxy = try LinkProxy(client: client, links: links)
        let resources = LiveKeys.numbers(options.resources)
        proxy.start(seed: schedule.seed, resources: resources) { [history] sight, time in
            switch sight {
            case .token(let sight, _):
                guard !sight.isRelease else { return }
                history.saw(token: sight.token, resource: sight.resource, client: client, at: time)
            case .late(let resource, let node):
                history.add(LiveRecord(.lateCommand(resource: resource, node: node), at: time, client: client))
            }
        }
        return proxy
    }

    /// A node whose clock is off before anything was done to it would be blamed on the lock.
    func checkOffsets() throws {
        wallOffset = MachineClock.wallOffset()
        var largest: Int64 = 0
        for node in nodes {
            let before = MachineClock.now()
            guard case .array(let parts)? = node.time(), parts.count == 2,
                case .string(let seconds) = parts[0], case .string(let microseconds) = parts[1],
                let whole = Int64(seconds), let rest = Int64(microseconds)
            else { throw LiveError("node \(node.index) does not tell its time") }
            let after = MachineClock.now()
            let reading = whole * 1_000_000_000 + rest * 1_000 - wallOffset
            // Between asking and the answer it was right; a rate that the schedule wants is not an offset.
            let skew = node.clock?.skew ?? 0
            let off = max(before - (reading - skew), (reading - skew) - after, 0)
            largest = max(largest, off)
            guard off <= Self.clockMilliseconds * 1_000_000 else {
                throw LiveError(
                    "the clock of node \(node.index) is \(Format.length(off)) off before anything was done to it")
            }
        }
        notes.append("clocks before the start: at most \(Format.length(largest)) apart")
    }
}
