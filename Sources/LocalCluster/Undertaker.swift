package import ChildProcesses
internal import Glibc
internal import PosixLock

/// Sees to it that no server and no folder outlives this process, however it ends.
///
/// A small shell waits at the other end of a socket. It is told of each process that starts and ends; when the socket
/// closes, because it was told to or because this process is gone, it kills what is left by process id and removes the
/// folder.
package final class Undertaker: Sendable {
    private static let script = """
        living=' '
        while read -r word id; do
          case $word in
            start) living="$living$id " ;;
            end) case $living in *" $id "*) living="${living%%" $id "*} ${living#*" $id "}" ;; esac ;;
          esac
        done
        for id in $living; do kill -9 "$id"; done
        rm -rf "$1"
        """

    private let socket: Int32
    private let shell: ChildProcess
    private let isDismissed = Locked(false)

    package init(folder: String) throws(ChildProcess.SpawnError) {
        let (childEnd, ownEnd) = try socketPair()
        defer { close(childEnd) }
        shell = try ChildProcess(["/bin/sh", "-c", Self.script, "undertaker", folder], input: childEnd)
        socket = ownEnd
    }

    package func started(_ process: ChildProcess) { tell("start \(process.id)\n") }
    package func ended(_ process: ChildProcess) { tell("end \(process.id)\n") }

    /// Has it do its work, and waits until it is done.
    package func dismiss() {
        let isFirst = isDismissed.withLock { isDismissed in
            defer { isDismissed = true }
            return !isDismissed
        }
        guard isFirst else { return }
        close(socket)
        shell.wait()
    }

    private func tell(_ line: String) {
        _ = unsafe [UInt8](line.utf8).withUnsafeBytes {
            unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }
}
