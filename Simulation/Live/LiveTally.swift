internal import PosixLock
internal import RedlockSimulation

/// What is counted while a live run goes on.
final class LiveTally: Sendable {
    private struct State {
        var asked = 0
        var grants = 0
        var losses = 0
        var faults = 0
        /// Requests that wait for an answer, by process.
        var waiting: [String: Int] = [:]
        /// Leases that are not released, and when they are over.
        var open: [String: Int64] = [:]
        var healedGrants: [Int]
        var isHealed = false
        var highestToken: Int64 = 0
    }

    private let state: Locked<State>

    init(resources: Int) {
        state = Locked(State(healedGrants: Array(repeating: 0, count: resources)))
    }

    func count(_ record: LiveRecord) {
        let process = "\(record.client)/\(record.epoch)"
        state.withLock { state in
            guard case .report(let report) = record.content else {
                guard case .clientGone = record.content else { return }
                state.waiting[process] = nil
                state.open = state.open.filter { !$0.key.hasPrefix(process + "#") }
                return
            }
            let hold = "\(process)#\(report.hold)"
            switch report.kind {
            case .asked:
                state.asked += 1
                state.waiting[process, default: 0] += 1
            case .granted:
                state.grants += 1
                state.highestToken = max(state.highestToken, report.other)
                state.waiting[process, default: 1] -= 1
                state.open[hold] = report.value
                if state.isHealed, state.healedGrants.indices.contains(report.resource) {
                    state.healedGrants[report.resource] += 1
                }
            case .refused: state.waiting[process, default: 1] -= 1
            case .extended: state.open[hold] = max(state.open[hold] ?? 0, report.value)
            case .released: state.open[hold] = nil
            case .lost: state.losses += 1
            default: break
            }
        }
    }

    func countFault() { state.withLock { $0.faults += 1 } }

    /// The highest fencing token that was granted so far.
    var highestToken: Int64 { state.withLock { $0.highestToken } }

    func beginHealed() { state.withLock { $0.isHealed = true } }

    /// Nobody waits, and every lease is over.
    func isQuiet(at now: Int64) -> Bool {
        state.withLock { state in !state.open.values.contains { $0 >= now } && !state.waiting.values.contains { $0 > 0 }
        }
    }

    func haveAllBeenGranted(_ count: Int) -> Bool { starved(count).isEmpty }

    func starved(_ count: Int) -> [Int] {
        state.withLock { state in state.healedGrants.indices.filter { state.healedGrants[$0] < count } }
    }

    var words: String {
        state.withLock {
            "\(Format.count($0.grants, "grant")) of \(Format.grouped($0.asked)) asked, "
                + "\(Format.count($0.losses, "loss", "losses")), \(Format.count($0.faults, "fault"))"
        }
    }
}
