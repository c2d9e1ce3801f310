/// Why a node has no connection, as far as it asks for another remedy.
///
/// An outage is told of once, and again when it becomes one of another kind: a node that is down is tried every second,
/// for days perhaps, and the texts of the failures differ while nothing changes (closed, reset, refused, no route).
package enum Outage: Hashable, Sendable {
    /// Nobody is there: no address, refused, lost, silent.
    case unreachable
    /// It answers, and does not let this client in: the password, the database, a protocol that is not Redis'.
    case turnedAway
    /// It answers, and says that it cannot serve yet.
    case notReady
}
