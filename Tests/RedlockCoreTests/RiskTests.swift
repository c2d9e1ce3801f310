import Testing

@testable import RedlockCore

@Suite struct RiskTests {
    private func risk(_ news: RiskNews?) -> Risk? {
        if case .atRisk(let report) = news { report.risk } else { nil }
    }

    @Test func aBareQuorumIsARiskOnceAllHadTheirSay() {
        play(nodes: 5) { script in
            let start = script.now
            let lock = script.acquire()
            script.reply(0..<3, .ok)
            script.reply(3, .error("LOADING"))
            #expect(script.risks == [])
            script.reply(4, .null)
            let votes: [Vote] = [.granted, .granted, .granted, .error("LOADING"), .heldByAnother]
            let report = RiskReport(risk: .noSpareNode, validUntil: start + .milliseconds(9_898), votes: votes)
            #expect(script.risks == [.atRisk(report)])
            // One that is repaired is a spare one, and that is told at once.
            script.advance(by: .seconds(1))
            script.reply(3, .integer(1))
            #expect(script.risks.count == 2)
            #expect(script.risks.last == .recovered(validUntil: start + .milliseconds(9_898)))
            script.reply(4, .integer(1))
            #expect(script.risks.count == 2)
            _ = lock
        }
    }

    @Test func votesThatAreMissingAreNoRiskYet() {
        play(nodes: 5) { script in
            _ = script.acquire()
            script.reply(0..<3, .ok)
            script.advance(by: .milliseconds(99))
            #expect(script.risks == [])
            script.advance(by: .milliseconds(1))
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
                script.reply(0..<2, .error("READONLY"))
                script.reply(2, .integer(1))
            }
            let votes: [Vote] = [.error("READONLY"), .error("READONLY"), .pending]
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
