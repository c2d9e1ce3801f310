/// What a report draws: bars, spans and points, taken out of a trace.
struct Picture {
    private let schedule: Schedule
    private let outcome: Outcome
    private let trace: [TraceRecord]
    /// The part of the run that is shown, in nanoseconds.
    private let window: ClosedRange<Int64>
    private let ownerClients: [Int]
    /// Those of the window.
    private let bars: [Bar]

    init(_ schedule: Schedule, _ outcome: Outcome, _ trace: [TraceRecord]) {
        self.schedule = schedule
        self.outcome = outcome
        var owners: [Int] = []
        for record in trace where record.kind == .attempt {
            while owners.count <= Int(record.attempt) { owners.append(-1) }
            owners[Int(record.attempt)] = record.client
        }
        ownerClients = owners
        let sorted = trace.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(
            \.element)
        let window = Self.window(schedule, outcome, sorted)
        self.window = window
        self.trace = sorted
        bars = Self.bars(schedule, outcome, sorted).filter {
            $0.to >= window.lowerBound && $0.from <= window.upperBound
        }
    }

    /// All of it, or so many events round the violation as a page can show.
    private static func window(_ schedule: Schedule, _ outcome: Outcome, _ trace: [TraceRecord]) -> ClosedRange<Int64> {
        guard trace.count > HTMLReport.maximumEvents else { return 0...max(outcome.duration, 1) }
        let moment = outcome.worst?.at ?? trace[trace.count / 2].at
        let middle = trace.firstIndex { $0.at >= moment } ?? trace.count - 1
        let first = max(0, min(middle - HTMLReport.maximumEvents * 3 / 4, trace.count - HTMLReport.maximumEvents))
        let last = min(trace.count - 1, first + HTMLReport.maximumEvents - 1)
        return trace[first].at...max(trace[last].at, trace[first].at + 1)
    }

    // MARK: The story

    /// What a person must know to understand the failure: the last faults and answers before it.
    var story: [String] {
        var lines: [String] = []
        var repeated = ""
        var repetitions = 0
        let end = outcome.worst?.at ?? outcome.duration
        for record in trace where record.at <= end && window.contains(record.at) {
            guard let text = storyLine(record) else { continue }
            // Extensions that fail again and again are one line.
            let theme = record.text.hasPrefix("not extended") ? "\(record.attempt)\(record.text)" : ""
            if !theme.isEmpty, theme == repeated {
                repetitions += 1
                continue
            }
            if repetitions > 0 { lines.append("… and \(repetitions == 1 ? "once" : "\(repetitions) times") more") }
            repeated = theme
            repetitions = 0
            lines.append("\(Format.seconds(record.at)): \(text)")
        }
        let limit = 16
        return lines.count > limit ? ["…"] + lines.suffix(limit) : lines
    }

    private func storyLine(_ record: TraceRecord) -> String? {
        let who = "client \(record.client) (attempt #\(record.attempt))"
        switch record.kind {
        case .fault, .breach, .violation: return record.text
        case .answer where record.text == "granted":
            let resource = Format.letter(max(record.resource, 0))
            return "\(who) is granted resource \(resource), with its key on \(holders(record))"
        // Who is refused has not led to anything; and there are many.
        case .answer where record.text.hasPrefix("refused"): return nil
        case .answer: return "\(who) is told: \(record.text)"
        case .disbelieve where record.text == "its end came" || record.text == "crashed":
            return "\(who) believes no more: \(record.text)"
        default: return nil
        }
    }

    /// The nodes that have an attempt's key at the moment of a record.
    private func holders(_ record: TraceRecord) -> String {
        let nodes = bars.filter {
            $0.attempt == record.attempt && $0.from <= record.at && record.at < $0.to
        }.map(\.node)
        let list = nodes.sorted().map { String($0) }.joined(separator: ", ")
        return nodes.isEmpty ? "no node" : nodes.count == 1 ? "node \(list)" : "nodes \(list)"
    }

    // MARK: Bars

    private struct Bar {
        var node: Int
        var resource: Int
        var attempt: Int32
        var from: Int64
        var to: Int64
    }

    /// When each node had whose key: from a change to the next, or to the expiry.
    private static func bars(_ schedule: Schedule, _ outcome: Outcome, _ trace: [TraceRecord]) -> [Bar] {
        var bars: [Bar] = []
        var open: [Int] = Array(repeating: -1, count: schedule.options.nodes * schedule.options.resources)
        for record in trace where record.kind == .key {
            let place = record.node * schedule.options.resources + record.resource
            if open[place] >= 0 {
                bars[open[place]].to = min(bars[open[place]].to, record.at)
                open[place] = -1
            }
            guard record.attempt >= 0 else { continue }
            open[place] = bars.count
            bars.append(
                Bar(
                    node: record.node, resource: record.resource, attempt: record.attempt, from: record.at,
                    to: min(record.value, outcome.duration)))
        }
        return bars
    }

    private struct Belief {
        var client: Int
        var resource: Int
        var attempt: Int32
        var from: Int64
        var to: Int64
        var ending = ""
    }

    private var beliefs: [Belief] {
        var beliefs: [Belief] = []
        /// Where the latest belief of an attempt is: long runs have many.
        var places: [Int64: Int] = [:]
        for record in trace where record.kind == .believe || record.kind == .disbelieve {
            let key = Int64(record.client) << 32 | Int64(UInt32(bitPattern: record.attempt))
            let place = places[key]
            switch record.kind {
            case .believe:
                if let place, beliefs[place].ending.isEmpty {
                    beliefs[place].to = record.value
                } else {
                    places[key] = beliefs.count
                    beliefs.append(
                        Belief(
                            client: record.client, resource: record.resource, attempt: record.attempt, from: record.at,
                            to: record.value))
                }
            case .disbelieve:
                guard let place else { break }
                beliefs[place].to = min(beliefs[place].to, record.at)
                beliefs[place].ending = record.text
            default: break
            }
        }
        // What was still believed when the run was stopped is shown to its planned end.
        for index in beliefs.indices where beliefs[index].ending.isEmpty { beliefs[index].ending = "its end" }
        return beliefs
    }

    private func overlaps(_ beliefs: [Belief]) -> [(from: Int64, to: Int64)] {
        var overlaps: [(Int64, Int64)] = []
        for (index, one) in beliefs.enumerated() {
            for other in beliefs[(index + 1)...] where other.resource == one.resource {
                let from = max(one.from, other.from)
                let to = min(one.to, other.to)
                if from < to { overlaps.append((from, to)) }
            }
        }
        return overlaps
    }
}

// MARK: - As data

extension Picture {
    /// Times are microseconds.
    var json: JSON {
        let beliefs = beliefs.filter { $0.to >= window.lowerBound && $0.from <= window.upperBound }
        let last = beliefs.reduce(outcome.duration) { max($0, $1.to) }
        let shown = trace.filter { window.contains($0.at) && $0.kind != .margin }
        return .record([
            "from": time(window.lowerBound),
            "to": time(max(window.upperBound, min(last, window.upperBound + schedule.options.ttl))),
            "focus": outcome.worst.map { time($0.at) },
            "ttl": time(schedule.options.ttl), "nodes": JSON(schedule.options.nodes),
            "clients": JSON(schedule.options.clients), "resources": JSON(schedule.options.resources),
            "quorum": JSON(schedule.options.quorum),
            "rates": .record([
                "nodes": .array(schedule.options.nodeRates.map { .number($0 / 1_000) }),
                "clients": .array(schedule.options.clientRates.map { .number($0 / 1_000) }),
            ]),
            "faults": .array(
                schedule.faults.filter { $0.at <= window.upperBound && $0.end >= window.lowerBound }.map { fault in
                    .record([
                        "at": time(fault.at), "end": time(fault.end), "kind": .string(fault.kind.rawValue),
                        "nodes": .array(fault.kind.target == .client ? [] : fault.nodes.map { JSON($0) }),
                        "clients": .array(fault.kind.target == .node ? [] : fault.clients.map { JSON($0) }),
                        "text": .string(fault.sentence),
                    ])
                }),
            "bars": .array(
                bars.map {
                    .record([
                        "node": JSON($0.node), "resource": JSON($0.resource), "attempt": JSON(Int($0.attempt)),
                        "client": JSON(owner($0.attempt)), "from": time($0.from), "to": time($0.to),
                    ])
                }),
            "beliefs": .array(
                beliefs.map {
                    .record([
                        "client": JSON($0.client), "resource": JSON($0.resource), "attempt": JSON(Int($0.attempt)),
                        "from": time($0.from), "to": time($0.to), "ending": .string($0.ending),
                    ])
                }),
            "overlaps": .array(
                overlaps(beliefs).map { .record(["from": time($0.from), "to": time($0.to)]) }),
            "margins": .array(
                trace.filter { $0.kind == .margin && window.contains($0.at) }.map {
                    .record([
                        "at": time($0.at), "value": .number($0.value), "client": JSON($0.client),
                        "attempt": JSON(Int($0.attempt)),
                    ])
                }),
            "violations": .array(
                outcome.violations.map {
                    .record(["at": time($0.at), "text": .string("\($0.oracle.rawValue): \($0.message)")])
                }),
            "events": .array(
                shown.map {
                    .array([
                        time($0.at), .string($0.kind.rawValue), JSON($0.client), JSON($0.node), JSON(Int($0.attempt)),
                        .string($0.text),
                    ])
                }),
        ])
    }

    private func time(_ nanoseconds: Int64) -> JSON { .number(nanoseconds / 1_000) }

    private func owner(_ attempt: Int32) -> Int {
        Int(attempt) < ownerClients.count ? ownerClients[Int(attempt)] : -1
    }
}
