/// Makes a failing schedule small: whatever can go while the same oracle still fails, goes.
package struct Shrinker {
    package private(set) var schedule: Schedule
    package let oracle: Oracle
    private let isExcused: Bool
    package private(set) var runs = 0
    private let budget: Int

    /// Nil when the schedule does not fail at all.
    package init?(_ schedule: Schedule, budget: Int = 3_000) {
        var world = World(schedule)
        guard let worst = world.run().worst else { return nil }
        self.schedule = schedule
        oracle = worst.oracle
        isExcused = worst.excuse != nil
        self.budget = budget
    }

    package mutating func shrink() {
        var before: Schedule
        repeat {
            before = schedule
            truncate()
            dropFaults()
            dropTargets()
            dropClients()
            dropNodes()
            simplify()
        } while schedule != before && runs < budget
    }

    /// Whether a candidate fails in the same way; it is kept if so.
    private mutating func keep(_ candidate: Schedule) -> Bool {
        guard runs < budget, candidate != schedule else { return false }
        runs += 1
        var world = World(candidate)
        // The first thing that fails, not one that follows from it.
        guard let worst = world.run().worst, worst.oracle == oracle, (worst.excuse != nil) == isExcused else {
            return false
        }
        schedule = candidate
        return true
    }

    /// Ends the run at the failure.
    private mutating func truncate() {
        var world = World(schedule)
        guard let failure = world.run().violations.first(where: { $0.oracle == oracle }) else { return }
        var candidate = schedule
        candidate.faults.removeAll { $0.at > failure.at }
        candidate.script.removeAll { $0.at > failure.at }
        _ = keep(candidate)
        candidate = schedule
        candidate.endAt = (world.outcome.duration / 1_000 + 1) * 1_000
        candidate.healAt = min(candidate.healAt, candidate.endAt)
        _ = keep(candidate)
    }

    /// Whole blocks first, then smaller ones: Zeller's delta debugging without the complements.
    private mutating func dropFaults() {
        var block = max(1, schedule.faults.count / 2)
        while true {
            var start = 0
            while start < schedule.faults.count {
                var candidate = schedule
                candidate.faults.removeSubrange(start..<min(start + block, schedule.faults.count))
                if !keep(candidate) { start += block }
            }
            if block == 1 { return }
            block /= 2
        }
    }

    /// Faults of several nodes or clients hit fewer.
    private mutating func dropTargets() {
        for index in schedule.faults.indices {
            for node in schedule.faults[index].nodes where schedule.faults[index].nodes.count > 1 {
                var candidate = schedule
                candidate.faults[index].nodes.removeAll { $0 == node }
                _ = keep(candidate)
            }
            for client in schedule.faults[index].clients where schedule.faults[index].clients.count > 1 {
                var candidate = schedule
                candidate.faults[index].clients.removeAll { $0 == client }
                _ = keep(candidate)
            }
        }
    }

    private mutating func dropClients() {
        while schedule.options.clients > 1, schedule.script.isEmpty {
            var candidate = schedule
            let last = candidate.options.clients - 1
            candidate.options.clients = last
            candidate.options.clientRates = Array(candidate.options.clientRates.prefix(last))
            candidate.options.views = Array(candidate.options.views.prefix(last))
            candidate.options.clientSettings = Array(candidate.options.clientSettings.prefix(last))
            for index in candidate.faults.indices { candidate.faults[index].clients.removeAll { $0 >= last } }
            candidate.faults.removeAll { $0.kind.target != .node && $0.clients.isEmpty }
            guard keep(candidate) else { break }
        }
        guard schedule.options.workersPerClient > 1, schedule.script.isEmpty else { return }
        var candidate = schedule
        candidate.options.workersPerClient = 1
        _ = keep(candidate)
    }

    private mutating func dropNodes() {
        while schedule.options.nodes > 1 {
            var candidate = schedule
            let last = candidate.options.nodes - 1
            candidate.options.nodes = last
            candidate.options.nodeRates = Array(candidate.options.nodeRates.prefix(last))
            candidate.options.views = candidate.options.views.map { $0.filter { $0 < last } }
            for index in candidate.faults.indices { candidate.faults[index].nodes.removeAll { $0 >= last } }
            candidate.faults.removeAll { $0.kind.target != .client && $0.nodes.isEmpty }
            guard candidate.options.views.allSatisfy({ !$0.isEmpty }), keep(candidate) else { return }
        }
    }

    /// Rounder and smaller numbers, and knobs that do nothing.
    private mutating func simplify() {
        for index in schedule.faults.indices {
            for divisor: Int64 in [100_000_000, 1_000_000] {
                var candidate = schedule
                candidate.faults[index].duration = candidate.faults[index].duration / divisor * divisor
                if candidate.faults[index].duration > 0 { _ = keep(candidate) }
                candidate = schedule
                if candidate.faults[index].kind.unit == .time {
                    candidate.faults[index].amount = candidate.faults[index].amount / divisor * divisor
                    if candidate.faults[index].amount != 0 { _ = keep(candidate) }
                }
            }
        }
        tryOptions { $0.resources = 1 }
        tryOptions { $0.nodeRates = [] }
        tryOptions { $0.clientRates = [] }
        tryOptions { $0.twoSites = false }
        tryOptions { $0.jitter = 0 }
        tryOptions { $0.fencedClients = 0 }
        tryOptions { $0.wallSkew = 0 }
        tryOptions { $0.lateWrites = 0 }
        tryOptions { $0.cancelled = 0 }
        tryOptions { $0.clientSettings = [] }
        tryOptions { $0.logTime = 0 }
        tryOptions { $0.maximumHolds = 0 }
        tryOptions { $0.maximumAttempts = 0 }
        tryOptions { $0.otherExtensions = 0 }
        tryOptions { $0.bodies = 0 }
    }

    private mutating func tryOptions(_ change: (inout WorldOptions) -> Void) {
        var candidate = schedule
        change(&candidate.options)
        guard candidate.faults.allSatisfy({ $0.kind.unit != .resource || $0.amount < candidate.options.resources }),
            candidate.script.allSatisfy({ $0.resource < candidate.options.resources })
        else { return }
        _ = keep(candidate)
    }
}
