import Dispatch
import Glibc
import LocalCluster
import PosixLock
import Redlock
import RedlockRedis

/// Measures the library beside the bare wire: in turns, round after round, on the same nodes.
///
/// Only what was measured in the same round is compared, since a machine is not the same from one minute to the next.
package struct Bench: Sendable {
    private let options: BenchOptions
    private let progress: @Sendable (String) -> Void
    private let site: Site

    /// Where it measures, and how to get at the nodes.
    private struct Site: Sendable {
        let urls: [String]
        let addresses: [NodeAddress]
        let cluster: LocalCluster?
        let keyPrefix: String
    }

    /// - Parameter progress: Told what is being measured, in words.
    /// - Throws: ``BenchError`` for options that do not fit, or nodes or servers that cannot be had.
    package init(_ options: BenchOptions, progress: @escaping @Sendable (String) -> Void) throws {
        if let complaint = options.complaint { throw BenchError(complaint) }
        self.options = options
        self.progress = progress
        let cluster = options.nodes.isEmpty ? try LocalCluster(nodes: BenchOptions.ownNodes, persistence: .none) : nil
        let urls = cluster?.urls ?? options.nodes
        do {
            site = Site(
                urls: urls, addresses: try urls.map { try NodeAddress($0) }, cluster: cluster,
                keyPrefix: "redlock-bench:\(getpid()):\(UInt32.random(in: 0...UInt32.max)):")
        } catch let error as NodeAddress.ParseError {
            throw BenchError(error.description)
        }
        // The floor's hiredis writes to sockets without a flag against it.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Measures; cancelled, it stops after the measurement under way. Leaves no key, and no server that it started.
    package func run() async throws -> BenchReport {
        defer { site.cluster?.stop() }
        var report = BenchReport(
            nodes: site.urls.count, ownNodes: site.cluster != nil, rounds: options.rounds, seconds: options.time.seconds
        )
        var loads: [Load: [RoundResult]] = [:]
        var contended: [Contention.Place: [ContendedRound]] = [:]
        var memory: [MemoryFigures] = []
        for round in 1...options.rounds {
            for benchCase in options.cases {
                try Task.checkCancellation()
                let prefix = "round \(round) of \(options.rounds), \(benchCase.rawValue)"
                switch benchCase {
                case .healthy, .refused, .hung, .twoHung, .delay:
                    for (callers, result) in try await measure(benchCase, prefix, floorFirst: round % 2 == 1) {
                        loads[Load(benchCase: benchCase, callers: callers), default: []].append(result)
                    }
                case .contended:
                    for place in Contention.Place.allCases {
                        progress("\(prefix): \(options.contenders) contenders in \(place.words)")
                        contended[place, default: []].append(try await contend(place))
                    }
                case .fencing where round == 1:
                    progress("fencing: one coordinator, then \(options.contenders) for one resource")
                    report.fencing = try await FencingUse(
                        nodes: site.urls, keyPrefix: site.keyPrefix, contenders: options.contenders, time: options.time
                    ).run()
                case .memory where round == 1:
                    progress("memory: \(options.memoryCount) leases, \(options.memoryCount) waiters")
                    memory.append(
                        try await MemoryUse(nodes: site.urls, keyPrefix: site.keyPrefix, count: options.memoryCount)
                            .run())
                case .fencing, .memory:
                    // They do not vary as times do, and take long.
                    break
                }
            }
        }
        for benchCase in options.cases {
            for callers in callers(of: benchCase) {
                guard let results = loads[Load(benchCase: benchCase, callers: callers)] else { continue }
                report.rows.append(RoundResult.row(benchCase, callers: callers, results))
            }
        }
        report.contended = Contention.Place.allCases.compactMap { contended[$0].map(ContendedRound.summary) }
        report.memory = memory.isEmpty ? nil : MemoryFigures(medianOf: memory)
        return report
    }

    private struct Load: Hashable {
        var benchCase: BenchOptions.Case
        var callers: Int
    }

    /// With nodes that fail, one caller and many: what lies between adds nothing.
    private func callers(of benchCase: BenchOptions.Case) -> [Int] {
        guard benchCase != .healthy else { return options.callers }
        let few = options.callers.filter { $0 == 1 || $0 == 64 }
        return few.isEmpty ? Array(options.callers.prefix(1)) : few
    }
}

// MARK: - Loads

extension Bench {
    private func measure(
        _ benchCase: BenchOptions.Case, _ prefix: String, floorFirst: Bool
    ) async throws -> [(callers: Int, RoundResult)] {
        guard benchCase == .delay else {
            return try await measure(benchCase, site.addresses, site.urls, prefix, floorFirst: floorFirst)
        }
        let proxy = try DelayProxy(to: site.addresses, delay: .milliseconds(1))
        defer { proxy.stop() }
        let urls = proxy.ports.map { "redis://127.0.0.1:\($0)" }
        return try await measure(
            benchCase, try urls.map { try NodeAddress($0) }, urls, prefix, floorFirst: floorFirst)
    }

    private func measure(
        _ benchCase: BenchOptions.Case, _ addresses: [NodeAddress], _ urls: [String], _ prefix: String,
        floorFirst: Bool
    ) async throws -> [(callers: Int, RoundResult)] {
        let callers = callers(of: benchCase)
        let isFault = benchCase.needsOwnNodes && benchCase != .delay
        return try await withRedlock(urls) { redlock in
            let load = LibraryLoad(redlock: redlock, keyPrefix: site.keyPrefix)
            let floorPrefix = "\(site.keyPrefix)floor:"
            let depth = callers.max() ?? 1
            func wireFloor() throws -> WireFloor { try WireFloor(addresses, keyPrefix: floorPrefix, depth: depth) }
            let floor = Floor(try wireFloor())
            let taskFloor = benchCase == .healthy ? TaskFloor(try wireFloor()) : nil
            let hiredis =
                benchCase == .healthy
                ? Floor(try HiredisFloor(addresses, keyPrefix: floorPrefix, depth: depth)) : nil
            func library(
                _ callers: Int, _ what: String = "library", onItsThread: Bool = false
            ) async throws -> Figures {
                try Task.checkCancellation()
                progress("\(prefix): \(what), \(callers) callers")
                // The proxy's time is no client's.
                return try await load.run(
                    callers: callers, for: options.time, countsCPU: benchCase != .delay, onItsThread: onItsThread)
            }
            func bare(_ depth: Int) async throws -> Figures {
                try Task.checkCancellation()
                progress("\(prefix): floor, depth \(depth)")
                return try await floor.run(depth: depth, for: options.time)
            }
            _ = try await load.run(callers: 1, for: .milliseconds(50))

            var results: [(callers: Int, RoundResult)] = []
            for callers in callers {
                let early = floorFirst ? try await bare(callers) : nil
                let figures = try await library(callers)
                let below: Figures
                if let early { below = early } else { below = try await bare(callers) }
                try Task.checkCancellation()
                var result = RoundResult(floor: below, library: figures)
                if let taskFloor {
                    result.onItsThread = try await library(callers, "library, on its thread", onItsThread: true)
                    progress("\(prefix): floor of tasks, \(callers) callers")
                    result.tasks = try await taskFloor.run(callers: callers, for: options.time)
                }
                if let hiredis {
                    progress("\(prefix): hiredis as people use it, depth \(callers)")
                    result.hiredis = try await hiredis.run(depth: callers, for: options.time)
                }
                results.append((callers, result))
            }
            guard isFault else { return results }
            return try await withFault(benchCase) {
                // Until the library has noticed: the first time-outs are not what is measured.
                _ = try await load.run(callers: 1, for: .milliseconds(300))
                for index in results.indices {
                    results[index].1.healthy = results[index].1.library
                    results[index].1.library = try await library(
                        results[index].callers, "\(benchCase.rawValue), library")
                }
                return results
            }
        }
    }

    /// Does to the last nodes what the case says, and undoes it however `body` ends.
    private func withFault<Value>(_ benchCase: BenchOptions.Case, _ body: () async throws -> Value) async throws
        -> Value
    {
        guard let cluster = site.cluster else { return try await body() }
        let victims = cluster.nodes.suffix(benchCase == .twoHung ? 2 : 1)
        for victim in victims { benchCase == .refused ? victim.kill() : victim.pause() }
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        for victim in victims {
            if benchCase == .refused { try victim.start() } else { victim.resume() }
        }
        return try outcome.get()
    }
}

/// A floor, which blocks, on a thread of its own.
private final class Floor: @unchecked Sendable {
    private let floor: any CommandFloor
    private let queue = DispatchQueue(label: "redlock-bench.floor")

    init(_ floor: any CommandFloor) {
        self.floor = floor
    }

    func run(depth: Int, for time: Duration) async throws(BenchError) -> Figures {
        let isCancelled = Locked(false)
        let outcome: Result<Figures, BenchError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { [self] in
                    do throws(BenchError) {
                        let figures = try floor.run(depth: depth, for: time) { !isCancelled.withLock { $0 } }
                        continuation.resume(returning: .success(figures))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
            }
        } onCancel: {
            isCancelled.withLock { $0 = true }
        }
        return try outcome.get()
    }
}

// MARK: - Contention

extension Bench {
    private struct ContendedRound {
        var figures: ContentionFigures
        var uncontended: ContentionFigures
        var cycle: Double

        static func summary(_ rounds: [ContendedRound]) -> BenchReport.Contended {
            BenchReport.Contended(
                figures: ContentionFigures(medianOf: rounds.map(\.figures)),
                uncontendedCycle: rounds.map(\.cycle).median,
                releaseToGrantInCycles: rounds.map { $0.figures.releaseToGrantMedian / $0.cycle }.median,
                commandsToUncontended: rounds.map {
                    $0.figures.commandsPerAcquisition / $0.uncontended.commandsPerAcquisition
                }.median)
        }
    }

    private func contend(_ place: Contention.Place) async throws -> ContendedRound {
        try Task.checkCancellation()
        let cycle = try await withRedlock(site.urls) {
            try await LibraryLoad(redlock: $0, keyPrefix: site.keyPrefix).run(callers: 1, for: options.time / 2)
        }
        let resource = "\(site.keyPrefix)contended"
        func contention(_ contenders: Int, _ time: Duration) -> Contention {
            Contention(nodes: site.urls, resource: resource, contenders: contenders, time: time)
        }
        let alone = try await contention(1, options.time / 2).run(.oneProcess)
        // Longer: where contenders poll, a handover takes a tenth of a second.
        let together = try await contention(options.contenders, options.time * 3).run(place)
        return ContendedRound(figures: together, uncontended: alone, cycle: cycle.median)
    }
}
