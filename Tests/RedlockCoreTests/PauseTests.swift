import Testing

@testable import RedlockCore

/// What a process is told that did not run for a while.
@Suite struct PauseTests {
    private func loss(_ script: Script) -> Loss? {
        for case .lost(_, let loss) in script.told { return loss }
        return nil
    }

    private func refusal(_ script: Script) -> Refusal? {
        for case .refused(_, let refusal) in script.told { return refusal }
        return nil
    }

    private func failedExtension(_ script: Script) -> ExtensionRefusal? {
        for case .notExtended(_, let refusal, _) in script.told { return refusal }
        return nil
    }

    @Test func aLossAfterAPauseNamesItAndNoVoteFromBefore() {
        play(nodes: 3) { script in
            _ = script.hold(extendsItself: true)
            script.advance(by: .seconds(2))
            // The extension was due at 3.333 s.
            script.pause(for: .seconds(9))
            script.timer()
            #expect(loss(script)?.reason == .expired)
            #expect(loss(script)?.pause == .seconds(11) - .seconds(10) / 3)
            #expect(loss(script)?.votes == .counts((.pending, 3)))
        }
    }

    @Test func theAnswersThatTheProcessFindsAreFromBeforeThePause() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.advance(by: .seconds(5))
            let caller = script.extend(lock)
            script.pause(for: .seconds(5))
            // A shell serves its sockets first.
            script.reply(0..<3, .integer(1))
            script.timer()
            var refusal = ExtensionRefusal(reason: .expired, votes: .counts((.pending, 3)))
            refusal.pause = .milliseconds(4_900)
            #expect(script.told.contains(.notExtended(lock, refusal, [caller])))
            #expect(loss(script)?.pause == .milliseconds(4_900))
            #expect(loss(script)?.votes == .counts((.pending, 3)))
        }
    }

    @Test func whatNodesSayAfterThePauseIsInTheLoss() {
        play(nodes: 3) { script in
            _ = script.hold(extendsItself: true)
            script.pause(for: .milliseconds(8_800))
            script.timer()
            // It is extended at once. One node answers, and the loss margin is reached.
            script.reply(0, .error("READONLY"))
            script.advance(by: .milliseconds(98))
            #expect(loss(script)?.reason == .notExtended)
            #expect(loss(script)?.pause == .milliseconds(8_800) - .seconds(10) / 3)
            #expect(loss(script)?.votes == [.error("READONLY"), .pending, .pending])
        }
    }

    @Test func aQuorumThatSaysAfterThePauseThatTheKeyIsGoneIsALossByThePause() {
        play(nodes: 3) { script in
            _ = script.hold(extendsItself: true)
            script.pause(for: .milliseconds(8_800))
            script.timer()
            script.reply(0..<2, .integer(0))
            #expect(loss(script)?.reason == .taken)
            #expect(loss(script)?.pause != nil)
            #expect(loss(script)?.votes == [.missing, .missing, .pending])
        }
    }

    @Test func aQuorumThatWasAskedBeforeThePauseLostTheKeyWithoutIt() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.extend(lock)
            script.pause(for: .seconds(5))
            script.reply(0..<2, .integer(0))
            #expect(loss(script)?.reason == .taken)
            #expect(loss(script)?.pause == nil)
            #expect(loss(script)?.votes == [.missing, .missing, .pending])
        }
    }

    @Test func aPauseThatAnExtensionFollowsIsForgotten() {
        play(nodes: 3) { script in
            _ = script.hold(extendsItself: true)
            script.pause(for: .seconds(7))
            script.timer()
            script.reply(0..<3, .integer(1))
            for node in 0..<2 { script.disconnect(node) }
            while loss(script) == nil { script.advance(to: script.nextDeadline) }
            #expect(loss(script)?.pause == nil)
            #expect(loss(script)?.votes.contains { if case .failed(.unreachable) = $0 { true } else { false } } == true)
        }
    }

    @Test func aSlowNodeIsNoPause() {
        play(nodes: 3) { script in
            _ = script.hold(extendsItself: true)
            for node in 0..<3 { #expect(script.unanswered(node).isEmpty) }
            while loss(script) == nil { script.advance(to: script.nextDeadline) }
            #expect(loss(script)?.reason == .notExtended)
            #expect(loss(script)?.pause == nil)
            #expect(
                loss(script)?.votes == .counts((.failed(.stalled), 3)) || loss(script)?.votes == .counts((.timedOut, 3))
            )
        }
    }

    @Test func timersThatAreALittleLateAreNoPause() {
        play(nodes: 3) {
            $0.lossMargin = .zero
        } script: { script in
            _ = script.hold(ttl: .milliseconds(200))
            let end = script.now + .milliseconds(196)
            script.pause(until: end + Limits.shortestPause - Nanoseconds(1))
            script.timer()
            #expect(loss(script)?.reason == .expired)
            #expect(loss(script)?.pause == nil)
            #expect(loss(script)?.votes == .counts((.granted, 3)))
        }
    }

    @Test(arguments: [
        // The margin is there for such delays: a tenth of the ttl, or what was asked for if that is less.
        (nil as Nanoseconds?, Nanoseconds.seconds(1)), (.milliseconds(300), .milliseconds(300)),
        (.seconds(5), .seconds(1)), (.zero, Limits.shortestPause),
    ])
    func aPauseOfTheLossMarginIsNamedAndAShorterOneIsNot(margin: Nanoseconds?, shortest: Nanoseconds) {
        for (pause, isNamed) in [(shortest - Nanoseconds(1), false), (shortest, true)] {
            play(nodes: 1) {
                $0.lossMargin = margin
            } script: { script in
                _ = script.hold()
                // Due is the loss.
                script.pause(until: script.nextDeadline + pause)
                script.timer()
                #expect(loss(script)?.pause == (isNamed ? pause : nil))
            }
        }
    }

    @Test func pausesOfAStarvedProcessAddUp() {
        play(nodes: 1) { script in
            _ = script.hold(extendsItself: true)
            let due = script.nextDeadline
            script.pause(until: due + .milliseconds(400))
            script.timer()
            var total = Nanoseconds.milliseconds(400)
            // The extension is on its way, and times out.
            while loss(script) == nil {
                let due = script.nextDeadline
                script.pause(until: due + .milliseconds(400))
                script.timer()
                total = total + .milliseconds(400)
            }
            let kept = min(total, .milliseconds(400) * Int64(Limits.keptPauses))
            #expect(loss(script)?.pause == kept)
        }
    }

    @Test func onlyTheLastPausesAreKept() {
        var pauses = Pauses()
        pauses.noteCall(at: Instant(nanoseconds: 0))
        let length = Limits.shortestPause
        for turn in 1...Int64(Limits.keptPauses) + 3 {
            pauses.expectCall(at: Instant(nanoseconds: 0) + length * (2 * turn))
            pauses.noteCall(at: Instant(nanoseconds: 0) + length * (2 * turn + 1))
        }
        let sum = pauses.sum(since: Instant(nanoseconds: 0), atLeast: .zero)
        #expect(sum?.length == length * Int64(Limits.keptPauses))
    }

    @Test func aCallThatIsEarlyIsNoPause() {
        var pauses = Pauses()
        pauses.noteCall(at: Instant(nanoseconds: 0))
        pauses.expectCall(at: Instant(nanoseconds: 0) + .seconds(10))
        pauses.noteCall(at: Instant(nanoseconds: 0) + .seconds(9))
        pauses.expectCall(at: .distantFuture)
        pauses.noteCall(at: Instant(nanoseconds: 0) + .seconds(3_600))
        #expect(pauses.isEmpty)
    }

    @Test func aPauseDuringAnAttemptIsWhyItExpired() {
        play(nodes: 3) { script in
            script.acquire()
            script.pause(for: .seconds(12))
            script.reply(0..<3, .ok)
            #expect(refusal(script)?.reason == .expired)
            // Due was the node timeout.
            #expect(refusal(script)?.pause == .milliseconds(11_900))
            #expect(refusal(script)?.votes == .counts((.pending, 3)))
        }
    }

    @Test func anAttemptAfterThePauseHasNothingToDoWithIt() {
        play(nodes: 3) { script in
            script.acquire(wait: .seconds(60))
            script.reply(0..<3, .error("LOADING"))
            script.reply(0..<3, .integer(0))
            script.pause(for: .seconds(20))
            script.timer()
            script.reply(0..<3, .error("LOADING"))
            for case .refused(_, let refusal, _) in script.reports { #expect(refusal.pause == nil) }
        }
    }

    @Test func answersThatAreMissingAfterAPauseAreNamedWithIt() {
        play(nodes: 3) { script in
            script.acquire()
            script.pause(for: .seconds(3))
            script.timer()
            #expect(refusal(script)?.reason == .unavailable)
            #expect(refusal(script)?.pause == .milliseconds(2_900))
            #expect(refusal(script)?.votes == .counts((.timedOut, 2), (.pending, 1)))
        }
    }

    @Test func anExtensionThatFailsDuringAPauseSaysSo() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.extend(lock)
            script.reply(2, .integer(1))
            script.pause(for: .seconds(3))
            script.timer()
            #expect(failedExtension(script)?.reason == .notExtended)
            #expect(failedExtension(script)?.pause == .milliseconds(2_900))
            #expect(failedExtension(script)?.votes == [.timedOut, .timedOut, .granted])
        }
    }

    @Test func aRiskAfterAPauseNamesItUntilTheExtension() {
        play(nodes: 3) { script in
            _ = script.hold(extendsItself: true)
            script.pause(for: .seconds(7))
            script.timer()
            guard case .atRisk(let report)? = script.risks.first else { return script.complain("no risk") }
            #expect(report.risk == .notExtended)
            #expect(report.pause == .seconds(7) - .seconds(10) / 3)
            #expect(report.votes == .counts((.pending, 3)))
            script.reply(0..<3, .integer(1))
            #expect(script.risks.count == 2)
        }
    }

    @Test func aLossWithAReasonOfItsOwnIsNotBlamedOnAPause() {
        play(nodes: 1) { script in
            _ = script.hold(ttl: .seconds(100), maximumHold: .seconds(50))
            script.pause(for: .seconds(45))
            script.timer()
            #expect(loss(script)?.reason == .maximumHold)
            #expect(loss(script)?.pause == nil)
        }
    }
}
