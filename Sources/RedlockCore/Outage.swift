/// Why a node has no connection, as far as it asks for another remedy.
///
/// An outage is told of once, and again when it becomes one of another kind: a node that is down is tried every second,
/// for days perhaps, and the texts of the failures differ while nothing changes (closed, reset, refused, no route).
package enum Outage: Hashable, Sendable {
    /// Nobody is there: no address, refused, lost, silent.
    case unreachable
    /// It answers, and gives this client no locks: the password, the database, too many clients, a protocol that is not
    /// Redis'; or it is a replica or a Sentinel.
    case turnedAway
    /// It answers, and says that it cannot serve yet.
    case notReady
    /// The machine is there, and no process has the port. Reported as ``unreachable``.
    case refused
    /// The server reads its data, and serves nobody before that is done. Reported as ``notReady``.
    case loading

    /// The kind that is reported.
    var reported: Outage {
        switch self {
        case .unreachable, .refused: .unreachable
        case .notReady, .loading: .notReady
        case .turnedAway: .turnedAway
        }
    }

    /// Nobody was served at that moment.
    var servesNobody: Bool { self == .refused || self == .loading }
}
