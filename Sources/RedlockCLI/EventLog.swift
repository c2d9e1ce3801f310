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
            if event.kind != .vote, !isRepetition { Terminal.complain("redlock: \(event)") }
        case .json:
            var object = JSONObject()
            object.add("event", event.kind.rawValue)
            if let resource = event.resource { object.add("resource", resource.description) }
            if let node = event.node { object.add("node", node) }
            if event.attempt > 0 { object.add("attempt", event.attempt) }
            if let remaining = event.remaining { object.add("remaining_us", remaining.microseconds) }
            if !event.reason.isEmpty { object.add("reason", event.reason) }
            if !event.votes.isEmpty { object.add("votes", event.votes.map(\.json)) }
            Terminal.complain(object.text)
        }
    }

    /// What may end the command before its time.
    private func logWarning(_ event: Redlock.Event) {
        switch event.kind {
        case .atRisk:
            let missing = event.votes.filter { $0.kind != .granted }.map(\.description).joined(separator: "; ")
            Terminal.complain("redlock: the lock is at risk: \(event.reason)\(missing.isEmpty ? "" : " [\(missing)]")")
        case .recovered: Terminal.complain("redlock: the lock is at risk no longer")
        default: break
        }
    }

    func commandStarted(_ process: Int32) {
        switch format {
        case .quiet: break
        case .text: Terminal.complain("redlock: command started, process \(process)")
        case .json: log("commandStarted", [("process", Int(process))])
        }
    }

    func commandEnded(exitCode: Int32) {
        switch format {
        case .quiet: break
        case .text: Terminal.complain("redlock: command ended, exit code \(exitCode)")
        case .json: log("commandEnded", [("exit_code", Int(exitCode))])
        }
    }

    /// Why the command did not run to its end. For programs too: it is the last line.
    func failure(_ message: String, code: String) {
        guard format == .json else { return Terminal.complain("redlock: \(message)") }
        var object = JSONObject()
        object.add("event", "failed")
        object.add("code", code)
        object.add("message", message)
        Terminal.complain(object.text)
    }

    private func log(_ event: String, _ numbers: [(String, Int)]) {
        var object = JSONObject()
        object.add("event", event)
        for (name, number) in numbers { object.add(name, number) }
        Terminal.complain(object.text)
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

/// One JSON object, written member by member, in that order.
struct JSONObject {
    private var members: [String] = []

    var text: String { "{" + members.joined(separator: ",") + "}" }

    mutating func add(_ name: String, _ value: String) { members.append("\(Self.quoted(name)):\(Self.quoted(value))") }
    mutating func add(_ name: String, _ value: Int) { members.append("\(Self.quoted(name)):\(value)") }
    /// Rounded to thousandths.
    mutating func add(_ name: String, _ value: Double) {
        members.append("\(Self.quoted(name)):\((value * 1_000).rounded() / 1_000)")
    }
    mutating func add(_ name: String, _ value: JSONObject) { members.append("\(Self.quoted(name)):\(value.text)") }
    mutating func add(_ name: String, _ values: [JSONObject]) {
        members.append("\(Self.quoted(name)):[\(values.map(\.text).joined(separator: ","))]")
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\u{0}"..<"\u{20}", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
