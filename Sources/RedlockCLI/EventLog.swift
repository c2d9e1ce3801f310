import CommandSupport
import Redlock

/// Events as lines on standard error, for people or for programs.
struct EventLog: Sendable {
    enum Format: Sendable {
        /// Only what a person has to know.
        case quiet
        case text
        case json
    }

    let format: Format

    func log(_ event: Redlock.Event) {
        switch format {
        case .quiet:
            logWarning(event)
        case .text:
            // Every vote, and every try of a long wait, would drown the rest.
            let isRepetition = event.attempt > 1 && (event.kind == .attempt || event.kind == .retry)
            if event.kind != .vote, !isRepetition { Console.complain("redlock: \(event)") }
        case .json:
            var object = JSONObject(event: event.kind.rawValue)
            if let resource = event.resource { object.add("resource", resource.description) }
            if let node = event.node { object.add("node", node) }
            if event.attempt > 0 { object.add("attempt", event.attempt) }
            if let token = event.fencingToken { object.add("fencing_token", Int(token)) }
            if let remaining = event.remaining { object.add("remaining_us", remaining.microseconds) }
            if !event.reason.isEmpty { object.add("reason", event.reason) }
            if !event.votes.isEmpty { object.add("votes", event.votes.map(\.json)) }
            Console.complain(object.text)
        }
    }

    /// What may end the command before its time.
    private func logWarning(_ event: Redlock.Event) {
        switch event.kind {
        case .atRisk:
            let missing = event.votes.filter { $0.kind != .granted }.map(\.description).joined(separator: "; ")
            Console.complain("redlock: the lock is at risk: \(event.reason)\(missing.isEmpty ? "" : " [\(missing)]")")
        case .recovered: Console.complain("redlock: the lock is at risk no longer")
        default: break
        }
    }

    func commandStarted(_ process: Int32) {
        switch format {
        case .quiet: break
        case .text: Console.complain("redlock: command started, process \(process)")
        case .json: log("commandStarted", [("process", Int(process))])
        }
    }

    func commandEnded(exitCode: Int32) {
        switch format {
        case .quiet: break
        case .text: Console.complain("redlock: command ended, exit code \(exitCode)")
        case .json: log("commandEnded", [("exit_code", Int(exitCode))])
        }
    }

    /// Why the command did not run to its end, and what to do next. For programs too: it is the last line.
    func failure(_ message: String, code: String, hint: String = "") {
        guard format == .json else {
            Console.complain("\(Console.styled("redlock:", .bad, on: .errors)) \(message)")
            if !hint.isEmpty { Console.complain("  \(hint)") }
            return
        }
        var object = JSONObject(event: "failed")
        object.add("code", code)
        object.add("message", message)
        if !hint.isEmpty { object.add("hint", hint) }
        Console.complain(object.text)
    }

    private func log(_ event: String, _ numbers: [(String, Int)]) {
        var object = JSONObject(event: event)
        for (name, number) in numbers { object.add(name, number) }
        Console.complain(object.text)
    }
}

extension NodeVote {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object.add("node", node)
        object.add("vote", kind.rawValue)
        if !detail.isEmpty { object.add("detail", detail) }
        return object
    }
}

extension Duration {
    fileprivate var microseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
    }
}
