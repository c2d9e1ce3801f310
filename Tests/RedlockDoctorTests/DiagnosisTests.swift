import RedlockCore
import RedlockRedis
import Testing

@testable import RedlockDoctor

@Suite("What is found of a set of nodes")
struct DiagnosisTests {
    /// Nodes a, b, c … of which each is another server on another host, but for what is changed.
    private static func diagnose(
        _ count: Int, down: Int = 0, _ change: (Int, inout Answers) -> Void = { _, _ in },
        host: (Int) -> String = { "host\($0)" }
    ) -> Diagnosis {
        let reports = (0..<count).map { index in
            var answers = healthy { $0.server["run_id"] = "run\(index)" }
            change(index, &answers)
            return NodeReport(
                node: "node\(index)", host: host(index),
                outcome: index < down ? .failure(.connection(.refused)) : .success(answers.report()))
        }
        return Diagnosis(reports, Expectations())
    }

    @Test(
        "The verdict goes by the votes that are left",
        arguments: [
            (1, 0, "warnings", "1 node, quorum 1: bears no failure"),
            (1, 1, "noQuorum", "1 node, quorum 1: none has a vote, so nobody gets a lock"),
            (3, 0, "fine", "3 nodes, quorum 2: bears 1 failure"),
            (3, 1, "warnings", "3 nodes, quorum 2: bears 1 failure; 1 has no vote already, so no more"),
            (5, 0, "fine", "5 nodes, quorum 3: bears 2 failures"),
            (5, 1, "warnings", "5 nodes, quorum 3: bears 2 failures; 1 has no vote already, so 1 more"),
            (5, 2, "warnings", "5 nodes, quorum 3: bears 2 failures; 2 have no vote already, so no more"),
            (5, 3, "noQuorum", "5 nodes, quorum 3: only 2 have a vote, so nobody gets a lock"),
            (4, 0, "fine", "4 nodes, quorum 3: bears 1 failure"),
        ])
    func verdict(_ count: Int, _ down: Int, _ verdict: String, _ summary: String) {
        let diagnosis = Self.diagnose(count, down: down)
        #expect(diagnosis.verdict.rawValue == verdict)
        #expect(diagnosis.summary == summary)
        let codes = diagnosis.findings.filter { $0.nodes.isEmpty }.map(\.code)
        let votes = count - down
        #expect(codes.contains(.noQuorum) == (votes < diagnosis.quorum))
        #expect(codes.contains(.noSpare) == (votes == diagnosis.quorum))
        #expect(codes.contains(.evenNumber) == count.isMultiple(of: 2))
    }

    @Test("Two names of one server are one vote")
    func sameServer() {
        let diagnosis = Self.diagnose(3) { $1.server["run_id"] = $0 < 2 ? "same" : "other" }
        #expect(diagnosis.voters == ["node0", "node2"])
        #expect(diagnosis.findings.first { $0.code == .sameServer }?.nodes == ["node0", "node1"])
        #expect(Self.diagnose(3) { $1.server["run_id"] = "same" }.verdict == .noQuorum)
    }

    @Test("A replica, and a node that waits, are no votes")
    func noVotes() {
        let diagnosis = Self.diagnose(5) { index, answers in
            if index == 0 { answers.replication["role"] = "slave" }
            if index == 1 {
                answers.persistence["aof_enabled"] = "0"
                answers.server["uptime_in_seconds"] = "0"
            }
        }
        #expect(diagnosis.voting == 3 && diagnosis.bearsMore == 0)
        #expect(!diagnosis.votes("node0") && !diagnosis.votes("node1") && diagnosis.votes("node2"))
    }

    @Test("A host that takes the quorum with it is noted")
    func sameHost() {
        #expect(Self.diagnose(5, host: { $0 < 2 ? "one" : "host\($0)" }).findings == [])
        let diagnosis = Self.diagnose(5, host: { $0 < 3 ? "one" : "host\($0)" })
        #expect(diagnosis.findings.map(\.code) == [.sameHost])
        #expect(diagnosis.verdict == .fine)
    }

    @Test("When most nodes agree, it is our clock that is off")
    func ownClock() {
        let ours = Self.diagnose(3) { $1.clockOffset = $0 < 2 ? 3_000_000 : 0 }
        #expect(ours.findings.map(\.code) == [.ownClockOff])
        #expect(ours.findings[0].seen.contains("3 s behind those of 2 nodes"))
        let theirs = Self.diagnose(3) { $1.clockOffset = [3_000_000, -3_000_000, 0][$0] }
        #expect(theirs.findings.map(\.code) == [.clockOff, .clockOff])
        // One of one is no majority to go by.
        #expect(Self.diagnose(1) { $1.clockOffset = 3_000_000 }.findings.map(\.code) == [.clockOff, .noSpare])
    }

    @Test("News are what is new and what is over; numbers that change are none")
    func news() {
        let well = Self.diagnose(5)
        #expect(well.news(since: nil) == ["fine: \(well.summary)"])
        #expect(well.news(since: well) == [])
        let ill = Self.diagnose(5, down: 1)
        #expect(ill.news(since: well) == ["problem: node0: it refuses the connection", "warnings: \(ill.summary)"])
        #expect(well.news(since: ill) == ["over: node0: it refuses the connection", "fine: \(well.summary)"])
        // What a node had before it went is not over.
        let forgetful = Self.diagnose(5) { $1.persistence["aof_enabled"] = $0 == 0 ? "0" : "1" }
        #expect(
            ill.news(since: forgetful) == ["problem: node0: it refuses the connection", "warnings: \(ill.summary)"])
        #expect(well.news(since: forgetful) == ["over: node0: it keeps no log of its writes", "fine: \(well.summary)"])
        let nearlyFull = [2_000_000, 1_950_000].map { used in
            Self.diagnose(3) { $1.memory = ["maxmemory": "2000000", "used_memory": "\(used)"] }
        }
        #expect(nearlyFull[0].findings != nearlyFull[1].findings)
        #expect(nearlyFull[1].news(since: nearlyFull[0]) == [])
    }
}
