internal import RedlockSimulation

// Whose token each lease has, whether two overlap, and how many nodes had its key.

extension LiveJudge {
    /// A busy machine takes so long, at most, from sending to seeing, in nanoseconds.
    private static let sightDelay: Int64 = 100_000_000

    /// Says whose token a lease has. Where several workers of a process ask for one resource at once, the wire does not
    /// tell whose an attempt is, and the lease is judged without its keys.
    mutating func nameTokens() {
        var uses: [Int32: Int] = [:]
        for index in holds.indices where options.workersPerClient == 1 {
            let attempt = latestAttempt(
                holds[index].id.client, holds[index].resource, before: holds[index].grantedAt)
            holds[index].attempt = attempt
            guard attempt >= 0 else { continue }
            // The wire shows an attempt a moment after it began.
            holds[index].beganAt = max(
                holds[index].beganAt, attempts[Int(attempt)].at - Self.sightDelay)
            if let other = uses[attempt] {
                violate(
                    .tokenReuse,
                    "client \(holds[index].id.client) was granted its locks #\(holds[other].id.number) and "
                        + "#\(holds[index].id.number) with one token", at: holds[index].grantedAt)
            }
            uses[attempt] = index
        }
    }

    mutating func judgeOverlaps() {
        for resource in 0..<options.resources {
            var open: [Int] = []
            for index in holds.indices where holds[index].resource == resource && !holds[index].isEmpty {
                open.removeAll { holds[$0].end <= holds[index].grantedAt }
                for other in open {
                    violate(
                        .overlap,
                        "\(name(holds[other])) and \(name(holds[index])) both hold resource \(Format.letter(resource)), until "
                            + "\(seconds(min(holds[other].end, holds[index].end)))", at: holds[index].grantedAt)
                }
                open.append(index)
            }
        }
    }

    /// What a look at a node saw of a lease's key.
    private struct Sight {
        let at: Int64
        let node: Int
        let isGone: Bool
    }

    /// Of each node and resource, whose key was there from when on; and of each node, since when nobody counts its vote
    /// for as long as the quarantine.
    private struct NodeHistories {
        var keys: [[(at: Int64, attempt: Int32)]]
        var forgot: [[Int64]]
    }

    private var nodeHistories: NodeHistories {
        var histories = NodeHistories(
            keys: Array(repeating: [], count: options.nodes * options.resources),
            forgot: Array(repeating: [], count: options.nodes))
        for record in records {
            switch record.content {
            case .key(let node, let resource, let token):
                let place = node * options.resources + resource
                histories.keys[place].append((record.at, attemptNumbers[token] ?? -1))
            case .forgot(let node): histories.forgot[node].append(record.at)
            default: break
            }
        }
        return histories
    }

    /// For each lease, over all looks at the nodes while its holder believed: how many more would have had to lose its
    /// key.
    mutating func judgeMargins() {
        let histories = nodeHistories
        for hold in holds where hold.attempt >= 0 && !hold.isEmpty {
            let view =
                hold.id.client < options.views.count ? options.views[hold.id.client] : Array(0..<options.nodes)
            let inOrder = view.flatMap { sights(of: hold, on: $0, histories) }.sorted { $0.at < $1.at }
            judgeMargin(of: hold, view, inOrder)
        }
    }

    /// By looks that began and ended while the holder believed.
    private func sights(of hold: LiveHold, on node: Int, _ histories: NodeHistories) -> [Sight] {
        let keys = histories.keys[node * options.resources + hold.resource]
        var place = looks[node].partitioningIndex { $0.from >= hold.grantedAt }
        var key = keys.partitioningIndex { $0.at > hold.grantedAt }
        var sights: [Sight] = []
        while place < looks[node].count, looks[node][place].to <= hold.end {
            let look = looks[node][place]
            // A change is noted at the moment at which the look began that saw it.
            while key < keys.count, keys[key].at <= look.from { key += 1 }
            let waits = histories.forgot[node].contains { $0 <= look.to && look.to < $0 + options.quarantineLength }
            let isGone = !waits && (key == 0 || keys[key - 1].attempt != hold.attempt)
            sights.append(Sight(at: look.to, node: node, isGone: isGone))
            place += 1
        }
        return sights
    }

    private mutating func judgeMargin(of hold: LiveHold, _ view: [Int], _ sights: [Sight]) {
        let quorum = view.count / 2 + 1
        var gone: Set<Int> = []
        var least = quorum + 1
        for sight in sights {
            if sight.isGone { gone.insert(sight.node) } else { gone.remove(sight.node) }
            let margin = quorum - gone.count
            guard margin < least else { continue }
            least = margin
            verdict.outcome.leastMargin = min(verdict.outcome.leastMargin ?? margin, margin)
            if margin == 1 { verdict.outcome.marks.insert(.keyOutlivedByLease) }
            trace.append(
                TraceRecord(
                    .margin, at: moment(sight.at), client: hold.id.client, resource: hold.resource,
                    attempt: hold.attempt, value: Int64(max(margin, 0))))
            guard margin <= 0 else { continue }
            return violate(
                .quorumMargin,
                "\(name(hold)) believes that it holds resource \(Format.letter(hold.resource)) until \(seconds(hold.end)), but "
                    + "\(gone.count) of \(view.count) nodes do not have its key: another could get the lock now",
                at: sight.at)
        }
    }
}
