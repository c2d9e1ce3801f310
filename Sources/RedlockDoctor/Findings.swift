import RedlockCore

/// What there is to say of one node. Each topic is a function of what was found; they know nothing of one another.
package enum NodeFindings {
    package static func all(_ report: NodeReport, _ expected: Expectations) -> [Finding] {
        var findings: [Finding]
        switch report.outcome {
        case .failure(let failure):
            findings = [unreachable(failure, expected)]
        case .success(let server):
            findings =
                role(server) + version(server) + readiness(server) + persistence(server, expected)
                + quarantine(server) + memory(server) + writing(server) + speed(server, expected) + clock(server)
                + rights(server, expected) + access(server, host: report.host)
        }
        for index in findings.indices { findings[index].nodes = [report.node] }
        return findings
    }
}
