import RedlockCore

/// What there is to say of the nodes together.
enum SetFindings {
    /// Nodes that are one server count as one, however many names it has. Two databases of it would both grant, and
    /// fail together.
    static func sameServer(_ reports: [NodeReport]) -> [Finding] {
        groups(reports) { $0.server?.runID }.map { runID, nodes in
            Finding(
                .problem, .sameServer, seen: "they are the same server (run_id \(runID.prefix(8))…)",
                risk: "Its failure takes \(nodes.count) votes at once. In one database, all but one refuse every lock.",
                change: "Give each node a server of its own, on another machine.", nodes: nodes)
        }
    }

    /// Nodes whose common host takes the quorum with it.
    static func sameHost(_ reports: [NodeReport], quorum: Int) -> [Finding] {
        let bears = reports.count - quorum
        return groups(reports, by: \.host).filter { $0.nodes.count > bears }.map { host, nodes in
            let all = nodes.count == reports.count ? "all" : "\(nodes.count) of \(reports.count)"
            return Finding(
                .note, .sameHost, seen: "\(all) nodes are on one host (\(host))",
                risk: "When it fails, nobody gets a lock.",
                change: "Fine for trying it out. For real use, put them on machines that do not fail together.")
        }
    }

    static func evenNumber(_ count: Int) -> [Finding] {
        guard count.isMultiple(of: 2) else { return [] }
        return [
            Finding(
                .note, .evenNumber, seen: "the number of nodes is even (\(count))",
                risk: "\(count) nodes bear no more failures than \(count - 1).",
                change: "Take one away or add one, with all clients stopped: they must have the same list.")
        ]
    }

    /// Whether there are votes enough, and to spare.
    static func quorum(nodes: Int, voting: Int, quorum: Int) -> [Finding] {
        if voting < quorum {
            return [
                Finding(
                    .problem, .noQuorum,
                    seen: nodes == 1
                        ? "the only node has no vote"
                        : "\(voting) of \(nodes) nodes \(voting == 1 ? "has" : "have") a vote; a quorum is \(quorum)",
                    risk: "Nobody gets a lock, and who holds one loses it.",
                    change: nodes == 1 ? "See above why." : "See to the nodes above that have no vote.")
            ]
        }
        guard voting == quorum else { return [] }
        let lacks = voting < nodes
        return [
            Finding(
                .warning, .noSpare,
                seen: nodes == 1 ? "there is one node" : "every vote is needed: there is no spare node",
                risk: "When \(nodes == 1 ? "it" : "one more") fails, nobody gets a lock, and who holds one loses it.",
                change: lacks
                    ? "See to the nodes above that have no vote, soon." : "Take three nodes, or five.")
        ]
    }

    /// Where most nodes agree that our clock is wrong, it is.
    static func ownClock(_ reports: [NodeReport], quorum: Int) -> Finding? {
        let offsets = reports.compactMap { $0.server?.clock }
        let off = offsets.filter { $0.atLeast > Expectations.clockOffset }
        guard reports.count > 1, off.count >= quorum else { return nil }
        let sorted = off.map(\.offset).sorted()
        let median = sorted[sorted.count / 2]
        let agree = off.filter {
            Nanoseconds(abs(($0.offset - median).count)) - $0.uncertainty <= Expectations.clockOffset
        }
        guard agree.count >= quorum else { return nil }
        return Finding(
            .warning, .ownClockOff,
            seen: "this machine's clock is \(Nanoseconds(abs(median.count)).words) "
                + "\(median < .zero ? "ahead of" : "behind") those of \(agree.count) nodes",
            risk: "The lock does not go by it, but fencing numbers begin with it, and logs cannot be compared.",
            change: "Let NTP keep it.")
    }

    /// The nodes that share something, in the order of their list; only where there are several.
    private static func groups(
        _ reports: [NodeReport], by key: (NodeReport) -> String?
    ) -> [(key: String, nodes: [String])] {
        var groups: [(key: String, nodes: [String])] = []
        for report in reports {
            guard let value = key(report) else { continue }
            if let index = groups.firstIndex(where: { $0.key == value }) {
                groups[index].nodes.append(report.node)
            } else {
                groups.append((value, [report.node]))
            }
        }
        return groups.filter { $0.nodes.count > 1 }
    }
}
