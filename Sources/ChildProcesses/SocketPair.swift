internal import Glibc

/// Two ends of a way to a child and back.
///
/// Not a pipe: a socket is closed on exec from the start, so no child but the one that is given an end keeps it open.
package func socketPair() throws(ChildProcess.SpawnError) -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
        throw ChildProcess.SpawnError(program: [UInt8]("a socket".utf8), number: errno)
    }
    return (ends[0], ends[1])
}
