import RedlockCore
import RedlockRedis

/// Something that the lock's user must be allowed to do on a node. docs/operations.md has the same list as the line of
/// an ACL file; a test sees to that.
package struct Right: Hashable, Sendable {
    package enum Need: Hashable, Sendable {
        /// Without it the node is of no use to the lock.
        case vote
        /// Without it the lock goes on, with less.
        case comfort
    }

    /// As an ACL has it.
    package let rule: String
    package let need: Need
    /// What the lock does with it, after "may not".
    package let use: String
    /// What happens where it is missing.
    package let loss: Wording
    /// A command that needs it and changes nothing, on a key that is not there.
    let trial: [String]

    /// A word of a trial that stands for the key, or for its channel.
    private static let key = "KEY"
    private static let channel = "CHANNEL"

    /// All but `+select`, which only a URL with a database needs; it is tried by signing in.
    package static let all = [
        Right("+ping", .comfort, "end signing in", "Each connection leaves a refusal in ACL LOG.", ["PING"]),
        Right(
            "+info", .comfort, "ask what the server is",
            "It cannot be seen whether {it|they} may have forgotten locks: "
                + "a client gives {it|them} no vote for the longest ttl after each connection.",
            ["INFO", "server"]),
        Right(
            "+config|get", .comfort, "ask how often the log is put on the disk",
            "Where a log is kept, {it counts as one that forgets|they count as ones that forget}: "
                + "restarted, {it has|they have} no vote for the longest ttl.",
            NodeFactsReader.questions[3]),
        Right(
            "+time", .comfort, "read the clock",
            "A clock that jumps, and ends locks early, goes unnoticed.", ["TIME"]),
        // With XX it sets nothing.
        Right("+set", .vote, "acquire", failedVote, ["SET", key, "doctor", "XX", "PX", "1"]),
        Right("+get", .vote, "compare a lock's owner", failedVote, ["GET", key]),
        Right("+del", .vote, "release", failedVote, ["DEL", key]),
        Right("+pttl", .vote, "see how long a lock lasts", failedVote, ["PTTL", key]),
        Right("+pexpire", .vote, "extend", failedVote, ["PEXPIRE", key, "1"]),
        Right("+eval", .vote, "send a script that the node does not know", failedVote, ["EVAL", script, "1", key]),
        Right("+evalsha", .vote, "run a script by its digest", failedVote, ["EVALSHA", scriptDigest, "1", key]),
        Right("+publish", .comfort, "tell of a release", byTheClock, ["PUBLISH", channel, "0"]),
        Right("+pubsub|numsub", .comfort, "ask whether others wait", byTheClock, ["PUBSUB", "NUMSUB", channel]),
        // Last: between these two, other commands would be refused.
        Right("+subscribe", .comfort, "hear of a release", byTheClock, ["SUBSCRIBE", channel]),
        Right("+unsubscribe", .comfort, "stop hearing of it", byTheClock, ["UNSUBSCRIBE", channel]),
    ]

    private static let script = "return 0"
    private static let scriptDigest = "06d3d9b2060dd51343d5f19f0e531f15c507e3d1"
    private static let failedVote: Wording =
        "{It cannot take its|They cannot take their} full part in a lock: what is refused counts as a vote "
        + "that failed."
    private static let byTheClock: Wording =
        "Waiters are not woken by a release; they go by the clock, once a second or so."

    private init(_ rule: String, _ need: Need, _ use: String, _ loss: Wording, _ trial: [String]) {
        self.rule = rule
        self.need = need
        self.use = use
        self.loss = loss
        self.trial = trial
    }

    /// The command that tries it on a key.
    func trial(on key: [UInt8]) -> [[UInt8]] {
        trial.map { word in
            switch word {
            case Self.key: key
            case Self.channel: Channel.name(of: key)
            default: [UInt8](word.utf8)
            }
        }
    }
}

/// What a node said to the trial of a right.
package enum RightVerdict: Hashable, Sendable {
    case granted
    /// The user may not run the command, or the server does not have it.
    case missing(String)
    /// The user may run the command, but not on this key or channel.
    case otherNames(String)

    /// Whatever is no refusal came after the check of the rights.
    init(_ reply: Reply) {
        guard case .error(let text) = reply else {
            self = .granted
            return
        }
        if text.hasPrefix("NOPERM") {
            // Redis 6 and 7.0: "… to access one of the keys used as arguments". Later: "No permissions to access a
            // key".
            self = text.contains("to access") ? .otherNames(text) : .missing(text)
        } else {
            self = text.hasPrefix("ERR unknown command") ? .missing(text) : .granted
        }
    }
}
