import RedlockCore

// Fencing numbers of the resources that were named. Whether one is plausible depends on those of the other nodes.

extension SetFindings {
    static func numbers(_ reports: [NodeReport], _ expected: Expectations, quorum: Int) -> [Finding] {
        expected.resources.indices.flatMap { numbers(of: $0, reports, expected, quorum) }
            + reports.flatMap { floor($0, expected) }
    }

    private static func numbers(
        of index: Int, _ reports: [NodeReport], _ expected: Expectations, _ quorum: Int
    ) -> [Finding] {
        let resource = expected.resources[index]
        let key = resource + Command.numberSuffix
        let servers = reports.compactMap { report in report.server.map { (node: report.node, server: $0) } }
        let found = servers.filter { $0.server.numbers.indices.contains(index) }
        let highest = found.map { $0.server.highest(index) }
        let spare = reports.count - quorum
        let plausible = StandardRules().highestPlausible(among: highest, spare: spare)
        var findings: [Finding] = []
        for (node, server) in found {
            let seen: String
            switch server.numbers[index] {
            case .missing: continue
            case .number(let number):
                if number <= plausible { continue }
                seen = "the fencing number of '\(resource)' is \(number), which no clock can have proposed"
            case .malformed(let what):
                seen = "the fencing number of '\(resource)' is \(what), which is no number"
            case .refused(let text):
                findings.append(refused(key, text, node))
                continue
            }
            let command = plausible > 0 ? "SET '\(key)' \(plausible)" : "DEL '\(key)'"
            let rest = found.count < reports.count ? " First look again when all nodes can be asked." : ""
            findings.append(
                Finding(
                    .problem, .badNumber, seen: "\(seen)",
                    risk: "With fencing, {its vote|their votes} for this lock fail.",
                    change: "Set it to the highest number that other nodes confirm: redis-cli \(command).\(rest)",
                    nodes: [node]))
        }
        return findings
    }

    private static func floor(_ report: NodeReport, _ expected: Expectations) -> [Finding] {
        let seen: String
        switch report.server?.floor {
        case nil, .missing: return []
        case .number(let number):
            if number <= Limits.fencingProposal { return [] }
            seen = "the floor of fencing numbers is \(number), which is beyond any clock"
        case .malformed(let what): seen = "the floor of fencing numbers is \(what), which is no number"
        case .refused(let text): return [refused(Command.floorKey, text, report.node)]
        }
        return [
            Finding(
                .problem, .badFloor, seen: "\(seen)",
                risk: "With fencing, {its votes|their votes} for locks without a number fail.",
                change: "Set it to the time now, in µs: redis-cli SET \(Command.floorKey) \(expected.wallClock).",
                nodes: [report.node])
        ]
    }

    private static func refused(_ key: String, _ text: String, _ node: String) -> Finding {
        Finding(
            .warning, .numberDenied, seen: "'\(key)' cannot be read: \(text)",
            risk: "With fencing, votes that need it fail.",
            change: "Grant the key ~\(key) to {its user|their users}; the whole line is in docs/operations.md.",
            nodes: [node])
    }
}

extension ServerReport {
    /// What a proposal for the resource must be above, as far as it is a number.
    fileprivate func highest(_ index: Int) -> Int64 {
        switch numbers[index] {
        case .number(let number): return number
        case .missing:
            guard case .number(let number) = floor else { return 0 }
            return number
        case .malformed, .refused: return 0
        }
    }
}
