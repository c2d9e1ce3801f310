import Testing

@testable import RedlockCore

/// A rule that leaves a deadline behind: the engine is due for a risk that the holder was told of.
private struct StaleDeadline: Rules {
    func awaitsRisk(_ risk: Risk, told: Risk?) -> Bool { true }
}

@Suite struct ProgressTests {
    /// Expectations cannot change a value.
    private final class Watch {
        private var watch = ProgressWatch()

        func noteTimer(at now: Instant, nextDeadline: Instant) -> Bool {
            watch.noteTimer(at: now, nextDeadline: nextDeadline)
        }
        func wakeTime(for deadline: Instant) -> Instant { watch.wakeTime(for: deadline) }
    }

    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test func anEngineThatStaysDueIsReportedOnce() {
        let watch = Watch()
        for _ in 1..<Limits.idleTimers { #expect(!watch.noteTimer(at: start, nextDeadline: start)) }
        #expect(watch.wakeTime(for: start) == start, "so far it may be chance")
        #expect(watch.noteTimer(at: start, nextDeadline: start))
        for _ in 0..<100 { #expect(!watch.noteTimer(at: start, nextDeadline: start)) }
        // It gets on, and stays due once more.
        _ = watch.noteTimer(at: start, nextDeadline: start + .milliseconds(1))
        for _ in 0..<100 { #expect(!watch.noteTimer(at: start, nextDeadline: start)) }
    }

    @Test func anEngineThatGetsOnIsNotHeldUp() {
        let watch = Watch()
        for _ in 0..<10 * Limits.idleTimers {
            for _ in 1..<Limits.idleTimers { #expect(!watch.noteTimer(at: start, nextDeadline: start)) }
            #expect(!watch.noteTimer(at: start, nextDeadline: start + Nanoseconds(1)))
            #expect(watch.wakeTime(for: start) == start)
        }
    }

    @Test func thePauseIsDoubledUpToTheLongest() {
        let watch = Watch()
        for _ in 1..<Limits.idleTimers { _ = watch.noteTimer(at: start, nextDeadline: start) }
        var now = start
        for milliseconds: Int64 in [1, 2, 4, 8, 10, 10, 10] {
            _ = watch.noteTimer(at: now, nextDeadline: start)
            #expect(watch.wakeTime(for: start) == now + .milliseconds(milliseconds))
            #expect(watch.wakeTime(for: now + .seconds(1)) == now + .seconds(1), "a later deadline is kept")
            now = watch.wakeTime(for: start)
        }
        _ = watch.noteTimer(at: now, nextDeadline: now + .seconds(1))
        #expect(watch.wakeTime(for: now) == now, "the engine gets on again")
    }

    /// Without a limit the engine never came back from the timer event.
    @Test func aLockThatStaysDueLeavesTheOthersTheirTimers() {
        play(rules: StaleDeadline()) { script in
            script.mayStayDue = true
            let begin = script.now
            script.acquire("stale", extendsItself: true)
            for node in 0..<3 { script.reply(node, .ok) }
            script.pause(for: .seconds(2))
            script.acquire("other", extendsItself: true)
            for node in 0..<3 { script.reply(node, .ok) }
            // The first extension of the stale one fails: its holder is told.
            script.pause(until: begin + .milliseconds(3_334))
            script.timer()
            for node in 0..<3 { script.reply(node, .error("LOADING")) }
            #expect(script.risks.count == 1)
            script.pause(until: begin + .milliseconds(5_000))
            script.timer()
            #expect(script.nextDeadline <= script.now, "the rule is broken")
            #expect(script.engineDueParts == ["a lock"])
            // The second extension of the stale one fails, too.
            for node in 0..<3 { script.reply(node, .error("LOADING")) }
            // The other one is due for its extension, behind the stale one.
            let sent = script.extensions(of: "other")
            #expect(sent == 0)
            script.pause(until: begin + .milliseconds(5_334))
            script.timer()
            #expect(script.extensions(of: "other") == 3)
            script.mayStayDue = false
        }
    }

    @Test func anEngineThatIsNotDueHasNoDuePart() {
        play { script in
            _ = script.hold()
            #expect(script.engineDueParts == [])
        }
    }
}

extension Script {
    fileprivate var engineDueParts: [String] {
        var copy = engine
        return copy.dueParts(at: now)
    }

    /// Extensions that were sent for this key, to all nodes.
    fileprivate func extensions(of key: String) -> Int {
        (0..<nodeCount).reduce(0) { count, node in
            count
                + sent(node).count {
                    guard case .extend = $0.operation else { return false }
                    return $0.key == [UInt8](key.utf8)
                }
        }
    }
}
