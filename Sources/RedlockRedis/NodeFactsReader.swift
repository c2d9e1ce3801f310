internal import PrintableText
package import RedlockCore

/// Makes ``NodeFacts`` of what a server answers to the questions of a greeting.
///
/// Nothing is taken on trust but the meaning of the words: what is missing, said twice, or no possible value makes the
/// greeting malformed, and says what was wrong.
package enum NodeFactsReader {
    /// What is asked, each a command. Redis before 7.0 takes one section of INFO at a time; the pattern finds
    /// `appendfsync` and `no-appendfsync-on-rewrite` in all versions.
    package static let questions = [
        ["INFO", "server"], ["INFO", "persistence"], ["INFO", "replication"], ["CONFIG", "GET", "*appendfsync*"],
    ]

    /// What an engine needs to ask a connected server again.
    package static let looks = Parameters.Looks(replies: questions.count) { answers in try? greeting(answers) }

    /// Bytes of a run id. Redis' own has 40.
    private static let runIDBytes = 1...128

    private struct Malformed: Error {
        let reason: String
    }

    /// The server cannot tell yet, nor serve: it is to be asked again.
    package struct NotReady: Error, Hashable {
        package enum Cause: Hashable, Sendable {
            /// It reads its data into memory.
            case loading
            /// A script has run for so long that the server answers nothing else.
            case script
            /// What stands before it, or the server itself, has trouble that may pass.
            case other
        }

        package let cause: Cause
        package let reason: String
    }

    /// - Parameter answers: To ``questions``, in their order.
    package static func greeting(_ answers: [Reply]) throws(NotReady) -> Greeting {
        guard answers.count == questions.count else { return .malformed("\(answers.count) answers") }
        if case .text(let text) = answers[0], InfoText(text).mode == "sentinel" { return .sentinel }
        for (question, answer) in zip(questions, answers).prefix(3) {
            if case .error(let text) = answer {
                let words = "\(question[0]): \(text)"
                if let cause = passing(text) { throw NotReady(cause: cause, reason: words) }
                return .unknown(words)
            }
        }
        // While Redis reads its log it says that it keeps none.
        if case .text(let text) = answers[1], InfoText(text)["loading"] == "1" {
            throw NotReady(cause: .loading, reason: "it is loading its data")
        }
        do throws(Malformed) {
            let server = try fields(of: answers[0])
            let persistence = try fields(of: answers[1])
            let replication = try fields(of: answers[2])
            return .server(
                NodeFacts(
                    runID: try runID(server), uptime: try uptime(server),
                    durability: try durability(persistence, answers[3]), isReplica: try isReplica(replication),
                    lineage: lineage(replication)))
        } catch {
            return .malformed(error.reason)
        }
    }
}

extension NodeFactsReader {
    /// Why an error will pass; nil when it is for good: an ACL, a command that was taken out, a proxy that has none.
    ///
    /// Proxies word theirs as they like, so only what sounds like trouble is taken for it. What passes is asked again,
    /// because the answer may show a restart; what is for good is not, or the node would never vote.
    private static func passing(_ error: String) -> NotReady.Cause? {
        switch error.prefix(while: { $0 != " " }) {
        case "LOADING": return .loading
        case "BUSY": return .script
        case "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN": return .other
        case "NOPERM", "NOAUTH": return nil
        default: break
        }
        let words = error.lowercased()
        let isTrouble = trouble.contains { words.contains($0) }
        return isTrouble ? .other : nil
    }

    private static let trouble = [
        "no upstream", "upstream failure", "upstream connection", "timeout", "timed out", "connection refused",
        "connection reset", "try again", "overload",
    ]
}

// MARK: - INFO

extension NodeFactsReader {
    /// The fields of one section.
    private static func fields(of answer: Reply) throws(Malformed) -> InfoText {
        guard case .text(let text) = answer else { throw Malformed(reason: "INFO was answered with no text") }
        let fields = InfoText(text)
        if let name = fields.repeated { throw Malformed(reason: "INFO says \(quoted(name)) twice") }
        return fields
    }

    private static func value(_ name: String, _ fields: InfoText) throws(Malformed) -> Substring {
        guard let value = fields[name] else { throw Malformed(reason: "INFO lacks \(name)") }
        return value
    }

    private static func runID(_ fields: InfoText) throws(Malformed) -> String {
        let text = try value("run_id", fields)
        guard runIDBytes.contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw Malformed(reason: "INFO says run_id is \(quoted(text))")
        }
        return String(text)
    }

    /// Less than zero when the server's clock was set back since it was started. More than a million days is no uptime.
    private static func uptime(_ fields: InfoText) throws(Malformed) -> Nanoseconds {
        let text = try value("uptime_in_seconds", fields)
        guard let seconds = Int64(text), (-86_400_000_000...86_400_000_000).contains(seconds) else {
            throw Malformed(reason: "INFO says uptime_in_seconds is \(quoted(text))")
        }
        let longest = Limits.longestUptime.count / 1_000_000_000
        return .seconds(min(max(seconds, -longest), longest))
    }

    private static func isReplica(_ fields: InfoText) throws(Malformed) -> Bool {
        let role = try value("role", fields)
        switch role {
        case "master": return false
        case "slave", "replica": return true
        default: throw Malformed(reason: "INFO says role is \(quoted(role))")
        }
    }

    /// Redis before 4.0 and some servers like it have none.
    private static func lineage(_ fields: InfoText) -> NodeFacts.Lineage? {
        guard let present = fields["master_replid"], let earlier = fields["master_replid2"] else { return nil }
        let hasEarlier = !earlier.allSatisfy { $0 == "0" }
        return NodeFacts.Lineage(present: String(present), beforePromotion: hasEarlier ? String(earlier) : nil)
    }

    /// For an error.
    private static func quoted(_ text: Substring) -> String { "'\(text.prefix(40).printable)'" }
}

// MARK: - Durability

extension NodeFactsReader {
    /// INFO says whether a log is kept; how often it is written is known to CONFIG alone.
    ///
    /// With `no-appendfsync-on-rewrite`, "always" is not always: nothing is synced while a child of the server writes.
    ///
    /// A log that is switched on at run time counts only when its first rewrite is done: a crash before that loses all
    /// that was written meanwhile. Servers do not tell the first rewrite from later ones, so none of them counts.
    private static func durability(
        _ fields: InfoText, _ settings: Reply
    ) throws(Malformed) -> NodeFacts.Durability {
        let isEnabled = try value("aof_enabled", fields)
        guard isEnabled == "1" else {
            guard isEnabled == "0" else { throw Malformed(reason: "INFO says aof_enabled is \(quoted(isEnabled))") }
            return .no
        }
        guard try value("aof_last_write_status", fields) == "ok" else { return .no }
        guard fields["aof_rewrite_in_progress"] == "0", fields["aof_rewrite_scheduled"] == "0",
            fields["aof_last_bgrewrite_status"] == "ok"
        else { return .no }
        switch settings {
        case .error(let text):
            return .unknown("CONFIG GET appendfsync: \(text)")
        case .list(let words):
            guard let policy = setting("appendfsync", words),
                let exception = setting("no-appendfsync-on-rewrite", words)
            else { return .unknown("CONFIG GET does not tell appendfsync and no-appendfsync-on-rewrite") }
            return policy == "always" && exception == "no" ? .everyWrite : .no
        default:
            return .unknown("CONFIG GET was answered with no list")
        }
    }

    /// What CONFIG GET answered: names and values, by turns.
    package static func setting(_ name: String, _ words: [Reply]) -> String? {
        var index = 0
        while index + 1 < words.count {
            if words[index] == .text(name), case .text(let value) = words[index + 1] { return value }
            index += 2
        }
        return nil
    }
}

// MARK: - Turned away

extension Reply {
    /// Said to every client in this place, whatever it asks, before the connection is closed: protected mode, too many
    /// clients.
    package var turnsAway: Bool {
        guard case .error(let text) = self else { return false }
        return text.hasPrefix("DENIED") || text.hasPrefix("ERR max number of clients")
    }
}
