import CommandSupport
import RedlockCore
import RedlockDoctor

// The diagnosis for people: a table, findings in sentences, and a line on the set.

extension Diagnosis {
    var text: String {
        let sections = Finding.Severity.allCases.compactMap { section($0) }
        let style: Console.Style = verdict == .fine ? .good : verdict == .warnings ? .warning : .bad
        let verdict = "\(Console.styled("\(self.verdict.words):", style)) \(summary)."
        return ([table] + sections + [verdict]).joined(separator: "\n\n")
    }

    private var table: String {
        let header = [
            "node", "state", "round trip", "server", "role", "up", "on disk", "memory", "clock", "rights", "loop",
        ]
        let rows = Columns.padded([header] + reports.map { [$0.node, state($0.node)] + $0.cells }, left: header.count)
        return rows.enumerated().map { index, row in
            var row = row
            if index > 0 { row[1] = Console.styled(row[1], votes(reports[index - 1].node) ? .good : .bad) }
            var line = row.joined(separator: Columns.space)
            while line.last == " " { line.removeLast() }
            return index == 0 ? Console.styled(line, .strong) : line
        }.joined(separator: "\n")
    }

    /// In a word or two: it votes, or why it does not.
    private func state(_ node: String) -> String {
        if votes(node) { return "votes" }
        guard let finding = findings.first(where: { $0.costsVote && $0.nodes.contains(node) }) else {
            return Finding.Code.sameServer.words
        }
        guard finding.code == .inQuarantine,
            let left = reports.first(where: { $0.node == node })?.server?.quarantineLeft
        else { return finding.code.words }
        return "waits \(left.secondsInWords)"
    }
}

// MARK: - The table

extension NodeReport {
    fileprivate var cells: [String] {
        guard let server else { return [String](repeating: "-", count: 9) }
        return [
            server.roundTrip.median.words, server.version?.text ?? "-", server.roleText,
            server.uptime.map { $0 < .seconds(120) ? $0.secondsInWords : $0.words } ?? "-",
            server.persistence.text, server.memory.text, server.clock?.text ?? "-", server.rightsText,
            server.loop.map { ($0.isRecent ? "" : "~") + $0.share.percent } ?? "-",
        ]
    }
}

extension ServerReport {
    fileprivate var roleText: String {
        if let mode, mode != .standalone { return mode.rawValue }
        return isReplica.map { $0 ? "replica" : "master" } ?? "-"
    }

    fileprivate var rightsText: String {
        let missing = missingRights
        return missing.isEmpty ? "all" : missing.count == 1 ? "no \(missing[0].right.rule)" : "\(missing.count) missing"
    }
}

extension ServerReport.Persistence {
    fileprivate var text: String {
        guard let keepsLog else { return "-" }
        return keepsLog ? fsync ?? "log, ?" : "nothing"
    }
}

extension ServerReport.Memory {
    fileprivate var text: String {
        guard let policy else { return "-" }
        guard let limit, limit > 0, let used else { return policy }
        return "\(policy), \((Double(used) / Double(limit)).percent)"
    }
}

extension ServerReport.ClockOffset {
    fileprivate var text: String { "\(offset.count < 1_000 ? "" : "+")\(offset.words) ± \(uncertainty.words)" }
}

extension Finding.Code {
    /// `refusesWrites` as a person would write it.
    fileprivate var words: String {
        switch self {
        case .signIn: "no sign-in"
        case .database: "no database"
        case .notRedis: "not Redis"
        case .otherNames: "keys denied"
        case .slowForTimeout: "too slow"
        default: rawValue.map { $0.isUppercase ? " \($0.lowercased())" : "\($0)" }.joined()
        }
    }
}

// MARK: - The findings

extension Diagnosis {
    private static let columns = 100

    private func section(_ severity: Finding.Severity) -> String? {
        let findings = merged(findings.filter { $0.severity == severity })
        guard !findings.isEmpty else { return nil }
        let style: Console.Style = severity == .problem ? .bad : severity == .warning ? .warning : .strong
        let title = Console.styled("\(severity.rawValue)s".capitalizedFirst, style)
        return ([title] + findings.map(text)).joined(separator: "\n")
    }

    /// What is the same for several nodes is said once.
    private func merged(_ findings: [Finding]) -> [Finding] {
        var merged: [Finding] = []
        for finding in findings {
            let same = merged.firstIndex { other in
                var other = other
                other.nodes = finding.nodes
                return other == finding
            }
            if let same { merged[same].nodes += finding.nodes } else { merged.append(finding) }
        }
        return merged
    }

    private func text(_ finding: Finding) -> String {
        let isEach = finding.nodes.count == reports.count && reports.count > 1 && finding.code != .sameServer
        let place = isEach ? "each of the \(reports.count) nodes" : finding.nodes.enumeration
        let (words, count) = (finding.words, isEach ? 1 : finding.nodes.count)
        let seen = words.seen.text(about: count)
        return Self.indented(
            "\(place.isEmpty ? seen.capitalizedFirst : "\(place): \(seen)"). \(words.risk.text(about: count))", "  ")
            + "\n" + Self.indented(words.change.text(about: count), "    -> ")
    }

    private static func indented(_ text: String, _ first: String) -> String {
        let margin = String(repeating: " ", count: first.count)
        return first + Page.wrapped(text, columns - first.count).joined(separator: "\n\(margin)")
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
