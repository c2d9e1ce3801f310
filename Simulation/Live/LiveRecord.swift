internal import PosixLock

/// Something that was seen in a live run, at a moment of ``MachineClock``.
struct LiveRecord: Sendable {
    enum Content: Sendable {
        case report(ClientReport)
        /// The process is gone; nothing that it believed counts any more.
        case clientGone
        /// A token was sent to a node for the first time, and not to be given up.
        case attempt(token: String, resource: Int)
        /// A command was delivered after its client had given the connection up.
        case lateCommand(resource: Int, node: Int)
        /// What a node has for a resource from here on, by a look at it.
        case key(node: Int, resource: Int, token: String)
        /// A fault of the schedule, by its number.
        case faultBegan(Int)
        case faultEnded(Int)
        /// What happened to a node or a client, for the trace.
        case node(Int, String)
        case client(Int, String)
        case breach(String, String)
        /// A node came back, or was replaced, without what it had granted; clients have it wait.
        case forgot(Int)
        /// A key without an end, or with one that is too far away.
        case strangeExpiry(node: Int, resource: Int, milliseconds: Int64)
        /// These resources were not granted often enough after the healing.
        case starved(String)
        /// A client did not end when it was told to: somebody waits for an answer.
        case unanswered
        /// A key was there when all of them had to be over.
        case keyLeft(node: Int, resource: Int, milliseconds: Int64)
    }

    var content: Content
    var at: Int64
    var client = -1
    var epoch = 0

    init(_ content: Content, at: Int64, client: Int = -1, epoch: Int = 0) {
        self.content = content
        self.at = at
        self.client = client
        self.epoch = epoch
    }
}

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
