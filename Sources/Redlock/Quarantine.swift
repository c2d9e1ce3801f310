internal import RedlockCore

extension Redlock.Configuration {
    /// For how long a node casts no votes that may have forgotten locks; see ``quarantine``.
    public struct Quarantine: Hashable, Sendable {
        /// Nil for the longest ttl.
        let length: Duration?

        /// The upper bound of ``ttlLimits``. Safe if no client of these nodes has a higher one.
        public static let longestTTL = Quarantine(length: nil)

        /// Every node votes at once. A node that restarts without its data grants then what another still holds. For
        /// nodes that something else keeps away for long enough, and for tests.
        public static let off = Quarantine(length: .zero)

        /// So long: at least the upper bound of ``ttlLimits``, for other clients of these nodes may have a higher one;
        /// at most 24 hours.
        public static func lasting(_ length: Duration) -> Quarantine { Quarantine(length: length) }
    }
}

extension Quarantine {
    /// Why, in words.
    func words(at now: Instant) -> String {
        let seconds = max(now - since, .zero).secondsRoundedUp
        return switch reason {
        case .started: "it was started \(seconds) s ago and may have forgotten locks"
        case .replaced: "another server has its address since \(seconds) s and may not know of locks"
        case .malformed(let what), .unknown(let what):
            "it does not say what it is (\(what)) and may have forgotten locks"
        case .clockJumped(let gain):
            "its clock gained \(gain.millisecondsRoundedUp) ms on ours, so locks on it may have ended early"
        case .clockSetBack:
            "its clock was set back since the server was started, so locks on it may have ended early before"
        case .keyGone(let early):
            "a lock of this process was gone \(early.millisecondsRoundedUp) ms before its time, on this node and not on "
                + "others: the node's clock jumped, or the node lost or deleted the key; it may have lost other locks too"
        }
    }
}
