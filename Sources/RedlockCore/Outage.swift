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
}
