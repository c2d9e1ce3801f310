import RedlockCore
import RedlockRedis

extension NodeFindings {
    private static let noVote: Wording = "{It has|They have} no vote."

    /// Why a node cannot be asked.
    package static func unreachable(_ failure: ProbeFailure, _ expected: Expectations) -> Finding {
        func finding(_ code: Finding.Code, _ seen: Wording, _ change: Wording, _ risk: Wording = noVote) -> Finding {
            Finding(.problem, code, seen: seen, risk: risk, change: change, costsVote: true)
        }
        let time = expected.timeout.words
        switch failure {
        case .connection(.name(let text)):
            return finding(
                .nameUnknown, "{its name|their names} cannot be looked up (\(text))",
                "Correct the {name|names}, or the DNS.")
        case .lookUpTimedOut:
            return finding(
                .nameUnknown, "{its name was|their names were} not looked up within \(time)", "See to the DNS.")
        case .connection(.refused):
            return finding(
                .refused, "{it refuses|they refuse} the connection",
                "See that the {server runs, and that it listens|servers run, and that they listen} on "
                    + "{this address and port|these addresses and ports} (`bind`, `port`).")
        case .connection(.unreachable(let text)), .connection(.noDescriptor(let text)):
            return finding(
                .unreachable, "{it|they} cannot be reached (\(text))",
                "See to the network, or to the path.")
        case .connection(.connectTimedOut):
            return finding(
                .timedOut, "no connection came about within \(time)",
                "See that {its machine runs|their machines run}, and that no firewall drops the packets.")
        case .connection(.answerTimedOut):
            return finding(
                .hung, "{it takes|they take} connections and {leaves|leave} questions unanswered for \(time)",
                "See whether the {process is|processes are} stopped, or busy with one long command (SLOWLOG GET).",
                "{It has|They have} no vote. What "
                    + "{it was sent, it may still do when it wakes|they were sent, they may still do when they wake}."
            )
        case .connection(.ended(let text)):
            return finding(
                .connectionLost, "the connection ended before {it|they} had answered (\(text))",
                "See {its log|their logs}.")
        case .connection(.notRedis(let text)):
            return finding(
                .notRedis, "what answers there does not speak as Redis does (\(text))",
                "Correct the address. TLS is not spoken here: use a tunnel.")
        case .turnedAway(let text):
            return finding(
                .turnedAway, "{it turns|they turn} this client away (\(text))",
                "For protected mode, `user default off` beside users with passwords; for too many clients, "
                    + "raise `maxclients`."
            )
        case .signIn(let text):
            return finding(
                .signIn, "{it does|they do} not let us sign in (\(text))",
                "Correct user and password in the URL, redis://user:password@host, or on the {node|nodes} "
                    + "(ACL SETUSER)."
            )
        case .database(let text):
            return finding(
                .database, "the database of {its URL|their URLs} cannot be selected (\(text))",
                "Leave the database out of the URL, or raise `databases`, or grant +select.")
        }
    }
}
