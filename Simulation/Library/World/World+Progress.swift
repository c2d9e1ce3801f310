import RedlockCore

// What ends a run that would not end by itself.

extension World {
    /// After each timer event: an engine that is still due, again and again, does nothing but ask for timers.
    mutating func judgeTimer(of client: Int, at time: Instant) {
        guard clients[client].progress.noteTimer(at: time, nextDeadline: engines[client].nextDeadline) else { return }
        let parts = engines[client].dueParts(at: time).joined(separator: ", ")
        end("client \(client) is due (\(parts)) after \(Limits.idleTimers) timers in a row, at one moment")
    }

    mutating func endForTooManySteps() {
        end("the world used \(Format.grouped(outcome.events)) steps, its limit")
    }

    /// Whatever else was violated: the run must not go on.
    private mutating func end(_ reason: String) {
        let last = recent.words.isEmpty ? "none" : recent.words.joined(separator: "; ")
        violate(.progress, "seed \(schedule.seed): \(reason). The last directives: \(last)")
        isOver = true
    }
}

extension Schedule {
    /// The most events of a run: each worker with each node may use ``stepsPerSecond`` in each second of the run, each
    /// fault ``stepsPerFault``, and every run ``leastSteps`` beside them.
    ///
    /// Sweeps use a tenth of it at most.
    package var stepLimit: Int {
        let seconds = Int(max(endAt, lastFaultEnd) / 1_000_000_000) + 1
        return Self.leastSteps + seconds * max(options.workers, 1) * options.nodes * Self.stepsPerSecond
            + faults.count * Self.stepsPerFault
    }

    /// In events.
    package static let leastSteps = 100_000
    package static let stepsPerSecond = 1_000
    package static let stepsPerFault = 1_000
}

/// The last directives of all clients, oldest first.
struct RecentDirectives: Sendable {
    /// As many are kept.
    static let limit = 8

    private var directives: [(directive: Directive, client: Int, time: Int64)] = []
    /// Where the oldest is, once there are as many as are kept.
    private var oldest = 0

    mutating func add(_ directive: Directive, of client: Int, at time: Int64) {
        guard directives.count == Self.limit else { return directives.append((directive, client, time)) }
        directives[oldest] = (directive, client, time)
        oldest = (oldest + 1) % Self.limit
    }

    var words: [String] {
        (directives[oldest...] + directives[..<oldest]).map {
            "\(Format.seconds($0.time)) client \($0.client): \($0.directive.words)"
        }
    }
}

extension Directive {
    /// In short, for people.
    var words: String {
        func list(_ nodes: NodeSet) -> String { nodes.map { String($0) }.joined(separator: " ") }
        return switch self {
        case .connect(let node, _): "connect node \(node)"
        case .disconnect(let node, _, _): "disconnect node \(node)"
        case .broadcast(let command, let targets, _, _): "\(command.words) to \(list(targets))"
        case .send(let command, let node): "\(command.words) to \(node)"
        case .listen(let node, _): "listen to node \(node)"
        case .stopListening(let node, _): "stop listening to node \(node)"
        case .subscribe(_, let node): "subscribe at node \(node)"
        case .unsubscribe(_, let node): "unsubscribe at node \(node)"
        case .leave(let departures): "\(departures.count) votes are over"
        case .answer(let answer): "answer: \(answer.name)"
        case .report: "report"
        case .closed: "closed"
        }
    }
}

extension Answer {
    fileprivate var name: String {
        switch self {
        case .granted: "granted"
        case .refused: "refused"
        case .extended: "extended"
        case .notExtended: "not extended"
        case .atRisk: "at risk"
        case .recovered: "recovered"
        case .doubted: "doubted"
        case .lost: "lost"
        case .released: "released"
        }
    }
}
