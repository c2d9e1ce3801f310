import LocalCluster
import PosixLock
import Redlock
import TestSupport
import Testing

/// Servers of its own for a test, started and waited for off the threads that tasks share.
func startCluster(
    nodes: Int = 5, persistence: LocalNode.Persistence = .everyWrite, options: [String] = []
) async throws -> LocalCluster {
    try await onOwnThread { try LocalCluster(nodes: nodes, persistence: persistence, options: options) }
}

/// Waits until a condition on the outside world holds, which sends no event when it does; a minute at most.
func eventually(
    _ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: @Sendable () -> Bool
) async {
    let deadline = ContinuousClock.now.advanced(by: .seconds(60))
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record(comment, sourceLocation: sourceLocation)
            return
        }
        try? await Task.sleep(for: .milliseconds(5))
    }
}

/// Records the events of a coordinator, and lets a test wait for one.
final class EventRecorder: Sendable {
    private struct State {
        var events: [Redlock.Event] = []
        var waiting: [(condition: @Sendable (Redlock.Event) -> Bool, continuation: CheckedContinuation<Void, Never>)] =
            []
    }

    private let state = Locked(State())

    var events: [Redlock.Event] { state.withLock { $0.events } }

    func record(_ event: Redlock.Event) {
        let ready = state.withLock { state in
            state.events.append(event)
            let ready = state.waiting.filter { $0.condition(event) }
            state.waiting.removeAll { $0.condition(event) }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Returns once such an event has happened; at once if it has already.
    func wait(for condition: @escaping @Sendable (Redlock.Event) -> Bool) async {
        await withCheckedContinuation { continuation in
            let hasHappened = state.withLock { state in
                if state.events.contains(where: condition) { return true }
                state.waiting.append((condition, continuation))
                return false
            }
            if hasHappened { continuation.resume() }
        }
    }

    func wait(for kind: Redlock.Event.Kind) async {
        await wait { $0.kind == kind }
    }

    func nodesConnected(_ count: Int) async {
        let seen = Locked<Set<String>>([])
        await wait { event in
            guard event.kind == .nodeConnected, let node = event.node else { return false }
            return seen.withLock { seen in
                seen.insert(node)
                return seen.count == count
            }
        }
    }
}

extension Redlock {
    /// Where no node is at fault, a machine that is busy with other tests must not make it look so.
    private static var patience: Duration { .seconds(10) }

    /// With the defaults, for servers that were just started.
    static func trusting(_ nodes: [String]) throws -> Redlock {
        var configuration = Configuration()
        configuration.trustsDurableNodes = true
        return try Redlock(nodes: nodes, configuration: configuration)
    }

    static func patient(_ nodes: [String]) throws -> Redlock {
        var configuration = Configuration()
        configuration.nodeTimeout = patience
        configuration.trustsDurableNodes = true
        return try Redlock(nodes: nodes, configuration: configuration)
    }

    /// A coordinator for tests, with what it reports.
    static func observed(
        _ nodes: [String], _ adjust: (inout Configuration) -> Void = { _ in }
    ) throws -> (redlock: Redlock, events: EventRecorder) {
        let events = EventRecorder()
        var configuration = Configuration()
        configuration.observer = { events.record($0) }
        configuration.nodeTimeout = patience
        // Each test has servers of its own, which were just started.
        configuration.trustsDurableNodes = true
        // However slow the machine is, no quarantine ends while a test looks at it.
        configuration.ttlLimits = .milliseconds(10) ... .seconds(86_400)
        adjust(&configuration)
        return (try Redlock(nodes: nodes, configuration: configuration), events)
    }
}

extension LocalCluster {
    /// What each node holds under a key; nil where there is nothing, or nobody to answer.
    func values(of key: String) -> [String?] {
        nodes.map { node in
            guard case .string(let value) = node.command("GET", key) else { return nil }
            return value
        }
    }

    func hasKey(_ key: String) -> Bool {
        values(of: key).contains { $0 != nil }
    }
}
