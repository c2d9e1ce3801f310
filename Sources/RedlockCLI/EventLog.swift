import CommandSupport
import PosixLock
import Redlock

/// Events as lines on standard error, for people or for programs.
struct EventLog: Sendable {
    enum Format: Sendable {
        /// Only what a person has to know.
        case quiet
        case text
        case json
    }

    /// How long a wait lasts before a line on a terminal says, once, what it waits for.
    private static let patience = Duration.seconds(3)

    private struct Wait {
        var isOver = false
        /// The `redlock run` above this process that holds the lock, until that was printed.
        var parent: HeldLocks.Holder?
        /// The last attempt that failed.
        var lastRetry: Redlock.Event?
    }

    let format: Format
    private let wait = Locked(Wait())

    init(format: Format) {
        self.format = format
    }

    /// Called on a thread that serves the lock: it must not wait for anything.
    func log(_ event: Redlock.Event) {
        if event.kind == .retry { noteRetry(event) }
        switch format {
        case .quiet:
            logWarning(event)
        case .text:
            // Every vote, and every try of a long wait, would drown the rest.
            let isRepetition = event.attempt > 1 && (event.kind == .attempt || event.kind == .retry)
            if event.kind != .vote, !isRepetition { Console.complain("redlock: \(Self.words("\(event)"))") }
        case .json:
            var object = JSONObject(event: event.kind.rawValue)
            if let resource = event.resource { object.add("resource", resource.description) }
            if let node = event.node { object.add("node", node) }
            if event.attempt > 0 { object.add("attempt", event.attempt) }
            if let token = event.fencingToken { object.add("fencing_token", Int(token)) }
            if let remaining = event.remaining { object.add("remaining_us", remaining.microseconds) }
            if let pause = event.pause { object.add("pause_us", pause.microseconds) }
            if !event.reason.isEmpty { object.add("reason", Self.words(event.reason)) }
            if !event.votes.isEmpty { object.add("votes", event.votes.map(\.json)) }
            Console.complain(object.text)
        }
    }

    /// What may end the command before its time.
    private func logWarning(_ event: Redlock.Event) {
        switch event.kind {
        case .atRisk:
            Console.complain("redlock: the lock is at risk: \(event.reason)\(Self.failures(event))")
        case .recovered: Console.complain("redlock: the lock is at risk no longer")
        case .sameServer:
            // A mistake in the list of nodes: the set bears fewer failures than it seems to.
            if let node = event.node { Console.complain("redlock: \(node): \(event.reason)") }
        case .noProgress: Console.complain("redlock: \(event.reason)")
        default: break
        }
    }

    /// A text of the library in the command's own words: what is a setting there is an option here.
    static func words(_ text: String) -> String {
        let settings = [
            "Configuration.maximumHold": "--max-hold", "Configuration.ttlLimits": "--max-ttl",
            "Configuration.clockGuard": "docs/algorithm.md",
        ]
        return settings.reduce(text) { text, setting in
            guard let range = text.firstRange(of: setting.key) else { return text }
            return text[..<range.lowerBound] + setting.value + text[range.upperBound...]
        }
    }

    /// The votes that were no grants, in brackets; empty where there are none.
    private static func failures(_ event: Redlock.Event) -> String {
        let failures = event.votes.filter { $0.kind != .granted }.map(\.description).joined(separator: "; ")
        return failures.isEmpty ? "" : " [\(failures)]"
    }

    private func log(_ event: String, _ members: (inout JSONObject) -> Void) {
        var object = JSONObject(event: event)
        members(&object)
        Console.complain(object.text)
    }
}

// MARK: - The command's own events

extension EventLog {
    /// The first line: what was understood.
    func started(_ redlock: Redlock) {
        switch format {
        case .quiet: break
        case .text:
            let nodes = redlock.nodes.count == 1 ? "1 node" : "\(redlock.nodes.count) nodes"
            Console.complain("redlock: \(nodes), quorum \(redlock.quorum): \(redlock.nodes.joined(separator: ", "))")
        case .json:
            log("started") {
                $0.add("nodes", redlock.nodes)
                $0.add("quorum", redlock.quorum)
            }
        }
    }

    /// Called before anything is asked.
    ///
    /// - Parameter parent: The `redlock run` above this process that says that it holds it.
    @MainThread
    func beginWait(for resource: Resource, heldByParent parent: HeldLocks.Holder?) {
        wait.withLock { $0.parent = parent }
        guard format != .json, parent == nil, Console.errorsAreWatched else { return }
        MainThread.start {
            await MainThread.sleep(until: ContinuousClock.now + Self.patience)
            let wait = self.wait.withLock { $0 }
            guard !wait.isOver else { return }
            let reason = wait.lastRetry.map { "\($0.reason)\(Self.failures($0))" } ?? "no quorum of nodes has answered"
            Console.complain("redlock: waiting for '\(resource)': \(reason)")
        }
    }

    private func noteRetry(_ event: Redlock.Event) {
        let parent = wait.withLock { wait in
            wait.lastRetry = event
            let isHeld = event.votes.contains { $0.kind == .heldByAnother }
            return isHeld ? wait.parent.take() : nil
        }
        if let parent, let resource = event.resource {
            warning("waiting for '\(resource)': \(parent.hint)", "heldByParent")
        }
    }

    func endWait() {
        wait.withLock { $0.isOver = true }
    }

    func commandStarted(_ process: Int32) {
        switch format {
        case .quiet: break
        case .text: Console.complain("redlock: command started, process \(process)")
        case .json: log("commandStarted") { $0.add("process", Int(process)) }
        }
    }

    func commandEnded(exitCode: Int32) {
        switch format {
        case .quiet: break
        case .text: Console.complain("redlock: command ended, exit code \(exitCode)")
        case .json: log("commandEnded") { $0.add("exit_code", Int(exitCode)) }
        }
    }

    /// What must be known at once, in all formats.
    func warning(_ message: String, _ event: String) {
        guard format == .json else {
            return Console.complain("\(Console.styled("redlock:", .warning, on: .errors)) \(message)")
        }
        log(event) { $0.add("message", message) }
    }

    /// Why the command did not run to its end, and what to do next. For programs too: it is the last line.
    func failure(_ message: String, code: String, hint: String = "") {
        guard format == .json else {
            let line = "\(Console.styled("redlock:", .bad, on: .errors)) \(message)"
            return Console.complain(hint.isEmpty ? line : "\(line)\n  \(hint)", isLast: true)
        }
        var object = JSONObject(event: "failed")
        object.add("code", code)
        object.add("message", message)
        if !hint.isEmpty { object.add("hint", hint) }
        Console.complain(object.text, isLast: true)
    }

    /// The line that stands for lines that nobody read in time.
    func droppedLine(_ count: Int) -> String {
        guard format == .json else {
            return "redlock: \(count) \(count == 1 ? "line was" : "lines were") left out: standard error was not read"
        }
        var object = JSONObject(event: "linesDropped")
        object.add("count", count)
        return object.text
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
