import Testing

@testable import RedlockCore

@Suite struct RiskTests {
    private func risk(_ news: RiskNews?) -> Risk? {
        if case .atRisk(let report) = news { report.risk } else { nil }
    }

    /// Of a lease of 10 s.
    private let repairTime = Nanoseconds.seconds(2)

    @Test func aBareQuorumIsARiskOnceRepairHasHadItsTime() {
        play(nodes: 5) { script in
            let start = script.now
            let lock = script.acquire()
            script.reply(0..<3, .ok)
            script.reply(3, .error("LOADING"))
            script.advance(by: .milliseconds(10))
            script.reply(4, .null)
            while script.now < start + .milliseconds(2_009) {
                script.advance(to: min(script.nextDeadline, start + .milliseconds(2_009)))
                for node in 3...4 where !script.unanswered(node).isEmpty { script.reply(node, .error("LOADING")) }
            }
            let tries = script.operations(3).count { if case .repair = $0 { true } else { false } }
            #expect(tries >= 2)
            #expect(script.risks == [], "counted from the last vote")
            script.advance(by: .milliseconds(1))
            let votes: [Vote] = [.granted, .granted, .granted, .error("LOADING"), .heldByAnother]
            let report = RiskReport(risk: .noSpareNode, validUntil: start + .milliseconds(9_898), votes: votes)
            #expect(script.risks == [.atRisk(report)])
            // One that is repaired is a spare one, and that is told at once.
            while script.unanswered(3).isEmpty { script.advance(to: script.nextDeadline) }
            script.reply(3, .integer(1))
            #expect(script.risks.count == 2)
            #expect(script.risks.last == .recovered(validUntil: start + .milliseconds(9_898)))
            script.reply(4, .integer(1))
            #expect(script.risks.count == 2)
            _ = lock
        }
    }

    @Test func contentionThatIsOverBeforeTheRepairIsNoRisk() {
        play(nodes: 5) { script in
            let lock = script.acquire()
            script.reply(0..<3, .ok)
            script.reply(3..<5, .null)
            // The contender releases them; the first repair gives them the key.
            script.advance(by: .milliseconds(500))
            script.reply(3..<5, .integer(1))
            script.advance(by: .seconds(8))
            #expect(script.risks == [])
            _ = lock
        }
    }

    @Test func aContenderThatComesInBetweenIsNoRisk() {
        play(nodes: 5) { script in
            let lock = script.acquire()
            script.reply(0..<3, .ok)
            script.reply(3..<5, .null)
            while script.unanswered(3).isEmpty { script.advance(to: script.nextDeadline) }
            script.reply(3..<5, .integer(-1))
            while script.unanswered(3).isEmpty { script.advance(to: script.nextDeadline) }
            script.reply(3..<5, .integer(1))
            script.advance(by: .seconds(8))
            #expect(script.risks == [])
            _ = lock
        }
    }

    /// What keeps a node from being a guard, and from being repaired.
    enum Absence: CaseIterable {
        case down, hanging, quarantined, overloaded
    }

    @Test(arguments: Absence.allCases)
    func aNodeThatCannotBeRepairedIsARiskInGoodTime(absence: Absence) {
        play(nodes: 3, connected: false) { parameters in
            if absence == .quarantined { parameters.quarantine = .seconds(60) }
            if absence == .overloaded {
                parameters.nodeTimeout = .seconds(1)
                parameters.silenceTimeout = .seconds(60)
            }
        } script: { script in
            for node in 0..<2 { script.connected(node) }
            switch absence {
            case .down: script.disconnect(2, "refused")
            case .hanging: script.connected(2)
            case .quarantined:
                let facts = NodeFacts(runID: "new", uptime: .seconds(1), durability: .no)
                script.connected(2, .server(facts))
            case .overloaded:
                script.connected(2)
                for number in 0..<Limits.commandsPerNode {
                    script.cancel(script.acquire("other \(number)"))
                    for node in 0..<2 { script.serve(node) }
                    if script.unanswered(2).count >= Limits.commandsPerNode { break }
                }
            }
            let start = script.now
            let lock = script.acquire(extendsItself: true)
            for node in 0..<2 { script.serve(node) }
            while script.risks.isEmpty, script.now < start + .seconds(9) {
                script.advance(to: script.nextDeadline)
                for node in 0..<2 { script.serve(node) }
                if absence == .down, script.connection(2) != nil { script.disconnect(2, "refused") }
            }
            #expect(risk(script.risks.first) == .noSpareNode)
            // The node timeout passes first where the node is silent.
            #expect(script.now >= start + repairTime)
            #expect(script.now <= start + repairTime + .seconds(1))
            _ = lock
        }
    }

    @Test func aLeaseIsNoRiskWhileItsExtensionsFindTheNodeAgain() {
        play(nodes: 3) { script in
            let start = script.now
            let lock = script.hold(extendsItself: true)
            // The node has lost the key at each extension, and the repair brings it back.
            while script.now < start + .seconds(30) {
                script.advance(to: script.nextDeadline)
                for node in 0..<3 {
                    guard let command = script.unanswered(node).first else { continue }
                    if case .extend = command.operation, node == 2 {
                        script.reply(node, .integer(0))
                    } else {
                        script.reply(node, .integer(1))
                    }
                }
            }
            #expect(script.risks == [])
            _ = lock
        }
    }

    /// Times in milliseconds.
    @Test(
        arguments: [
            (ttl: 10_000, nodeTimeout: 100, time: 2_000), (1_000, 100, 200), (500, 100, 150), (300, 100, 120),
            (10_000, 2_000, 3_000), (10_000, 60_000, 4_000),
        ] as [(ttl: Int64, nodeTimeout: Int64, time: Int64)])
    func theTimeOfRepairIsAShareOfTheTTL(ttl: Int64, nodeTimeout: Int64, time: Int64) {
        let repairTime = StandardRules().repairTime(
            ttl: .milliseconds(ttl), nodeTimeout: .milliseconds(nodeTimeout))
        #expect(repairTime == .milliseconds(time))
    }

    @Test func votesThatAreMissingAreNoRiskYet() {
        play(nodes: 5, { $0.silenceTimeout = .seconds(60) }) { script in
            _ = script.acquire()
            script.reply(0..<3, .ok)
            script.advance(by: .milliseconds(100))
            script.advance(by: repairTime - Nanoseconds(1))
            #expect(script.risks == [], "unknown for the node timeout")
            script.advance(by: Nanoseconds(1))
            #expect(risk(script.risks.last) == .noSpareNode)
            script.reply(3, .ok)
            #expect(script.risks.count == 2, "a grant after its time-out guards it all the same")
        }
    }

    @Test(arguments: 1...2)
    func whereThereAreNoSpareNodesTheirWantIsNoRisk(nodes: Int) {
        play(nodes: nodes) { script in
            let lock = script.hold()
            script.extend(lock)
            script.reply(0..<nodes, .integer(1))
            #expect(script.risks == [])
        }
    }

    @Test func anExtensionThatFailedIsARiskUntilOneIsWon() {
        play(nodes: 3) { script in
            let lock = script.hold()
            let end = script.now + .milliseconds(9_898)
            for _ in 1...3 {
                script.extend(lock)
                script.reply(0..<2, .error("MISCONF"))
                script.reply(2, .integer(1))
            }
            let votes: [Vote] = [.error("MISCONF"), .error("MISCONF"), .pending]
            #expect(script.risks == [.atRisk(RiskReport(risk: .notExtended, validUntil: end, votes: votes))])
            script.advance(by: .seconds(1))
            script.extend(lock)
            script.reply(0..<2, .integer(1))
            #expect(script.risks.count == 1, "two of three: the third has not said yet")
            script.reply(2, .integer(1))
            #expect(script.risks.last == .recovered(validUntil: script.now + .milliseconds(9_898)))
        }
    }

    @Test func anExtensionThatTakesTooLongIsARiskBeforeItHasFailed() {
        play(nodes: 3) {
            $0.nodeTimeout = .seconds(60)
        } script: { script in
            _ = script.hold(ttl: .seconds(10), extendsItself: true)
            let end = script.now + .milliseconds(9_898)
            script.advance(to: end - .seconds(5) - Nanoseconds(1))
            #expect(script.risks == [])
            script.advance(by: Nanoseconds(1))
            #expect(risk(script.risks.last) == .notExtended)
            script.reply(0..<3, .integer(1))
            #expect(script.risks.count == 2)
        }
    }

    @Test func aLeaseThatIsNotToExtendItselfIsNoRiskForRunningDown() {
        play(nodes: 3) { script in
            _ = script.hold(ttl: .seconds(10))
            script.advance(by: .seconds(9))
            #expect(script.risks == [])
        }
    }

    @Test func theGreaterRiskIsToldAfterTheLesserAndNotTheOtherWayRound() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            script.reply(0..<2, .ok)
            script.reply(2, .error("LOADING"))
            while script.risks.isEmpty {
                script.advance(to: script.nextDeadline)
                if !script.unanswered(2).isEmpty { script.reply(2, .error("LOADING")) }
            }
            script.extend(lock)
            script.reply(0..<3, .error("LOADING"))
            script.extend(lock)
            script.reply(0..<2, .integer(1))
            script.reply(2, .error("LOADING"))
            script.extend(lock)
            script.reply(0..<3, .error("LOADING"))
            #expect(script.risks.map { risk($0) } == [.noSpareNode, .notExtended])
            script.extend(lock)
            script.reply(0..<3, .integer(1))
            #expect(script.risks.count == 3)
            #expect(risk(script.risks.last) == nil)
        }
    }

    @Test func whoDiesInTheMeantimeIsNoGuardAfterTheNextExtension() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.disconnect(2)
            #expect(script.risks == [], "its key is there still, as far as anybody knows")
            script.extend(lock)
            script.reply(0..<2, .integer(1))
            #expect(script.risks == [], "repair has not had its time")
            script.advance(by: repairTime)
            #expect(risk(script.risks.last) == .noSpareNode)
        }
    }

    @Test func afterTheLossAndAfterTheReleaseNoRiskIsTold() {
        play(nodes: 3) { script in
            let lost = script.hold()
            for node in 0..<2 { script.disconnect(node) }
            script.extend(lost)
            script.reply(2, .integer(1))
            script.advance(by: .seconds(20))
            #expect(script.risks.count == 1)
            script.release(lost)
            script.advance(by: .seconds(2))
            #expect(script.risks.count == 1)
        }
    }
}
