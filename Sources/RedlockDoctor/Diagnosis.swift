import RedlockCore

/// What is found of a set of nodes, and what follows for the lock.
package struct Diagnosis: Sendable {
    package enum Verdict: String, Hashable, Sendable {
        case fine
        case warnings
        case noQuorum
    }

    package var reports: [NodeReport]
    /// The nodes' in the order of the list, then the set's.
    package var findings: [Finding]
    package var quorum: Int
    /// Nodes that cast votes; of several names of one server, the first.
    package var voters: [String]

    package init(_ reports: [NodeReport], _ expected: Expectations) {
        self.reports = reports
        quorum = StandardRules().quorum(of: reports.count)
        findings = reports.flatMap { NodeFindings.all($0, expected) }
        if let own = SetFindings.ownClock(reports, quorum: quorum) {
            // One clock is off, not all the others.
            findings.removeAll { $0.code == .clockOff }
            findings.append(own)
        }
        let silent = Set(findings.filter(\.costsVote).flatMap(\.nodes))
        var counted: Set<String> = []
        // A server that does not tell its run_id counts for itself.
        voters = reports.map { (node: $0.node, server: $0.server?.runID ?? $0.node) }
            .filter { !silent.contains($0.node) && counted.insert($0.server).inserted }.map(\.node)
        findings += SetFindings.sameServer(reports)
        findings += SetFindings.quorum(nodes: reports.count, voting: voters.count, quorum: quorum)
        findings += SetFindings.numbers(reports, expected, quorum: quorum)
        findings += SetFindings.evenNumber(reports.count)
        findings += SetFindings.sameHost(reports, quorum: quorum)
    }

    package var verdict: Verdict {
        if voting < quorum { return .noQuorum }
        return findings.contains { $0.severity != .note } ? .warnings : .fine
    }

    package func votes(_ node: String) -> Bool { voters.contains(node) }
    package var voting: Int { voters.count }

    /// So many may fail when all is well.
    package var bears: Int { reports.count - quorum }
    /// So many may fail now.
    package var bearsMore: Int { max(voting - quorum, 0) }

    /// The verdict on the set: one line.
    package var summary: String {
        let count = reports.count
        let silent = count - voting
        let set = "\(count == 1 ? "1 node" : "\(count) nodes"), quorum \(quorum)"
        guard verdict != .noQuorum else {
            let few = voting == 0 ? "none has a vote" : "only \(voting) \(voting == 1 ? "has" : "have") a vote"
            return "\(set): \(few), so nobody gets a lock"
        }
        let bears = "bears \(bears == 0 ? "no failure" : bears == 1 ? "1 failure" : "\(bears) failures")"
        guard silent > 0 else { return "\(set): \(bears)" }
        let more = bearsMore == 0 ? "no more" : "\(bearsMore) more"
        return "\(set): \(bears); \(silent) \(silent == 1 ? "has" : "have") no vote already, so \(more)"
    }
}

// MARK: - What has changed

extension Diagnosis {
    /// What is new since another look, a line each; all there is when there was none. Numbers that change are no news,
    /// and of a node that cannot be asked any more nobody knows what is over.
    package func news(since earlier: Diagnosis?) -> [String] {
        func key(_ finding: Finding) -> String { "\(finding.code) \(finding.nodes)" }
        let before = earlier?.findings ?? []
        let known = Set(before.map(key))
        let present = Set(findings.map(key))
        let answer = Set(reports.filter { $0.server != nil }.map(\.node))
        let answered = Set((earlier?.reports ?? []).filter { $0.server != nil }.map(\.node))
        let unknown = answered.subtracting(answer)
        let over = before.filter {
            $0.severity != .note && !present.contains(key($0)) && unknown.isDisjoint(with: $0.nodes)
        }.map { "over: \($0.line)" }
        let new = findings.filter { $0.severity != .note && !known.contains(key($0)) }.map {
            "\($0.severity): \($0.line)"
        }
        let changed = earlier.map { $0.verdict != verdict || $0.voting != voting } ?? true
        return over + new + (changed ? ["\(verdict.words): \(summary)"] : [])
    }
}

extension Finding {
    /// In one line: where, and what was seen.
    package var line: String { nodes.isEmpty ? seen : "\(nodes.enumeration): \(seen)" }
}

extension Diagnosis.Verdict {
    package var words: String {
        switch self {
        case .fine: "fine"
        case .warnings: "warnings"
        case .noQuorum: "no quorum"
        }
    }
}
