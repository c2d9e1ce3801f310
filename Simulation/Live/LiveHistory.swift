internal import PosixLock

/// All that was seen, in the order in which it became known.
final class LiveHistory: Sendable {
    private struct State {
        var records: [LiveRecord] = []
        var tokens: Set<String> = []
        /// Of each node, when its keys were looked at: from asking to the answer.
        var looks: [[Look]]
    }

    struct Look: Sendable {
        let from: Int64
        let to: Int64
    }

    /// So many records are kept; a run that has more was too long.
    static let limit = 20_000_000

    private let state: Locked<State>

    init(nodes: Int) {
        state = Locked(State(looks: Array(repeating: [], count: nodes)))
    }

    func add(_ record: LiveRecord) {
        state.withLock { if $0.records.count < Self.limit { $0.records.append(record) } }
    }

    /// Notes a token's first appearance.
    func saw(token: String, resource: Int, client: Int, at time: Int64) {
        state.withLock { state in
            guard state.tokens.insert(token).inserted else { return }
            state.records.append(LiveRecord(.attempt(token: token, resource: resource), at: time, client: client))
        }
    }

    func looked(at node: Int, _ look: Look) {
        state.withLock { $0.looks[node].append(look) }
    }

    var snapshot: (records: [LiveRecord], looks: [[Look]]) { state.withLock { ($0.records, $0.looks) } }
}
