import Testing

@testable import RedlockCore

@Suite struct RepairTests {
    /// Node 4 cannot be reached when the lock is acquired; the other four of five grant.
    private func holdWithoutNode4(_ script: Script, extendsItself: Bool = false) -> LockID {
        for node in 0..<4 { script.connected(node) }
        script.disconnect(4, "refused")
        let lock = script.acquire(extendsItself: extendsItself)
        script.reply(0..<4, .ok)
        script.advance(by: .milliseconds(20))
        _ = script.news()
        return lock
    }

    private func repairs(_ script: Script, _ node: Int) -> [Int64] {
        script.sent(node).compactMap { if case .repair(let milliseconds) = $0.operation { milliseconds } else { nil } }
    }

    @Test func aNodeThatComesBackGetsTheKeyForWhatIsLeft() {
        play(nodes: 5, connected: false) { script in
            let start = script.now
            let lock = holdWithoutNode4(script)
            script.connected(4)
            #expect(script.sent(4) == [], "not at once")
            // A tenth of the ttl is more than the first pause and its random part.
            script.advance(to: start + .milliseconds(1_000))
            #expect(script.sent(4).count == 1)
            #expect(script.sent(4)[0].token == script.sent(0)[0].token)
            #expect(script.sent(4)[0].spelling == .source)
            let left = repairs(script, 4)[0]
            #expect((9_000...9_750).contains(left), "the ttl, less the fortieth to twentieth that has passed")
            script.reply(4, .integer(1))
            script.advance(by: .seconds(8))
            #expect(script.sent(4).count == 1, "once is enough")
            _ = lock
        }
    }

    @Test func aRepairedKeyEndsNoLaterThanTheOthersAndNoSoonerThanTheValidity() {
        for seed in 1...50 as ClosedRange<UInt64> {
            play(nodes: 5, seed: seed, connected: false) { script in
                let start = script.now
                _ = holdWithoutNode4(script)
                script.connected(4)
                while repairs(script, 4).isEmpty { script.advance(to: script.nextDeadline) }
                let end = script.now + .milliseconds(repairs(script, 4)[0])
                #expect(end <= start + .seconds(10))
                // On the fastest clock that is allowed for, beside the lease's own end.
                let left = Nanoseconds.milliseconds(repairs(script, 4)[0])
                #expect(script.now + (left - left / 100) >= start + .milliseconds(9_898))
            }
        }
    }

    @Test func whenAllGrantNothingIsRepaired() {
        play(nodes: 5) { script in
            _ = script.hold()
            script.advance(by: .seconds(8))
            for node in 0..<5 { #expect(script.operations(node) == [.acquire(milliseconds: 10_000)]) }
            #expect(script.risks == [])
        }
    }

    @Test func aLateGrantIsNotRepaired() {
        play(nodes: 5) { script in
            _ = script.acquire()
            script.reply(0..<3, .ok)
            script.advance(by: .milliseconds(90))
            script.reply(3..<5, .ok)
            script.advance(by: .seconds(8))
            for node in 0..<5 { #expect(script.operations(node).count == 1) }
        }
    }

    @Test func aNodeThatSomebodyElseHadIsTriedAgainAndAgainButNotForEver() {
        play(nodes: 5) { script in
            let start = script.now
            _ = script.acquire(ttl: .seconds(100))
            script.reply(0..<4, .ok)
            script.reply(4, .null)
            while script.now < start + .seconds(90) {
                script.advance(to: min(script.nextDeadline, start + .seconds(90)))
                if !script.unanswered(4).isEmpty { script.reply(4, .integer(-1)) }
            }
            let repairs = repairs(script, 4)
            #expect((5...Limits.repairsPerRound).contains(repairs.count))
            for (one, next) in zip(repairs, repairs.dropFirst()) { #expect(one - next >= 2_500) }
        }
    }

    @Test func triesAfterOneRoundAreLimited() {
        play(nodes: 3) { script in
            let start = script.now
            // The keys last for long, and the pauses follow from the ttl of the request.
            let lock = script.acquire(ttl: .seconds(1))
            script.reply(0..<3, .ok)
            script.extend(lock, ttl: .seconds(1_000))
            script.reply(0..<2, .integer(1))
            script.reply(2, .error("LOADING"))
            while script.now < start + .seconds(900) {
                script.advance(to: min(script.nextDeadline, start + .seconds(900)))
                if !script.unanswered(2).isEmpty { script.reply(2, .error("LOADING")) }
            }
            #expect(repairs(script, 2).count == Limits.repairsPerRound)
        }
    }

    @Test func aMinorityThatLostTheKeyIsRepairedAfterTheExtension() {
        play(nodes: 5) { script in
            let lock = script.hold()
            script.advance(by: .seconds(2))
            let start = script.now
            script.extend(lock)
            script.reply(0..<2, .integer(0))
            script.reply(2..<4, .integer(1))
            script.advance(by: .milliseconds(50))
            #expect(repairs(script, 0) == [], "not before it is won")
            script.reply(4, .integer(1))
            #expect(script.news().count == 1)
            script.advance(by: .seconds(1))
            for node in 0..<2 {
                #expect(repairs(script, node).count == 1)
                script.reply(node, .integer(1))
            }
            let left = repairs(script, 0)[0]
            #expect(script.now + .milliseconds(left) >= start + .seconds(9), "counted from the extension")
            for node in 2..<5 { #expect(repairs(script, node) == []) }
        }
    }

    @Test func anExtensionThatWaitedForAConnectionFindsOutWhoIsToBeRepaired() {
        play(nodes: 3) { script in
            let lock = script.hold()
            script.disconnect(2)
            // It dials, and the extension waits for that.
            while script.connection(2) == nil { script.advance(to: script.nextDeadline) }
            script.extend(lock)
            script.reply(0..<2, .integer(1))
            script.connected(2)
            #expect(script.unanswered(2).map(\.operation) == [.extend(milliseconds: 10_000)])
            script.reply(2, .integer(0))
            script.advance(by: .seconds(1))
            #expect(repairs(script, 2).count == 1)
        }
    }

    @Test func duringAnExtensionAndAfterOneThatFailedNothingIsRepaired() {
        play(nodes: 5, { $0.nodeTimeout = .seconds(5) }) { script in
            let lock = script.acquire(ttl: .seconds(100))
            script.reply(0..<3, .ok)
            script.reply(3..<5, .null)
            script.extend(lock, ttl: .seconds(100))
            script.reply(3..<5, .integer(0))
            script.reply(0, .integer(1))
            // Two nodes are silent: until they have had their time it is undecided, and then it has failed.
            script.advance(by: .seconds(80))
            for node in 0..<5 { #expect(repairs(script, node) == []) }
            #expect(script.told.contains { if case .notExtended = $0 { true } else { false } })
        }
    }

    @Test func aRepairIsNoVoteForAnExtension() {
        play(nodes: 5) { script in
            let lock = script.acquire()
            script.reply(0..<3, .ok)
            script.reply(3..<5, .null)
            while script.unanswered(3).isEmpty { script.advance(to: script.nextDeadline) }
            // The repair is under way when the extension begins.
            let caller = script.extend(lock)
            script.reply(0, .integer(1))
            script.reply(3..<5, .integer(1))
            #expect(!script.told.contains { if case .extended = $0 { true } else { false } })
            script.reply(1..<3, .error("READONLY"))
            // What the nodes say of the extension itself does count: they have the key, and raised it.
            script.reply(3..<5, .integer(1))
            #expect(script.told.contains { if case .extended(lock, _, [caller]) = $0 { true } else { false } })
        }
    }

    @Test func aRepairedNodeCarriesTheLeaseWhenOthersFail() {
        play(nodes: 5) { script in
            let lock = script.acquire()
            script.reply(0..<3, .ok)
            script.reply(3..<5, .null)
            script.advance(by: .seconds(1))
            script.reply(3..<5, .integer(1))
            for node in 0..<2 { script.disconnect(node) }
            let caller = script.extend(lock)
            script.reply(2..<5, .integer(1))
            #expect(script.told.contains { if case .extended(lock, _, [caller]) = $0 { true } else { false } })
        }
    }
}

// MARK: - The end

extension RepairTests {
    @Test func aNodeThatWasNeverAskedBeforeItsRepairIsReleased() {
        play(nodes: 5, connected: false) { script in
            let lock = holdWithoutNode4(script)
            script.connected(4)
            script.advance(by: .seconds(1))
            // Under way: the release follows down the same connection.
            script.release(lock)
            #expect(script.operations(4).last == .release)
            #expect(repairs(script, 4).count == 1)
        }
    }

    @Test func aRepairWhoseAnswerWasLostIsReleasedByTheNextConnection() {
        play(nodes: 5, connected: false) { script in
            let lock = holdWithoutNode4(script)
            script.connected(4)
            script.advance(by: .seconds(1))
            script.disconnect(4)
            script.release(lock)
            script.reply(0..<4, .integer(1))
            script.advance(by: .seconds(1))
            script.connected(4)
            #expect(script.unanswered(4).map(\.operation) == [.release])
        }
    }

    @Test func afterTheReleaseNothingIsRepaired() {
        play(nodes: 5) { script in
            let lock = script.acquire()
            script.reply(0..<3, .ok)
            script.reply(3..<5, .null)
            script.release(lock)
            script.advance(by: .milliseconds(90))
            script.reply(0..<5, .integer(0))
            script.advance(by: .seconds(20))
            for node in 0..<5 { #expect(repairs(script, node) == []) }
        }
    }

    @Test func afterALossNothingIsRepaired() {
        play(nodes: 3) { script in
            let lock = script.acquire()
            script.reply(0..<2, .ok)
            script.reply(2, .null)
            script.pause(for: .milliseconds(8_898))
            script.timer()
            #expect(script.told.contains { if case .lost(lock, _) = $0 { true } else { false } })
            script.advance(by: .seconds(1))
            #expect(repairs(script, 2) == [])
        }
    }

    @Test func aNodeWithMuchToDoIsSentNoRepair() {
        func patiently(_ parameters: inout Parameters) {
            parameters.nodeTimeout = .seconds(20)
            parameters.silenceTimeout = .seconds(60)
        }
        play(nodes: 3, patiently) { script in
            _ = script.acquire(ttl: .seconds(100))
            script.reply(0..<2, .ok)
            script.reply(2, .null)
            for number in 0..<Limits.commandsBeforeRepairs {
                script.cancel(script.acquire("other \(number)", ttl: .seconds(200)))
            }
            script.advance(by: .seconds(6))
            #expect(repairs(script, 2) == [])
            for node in 0..<3 { script.serve(node) }
            script.advance(by: .seconds(20))
            #expect(repairs(script, 2).count == 1)
        }
    }
}
