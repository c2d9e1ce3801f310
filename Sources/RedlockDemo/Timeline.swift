import CommandSupport
import Glibc
import LocalCluster
import PosixLock
import Redlock

/// What happens, line by line: when, to whom, what, and each node's part in it.
final class Timeline: Sendable {
    private struct State {
        var inside: [String] = []
        var lastRetry: [String: String] = [:]
    }

    private let start = ContinuousClock.now
    private let nodes: Int
    private let state = Locked(State())

    init(nodes: Int) {
        self.nodes = nodes
    }

    func introduce(_ cluster: LocalCluster, resource: Resource, ttl: Duration) {
        print(
            """
            A lock over \(nodes) independent redis-servers: held when \(nodes / 2 + 1) of \(nodes) say so.
            Resource '\(resource)', ttl \(Self.text(ttl)), extended at every third of it.
            Nodes 1 to \(nodes): \(cluster.nodes.map { "127.0.0.1:\($0.port)" }.joined(separator: ", "))

            Each node's vote, 1 to \(nodes):  + granted   - refused   x cannot be reached   . not needed, or not in yet
            """)
    }

    func end() {
        print("\nEverything is released, the servers are stopped, the temporary folder is gone.")
    }

    func scene(_ text: String) {
        print("\n" + Console.styled(text, .strong))
        fflush(nil)
    }

    func note(_ text: String) { line("", String(repeating: " ", count: nodes), text) }

    /// Two inside at once would be the end of it all.
    func enter(_ name: String) {
        let others = state.withLock { state in
            defer { state.inside.append(name) }
            return state.inside
        }
        precondition(others.isEmpty, "\(name) and \(others) hold the lock at the same time")
    }

    func leave(_ name: String) {
        state.withLock { $0.inside.removeAll { $0 == name } }
    }

    func show(_ event: Redlock.Event, of name: String) {
        let left = event.remaining.map { Self.text($0) } ?? ""
        switch event.kind {
        case .acquired: line(name, votes(event), "ACQUIRED, valid for \(left)")
        case .extended: line(name, votes(event), "extended, valid for \(left)")
        case .notExtended:
            if isNew(event, of: name) { line(name, votes(event), "not extended (and tries again), valid for \(left)") }
        case .lost: line(name, votes(event), "LOST, told \(left) ahead: \(event.reason)")
        case .released: line(name, String(repeating: " ", count: nodes), "released")
        case .refused: line(name, votes(event), "REFUSED: \(event.reason)")
        case .retry:
            if isNew(event, of: name) { line(name, votes(event), "tries again and again: \(event.reason)") }
        default: break
        }
        if event.kind == .acquired || event.kind == .refused {
            state.withLock { _ = $0.lastRetry.removeValue(forKey: name) }
        }
    }

    /// The first of its kind in a row: a long wait is not worth a page.
    private func isNew(_ event: Redlock.Event, of name: String) -> Bool {
        state.withLock { $0.lastRetry.updateValue(event.reason, forKey: name) != event.reason }
    }

    static func text(_ duration: Duration) -> String {
        "\(Int((duration / .milliseconds(1)).rounded())) ms"
    }

    private func votes(_ event: Redlock.Event) -> String {
        guard !event.votes.isEmpty else { return String(repeating: " ", count: nodes) }
        return event.votes.map { vote in
            switch vote.kind {
            case .granted: "+"
            case .heldByAnother, .missing: "-"
            case .pending: "."
            default: "x"
            }
        }.joined()
    }

    private func line(_ name: String, _ votes: String, _ text: String) {
        let milliseconds = Int((start.duration(to: .now) / .milliseconds(1)).rounded())
        let seconds = "\(milliseconds / 1_000).\(String(1_000 + milliseconds % 1_000).dropFirst())"
        let columns = String(repeating: " ", count: max(0, 7 - seconds.count)) + seconds + " s"
        let who = name + String(repeating: " ", count: max(0, 5 - name.count))
        print("\(columns)  \(who) \(votes)  \(text)")
        fflush(nil)
    }
}
