import Testing

@testable import RedlockCore

/// Wall clocks of the client that gain on its boot clock.
struct ClientClocksTests {
    private static func play(_ script: (Script, LockID) throws -> Void, extendsItself: Bool = false) rethrows {
        try RedlockCoreTests.play(nodes: 3, { $0.guardsClocks = true }) { stage in
            stage.wallLead = .seconds(1_700_000_000)
            for node in 0..<3 { stage.serve(node) }
            let lock = stage.acquire(ttl: .seconds(10), extendsItself: extendsItself)
            for node in 0..<3 { stage.serve(node) }
            _ = stage.news()
            stage.advance(by: .seconds(1))
            for node in 0..<3 { stage.serve(node) }
            try script(stage, lock)
            stage.release(lock)
        }
    }

    private static func gain(_ script: Script, _ amount: Nanoseconds) {
        script.wallLead = script.wallLead! + amount
        script.timer()
    }

    @Test func aLeaseThatMayBeOverIsExtendedAtOnceAndNotValidBefore() {
        Self.play { script, lock in
            Self.gain(script, .seconds(20))
            #expect(script.doubts == [script.now])
            #expect(script.unanswered(0).map(\.operation) == [.extend(milliseconds: 9_000)])
            guard case .atRisk(let report)? = script.risks.last else { return script.complain("no risk") }
            #expect(report.risk == .clockGained && report.clockGain == .seconds(20))
            // The wall clock was merely set: the keys are there.
            for node in 0..<3 { script.serve(node) }
            guard case .extended(lock, let end, [])? = script.news().last else {
                return script.complain("not extended")
            }
            #expect(end > script.now + .milliseconds(8_890))
            guard case .recovered? = script.risks.last else { return script.complain("not recovered") }
        }
    }

    @Test func aLeaseThatNoQuorumConfirmsIsLostWithThatReason() {
        Self.play { script, lock in
            Self.gain(script, .seconds(20))
            script.serve(0)
            for node in 1...2 { script.disconnect(node) }
            guard case .lost(lock, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.reason == .clockGained && loss.clockGain == .seconds(20))
        }
    }

    @Test func keysThatAreGoneAreALossThatNamesTheGain() {
        Self.play { script, lock in
            for node in 0..<3 { script.expireKeys(on: node) }
            Self.gain(script, .seconds(20))
            for node in 0..<3 { script.serve(node) }
            guard case .lost(lock, let loss)? = script.news().last else { return script.complain("not lost") }
            #expect(loss.reason == .taken && loss.clockGain == .seconds(20))
        }
    }

    @Test func aLeaseThatIsNotOverGetsShorterByTheGainUntilItIsExtended() {
        Self.play { script, lock in
            Self.gain(script, .seconds(3))
            // 8,898 ms are left, less 3 s.
            #expect(script.doubts == [script.now + .milliseconds(5_898)])
            for node in 0..<3 { script.serve(node) }
            guard case .extended(lock, let end, [])? = script.news().last else {
                return script.complain("not extended")
            }
            #expect(end > script.now + .milliseconds(8_890))
        }
    }

    @Test func anExtensionThatBeganBeforeDoesNotConfirmIt() {
        Self.play { script, lock in
            script.advance(by: .milliseconds(100))
            let caller = script.extend(lock)
            Self.gain(script, .seconds(20))
            for node in 0..<3 {
                script.reply(node, script.execute(.readClock, on: node))
                script.reply(node, .integer(1))
            }
            #expect(!script.news().contains { if case .extended = $0 { true } else { false } })
            for node in 0..<3 { script.serve(node) }
            #expect(script.news().contains { if case .extended(lock, _, [caller]) = $0 { true } else { false } })
        }
    }

    @Test func anAttemptThatMayBeTooOldIsGivenUp() {
        Self.play { script, _ in
            let lock = script.acquire("other", ttl: .seconds(10))
            Self.gain(script, .seconds(20))
            guard case .refused(lock, let refusal)? = script.news().last else { return script.complain("not refused") }
            #expect(refusal.reason == .expired)
            for node in 0..<3 { script.serve(node) }
        }
    }

    @Test(arguments: [Nanoseconds.milliseconds(2), .milliseconds(-5_000), .zero])
    func aClockWithinTheDriftOrSetBackChangesNothing(amount: Nanoseconds) {
        Self.play { script, _ in
            script.advance(by: .milliseconds(900))
            Self.gain(script, amount)
            #expect(script.doubts.isEmpty)
        }
    }

    @Test func withoutTheGuardNothingIsCompared() {
        RedlockCoreTests.play { script in
            script.wallLead = .zero
            let lock = script.hold()
            Self.gain(script, .seconds(100))
            #expect(script.doubts.isEmpty)
            script.release(lock)
        }
    }
}
