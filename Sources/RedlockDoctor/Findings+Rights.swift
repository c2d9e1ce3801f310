import RedlockCore

extension NodeFindings {
    /// What the user of the URL may not do on the node.
    package static func rights(_ server: ServerReport, _ expected: Expectations) -> [Finding] {
        // A Sentinel lacks most commands; that is told as what it is.
        guard server.mode != .sentinel else { return [] }
        var findings: [Finding] = []
        let missing = server.missingRights
        func refused(_ need: Right.Need) -> [Right] {
            missing.compactMap { right, verdict in
                if case .missing = verdict, right.need == need { right } else { nil }
            }
        }
        let needed = refused(.vote)
        if !needed.isEmpty {
            findings.append(
                Finding(
                    .problem, .rightsMissing, seen: "{its user|their users} may not \(uses(of: needed))",
                    risk: needed[0].loss,
                    change: grant(needed), costsVote: true))
        }
        for group in grouped(refused(.comfort)) {
            let isInfo = group.contains { $0.rule == "+info" }
            findings.append(
                Finding(
                    isInfo ? .problem : .warning, isInfo ? .infoDenied : .rightsWanted,
                    seen: "{its user|their users} may not \(uses(of: group))",
                    risk: group[0].loss, change: grant(group), costsVote: isInfo))
        }
        if missing.contains(where: { if case .otherNames = $0.verdict { true } else { false } }) {
            findings.append(otherNames(missing, expected))
        }
        return findings
    }

    private static func otherNames(
        _ missing: [(right: Right, verdict: RightVerdict)], _ expected: Expectations
    ) -> Finding {
        let isOfKeys = missing.contains { right, verdict in
            if case .otherNames = verdict { right.need == .vote } else { false }
        }
        let names = isOfKeys ? "the key '\(expected.key)'" : "the channel '\(Channel.prefix)\(expected.key)'"
        guard expected.knowsPrefix else {
            return Finding(
                .warning, .otherNames, seen: "{its user|their users} may not use \(names), which this check made up",
                risk: "So it cannot be seen whether {it|they} may use those of your locks.",
                change: "Give the beginning that your locks' names have: --key-prefix lock:")
        }
        return isOfKeys
            ? Finding(
                .problem, .otherNames, seen: "{its user|their users} may not use \(names)",
                risk: "Locks with this beginning get no vote from {it|them}.",
                change: "Grant the keys, `~PREFIX*`, and their channels, `&redlock:PREFIX*`.", costsVote: true)
            : Finding(
                .warning, .otherNames, seen: "{its user|their users} may not use \(names)",
                risk: "Waiters are not woken by a release; they go by the clock.",
                change: "Grant the channels: `&redlock:PREFIX*`.")
    }

    private static func uses(of rights: [Right]) -> String {
        rights.map { "\($0.use) (\($0.rule))" }.enumeration
    }

    private static func grant(_ rights: [Right]) -> Wording {
        "Grant \(rights.map(\.rule).joined(separator: " ")) to {its user|their users} (ACL SETUSER); the "
            + "whole line is in docs/operations.md."
    }

    /// Those whose absence means the same.
    private static func grouped(_ rights: [Right]) -> [[Right]] {
        var groups: [[Right]] = []
        for right in rights {
            if let index = groups.firstIndex(where: { $0[0].loss == right.loss }) {
                groups[index].append(right)
            } else {
                groups.append([right])
            }
        }
        return groups
    }
}
