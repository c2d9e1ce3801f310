import RedlockCore
import RedlockRedis

extension NodeFindings {
    private static let noVote = "It has no vote."

    /// Why a node cannot be asked.
    package static func unreachable(_ failure: ProbeFailure, _ expected: Expectations) -> Finding {
        func finding(_ code: Finding.Code, _ seen: String, _ change: String, _ risk: String = noVote) -> Finding {
            Finding(.problem, code, seen: seen, risk: risk, change: change, costsVote: true)
        }
        let time = expected.timeout.words
        switch failure {
        case .connection(.name(let text)):
            return finding(.nameUnknown, "its name cannot be looked up (\(text))", "Correct the name, or the DNS.")
        case .lookUpTimedOut:
            return finding(.nameUnknown, "its name was not looked up within \(time)", "See to the DNS.")
        case .connection(.refused):
            return finding(
                .refused, "it refuses the connection",
                "See that the server runs, and that it listens on this address and port (`bind`, `port`).")
        case .connection(.unreachable(let text)):
            return finding(.unreachable, "it cannot be reached (\(text))", "See to the network, or to the path.")
        case .connection(.connectTimedOut):
            return finding(
                .timedOut, "no connection came about within \(time)",
                "See that its machine runs, and that no firewall drops the packets.")
        case .connection(.answerTimedOut):
            return finding(
                .hung, "it takes connections and leaves questions unanswered for \(time)",
                "See whether the process is stopped, or busy with one long command (SLOWLOG GET).",
                "It has no vote. What it was sent, it may still do when it wakes.")
        case .connection(.ended(let text)):
            return finding(.connectionLost, "the connection ended before it had answered (\(text))", "See its log.")
        case .connection(.notRedis(let text)):
            return finding(
                .notRedis, "what answers there does not speak as Redis does (\(text))",
                "Correct the address. TLS is not spoken here: use a tunnel.")
        case .turnedAway(let text):
            return finding(
                .turnedAway, "it turns this client away (\(text))",
                "For protected mode, `user default off` beside users with passwords; for too many clients, raise `maxclients`."
            )
        case .signIn(let text):
            return finding(
                .signIn, "it does not let us sign in (\(text))",
                "Correct user and password in the URL, redis://user:password@host, or on the node (ACL SETUSER).")
        case .database(let text):
            return finding(
                .database, "the database of its URL cannot be selected (\(text))",
                "Leave the database out of the URL, or raise `databases`, or grant +select.")
        }
    }
}
