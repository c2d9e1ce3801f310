/// One node's subscription connection: opened when somebody waits, closed when nobody has for a while.
///
/// It only ever hastens attempts. Nothing waits for it, and its loss costs time.
struct Listener: Sendable {
    enum Phase: Hashable, Sendable {
        /// Nobody waits, or the node's other connection is down. Can become connecting.
        case idle
        /// Can become ready, backing off, or idle.
        case connecting(ConnectionID, deadline: Instant)
        /// Can become backing off, or idle.
        case ready(ConnectionID)
        /// Can become connecting, or idle.
        case backingOff(until: Instant)
    }

    private(set) var phase = Phase.idle
    /// Lines whose subscription is not answered yet, oldest first.
    private var unanswered = Deque<ContentionID>()
    /// The node refused a subscription on this connection: it is asked for no more.
    private(set) var isDenied = false
    private var failures = 0
    private var connectedAt = Instant(nanoseconds: 0)

    var connection: ConnectionID? {
        switch phase {
        case .connecting(let connection, _), .ready(let connection): connection
        case .idle, .backingOff: nil
        }
    }

    var isReady: Bool { if case .ready = phase { true } else { false } }

    /// When it next wants ``onTimer(at:)``.
    var deadline: Instant {
        switch phase {
        case .connecting(_, let deadline): deadline
        case .backingOff(let until): until
        case .idle, .ready: .distantFuture
        }
    }
}

extension Listener {
    enum TimerStep: Hashable, Sendable {
        case connect
        /// It could not be made in time: close it.
        case giveUp(ConnectionID)
    }

    func onTimer(at now: Instant) -> TimerStep? {
        switch phase {
        case .connecting(let connection, let deadline) where deadline <= now: .giveUp(connection)
        case .backingOff(let until) where until <= now: .connect
        case .idle, .connecting, .ready, .backingOff: nil
        }
    }

    mutating func connect(_ connection: ConnectionID, at now: Instant, _ policy: Policy) {
        phase = .connecting(connection, deadline: now + policy.parameters.connectTimeout)
    }

    /// False when it is not the connection that was waited for.
    mutating func connected(_ connection: ConnectionID, at now: Instant) -> Bool {
        guard case .connecting(connection, _) = phase else { return false }
        phase = .ready(connection)
        connectedAt = now
        isDenied = false
        return true
    }

    mutating func subscribes(to line: ContentionID) { unanswered.append(line) }

    /// The oldest subscription was confirmed.
    mutating func answered() -> ContentionID? { unanswered.popFirst() }

    mutating func refused() -> ContentionID? {
        isDenied = true
        return answered()
    }

    /// The connection ended, or was never made.
    mutating func disconnected(at now: Instant, using generator: inout any RandomNumberGenerator) {
        unanswered = Deque()
        forgetFailures(at: now)
        phase = .backingOff(until: now + Limits.reconnectDelay(after: failures, dice: generator.next()))
        failures += 1
    }

    mutating func close(at now: Instant) {
        unanswered = Deque()
        forgetFailures(at: now)
        phase = .idle
    }

    /// To be called while the connection that ends is still known.
    private mutating func forgetFailures(at now: Instant) {
        if isReady, Limits.isProven(connectedAt: connectedAt, at: now) { failures = 0 }
    }
}
