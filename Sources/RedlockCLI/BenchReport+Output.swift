import CommandSupport
import RedlockBench

// The report of the bench, for people and for programs.

extension BenchReport {
    var table: String {
        var lines = [
            "\(nodes) nodes\(ownNodes ? " on this machine" : ""), \(rounds) rounds of \(Self.text(seconds)) s; "
                + "times in µs; x: to the floor in the same round"
        ]
        if !rows.isEmpty { lines += [""] + loadLines }
        if rows.contains(where: { $0.onItsThread != nil }) { lines += [""] + threadLines }
        if rows.contains(where: { $0.tasks != nil }) {
            lines += [""] + floorLines("floor of tasks") { $0.tasks }
        }
        if rows.contains(where: { $0.hiredis != nil }) {
            lines += [""] + floorLines("hiredis as people use it") { $0.hiredis }
        }
        if !contended.isEmpty { lines += [""] + contendedLines }
        if let fencing {
            lines += [
                "",
                "fencing tokens: \(fencing.alone.raises) of \(fencing.alone.grants) acquires took a second round trip, "
                    + "\(fencing.contended.raises) of \(fencing.contended.grants) with \(fencing.contenders) contenders; "
                    + "a cycle is \(Self.text(fencing.cycleWith)) with a token, \(Self.text(fencing.cycleWithout)) without",
            ]
        }
        if let memory {
            lines += [
                "",
                "memory at \(memory.count): \(Self.text(memory.bytesPerLease, 0)) bytes a held lease, "
                    + "\(Self.text(memory.bytesPerWaiter, 0)) a waiting task, of which "
                    + "\(Self.text(memory.bytesPerTask, 0)) the task; "
                    + "cancelled in \(Self.text(memory.cancelMicroseconds)) µs each",
            ]
        }
        return lines.joined(separator: "\n")
    }

    private static let loadColumns = [
        "callers", "cycles/s", "x", "p50", "x", "p99", "p99.9", "acquire", "x", "CPU/cycle", "x",
    ]

    private static func load(_ callers: Int, _ figures: Figures, _ ratios: Ratios) -> [String] {
        [
            "\(callers)", text(figures.cyclesPerSecond, 0), text(ratios.throughput), text(figures.median),
            text(ratios.latency), text(figures.p99), text(figures.p999), text(figures.acquireMedian),
            text(ratios.acquireLatency), figures.cpuPerCycle.map { text($0) } ?? "-",
            ratios.cpu.map { text($0) } ?? "-",
        ]
    }

    private var loadLines: [String] {
        let header = ["case"] + Self.loadColumns + ["to healthy", "floor: cycles/s", "p50", "p99", "CPU/cycle"]
        return Columns.aligned(
            [header]
                + rows.map { row in
                    [row.benchCase.rawValue] + Self.load(row.callers, row.library, row.ratios) + [
                        row.ratios.toHealthy.map { Self.text($0) } ?? "-",
                        Self.text(row.floor.cyclesPerSecond, 0), Self.text(row.floor.median), Self.text(row.floor.p99),
                        row.floor.cpuPerCycle.map { Self.text($0) } ?? "-",
                    ]
                })
    }

    private var threadLines: [String] {
        Columns.aligned(
            [["callers on its thread"] + Self.loadColumns]
                + rows.compactMap { row in
                    row.onItsThread.map { own in
                        [row.benchCase.rawValue] + Self.load(row.callers, own.figures, own.ratios)
                    }
                })
    }

    private func floorLines(_ name: String, _ other: (Row) -> (figures: Figures, ratios: Ratios)?) -> [String] {
        let header = [
            name, "callers", "cycles/s", "p50", "CPU/cycle", "lock to it: cycles/s", "p50", "CPU/cycle",
        ]
        return Columns.aligned(
            [header]
                + rows.compactMap { row in
                    other(row).map { figures, ratios in
                        [
                            row.benchCase.rawValue, "\(row.callers)", Self.text(figures.cyclesPerSecond, 0),
                            Self.text(figures.median), figures.cpuPerCycle.map { Self.text($0) } ?? "-",
                            Self.text(ratios.throughput), Self.text(ratios.latency),
                            ratios.cpu.map { Self.text($0) } ?? "-",
                        ]
                    }
                })
    }

    private var contendedLines: [String] {
        let header = [
            "contenders in", "number", "handoffs/s", "release to grant: p50", "p99", "in cycles", "fairness",
            "commands/acquisition", "to uncontended",
        ]
        return Columns.aligned(
            [header]
                + contended.map { row in
                    [
                        row.figures.place.rawValue, "\(row.figures.contenders)",
                        Self.text(row.figures.handoffsPerSecond), Self.text(row.figures.releaseToGrantMedian),
                        Self.text(row.figures.releaseToGrantP99), Self.text(row.releaseToGrantInCycles),
                        Self.text(row.figures.fairness), Self.text(row.figures.commandsPerAcquisition),
                        Self.text(row.commandsToUncontended),
                    ]
                })
    }

    /// So many digits after the point.
    private static func text(_ value: Double, _ digits: Int = 2) -> String {
        let scale = digits == 0 ? 1.0 : 100.0
        let scaled = (value * scale).rounded()
        guard scaled.isFinite, abs(scaled) < 1e15 else { return "-" }
        let whole = Int(scaled) / Int(scale)
        guard digits > 0 else { return "\(whole)" }
        let fraction = abs(Int(scaled) % Int(scale))
        return "\(scaled < 0 && whole == 0 ? "-" : "")\(whole).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}

// MARK: - JSON

extension BenchReport {
    /// Changes with the meaning of a member; new members do not change it.
    static let schema = "redlock-bench"
    static let schemaVersion = 2

    var json: String {
        var object = JSONObject()
        object.add("schema", Self.schema)
        object.add("version", Self.schemaVersion)
        object.add("redlock", version)
        object.add("nodes", nodes)
        object.add("own_nodes", ownNodes ? 1 : 0)
        object.add("rounds", rounds)
        object.add("seconds", seconds)
        object.add("loads", rows.map(\.json))
        object.add("contended", contended.map(\.json))
        if let fencing {
            var figures = JSONObject()
            figures.add("grants_alone", fencing.alone.grants)
            figures.add("raises_alone", fencing.alone.raises)
            figures.add("contenders", fencing.contenders)
            figures.add("grants_contended", fencing.contended.grants)
            figures.add("raises_contended", fencing.contended.raises)
            figures.add("cycle_p50_us", fencing.cycleWith)
            figures.add("cycle_without_p50_us", fencing.cycleWithout)
            object.add("fencing", figures)
        }
        if let memory {
            var figures = JSONObject()
            figures.add("count", memory.count)
            figures.add("bytes_per_lease", memory.bytesPerLease)
            figures.add("bytes_per_waiter", memory.bytesPerWaiter)
            figures.add("bytes_per_bare_task", memory.bytesPerTask)
            figures.add("cancel_us", memory.cancelMicroseconds)
            object.add("memory", figures)
        }
        return object.text
    }
}

extension BenchReport.Row {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("case", benchCase.rawValue)
        object.add("callers", callers)
        object.add("library", library.json)
        object.add("floor", floor.json)
        if let healthy { object.add("healthy", healthy.json) }
        object.add("to_floor", ratios.json)
        if let onItsThread {
            object.add("on_its_thread", onItsThread.figures.json)
            object.add("on_its_thread_to_floor", onItsThread.ratios.json)
        }
        if let tasks {
            object.add("task_floor", tasks.figures.json)
            object.add("to_task_floor", tasks.ratios.json)
        }
        if let hiredis {
            object.add("hiredis", hiredis.figures.json)
            object.add("to_hiredis", hiredis.ratios.json)
        }
        return object
    }
}

extension BenchReport.Ratios {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("p50", latency)
        object.add("acquire_p50", acquireLatency)
        object.add("cycles_per_second", throughput)
        if let cpu { object.add("cpu_per_cycle", cpu) }
        if let toHealthy { object.add("p50_to_healthy", toHealthy) }
        return object
    }
}

extension Figures {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("cycles", cycles)
        object.add("cycles_per_second", cyclesPerSecond)
        object.add("p50_us", median)
        object.add("p99_us", p99)
        object.add("p999_us", p999)
        object.add("acquire_p50_us", acquireMedian)
        if let cpuPerCycle { object.add("cpu_us_per_cycle", cpuPerCycle) }
        return object
    }
}

extension BenchReport.Contended {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("contenders_in", figures.place.rawValue)
        object.add("contenders", figures.contenders)
        object.add("acquisitions", figures.acquisitions)
        object.add("handoffs", figures.changes)
        object.add("handoffs_per_second", figures.handoffsPerSecond)
        object.add("release_to_grant_p50_us", figures.releaseToGrantMedian)
        object.add("release_to_grant_p99_us", figures.releaseToGrantP99)
        object.add("release_to_grant_in_cycles", releaseToGrantInCycles)
        object.add("uncontended_cycle_p50_us", uncontendedCycle)
        object.add("fairness_jain", figures.fairness)
        object.add("commands_per_acquisition", figures.commandsPerAcquisition)
        object.add("commands_to_uncontended", commandsToUncontended)
        return object
    }
}
