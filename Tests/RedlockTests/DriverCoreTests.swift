import RedlockCore
import Testing

@testable import Redlock

@Suite struct DriverCoreTests {
    /// Acquires, each refused at once: no node was dialled.
    private func addAcquires(_ count: Int, to core: inout DriverCore, _ clock: MonotonicClock) {
        for number in 0..<count {
            core.add(
                .acquire(
                    core.engine.newLock()!,
                    AcquireRequest(key: [UInt8]("\(number)".utf8), ttl: .seconds(10), deadline: clock.now())))
        }
    }

    /// How much room the directives of an event find.
    private func room(_ core: inout DriverCore, _ clock: MonotonicClock) -> Int {
        var directives: [Directive] = []
        core.add(.timer)
        #expect(core.begin(clock, into: &directives))
        defer { #expect(!core.goOn(clock, into: &directives)) }
        return directives.capacity
    }

    @Test func theRoomThatACrowdTookIsGivenBackAndThatOfAFewIsKept() {
        let clock = MonotonicClock()
        var core = DriverCore(Parameters(nodes: 1))
        for (count, isKept) in [(100, true), (Limits.keptElements + 1, false)] {
            var directives: [Directive] = []
            addAcquires(count, to: &core, clock)
            #expect(core.begin(clock, into: &directives))
            #expect(directives.count >= count)
            #expect(!core.goOn(clock, into: &directives))
            #expect(directives.isEmpty)
            #expect((room(&core, clock) >= 100) == isKept)
            // Events have two rooms, which take turns.
            let rooms = (0..<2).map { _ in
                _ = room(&core, clock)
                return core.waiting.capacity
            }
            #expect((rooms.max()! >= 100) == isKept)
        }
    }

    @Test func whatADirectiveBringsAboutWaitsForTheOthersOfItsEvent() {
        let clock = MonotonicClock()
        var core = DriverCore(Parameters(nodes: 1))
        var directives: [Directive] = []
        addAcquires(1, to: &core, clock)
        #expect(core.begin(clock, into: &directives))
        var none: [Directive] = []
        addAcquires(1, to: &core, clock)
        #expect(!core.begin(clock, into: &none))
        #expect(none.isEmpty)
        #expect(core.goOn(clock, into: &directives))
        #expect(!directives.isEmpty)
        #expect(!core.goOn(clock, into: &directives))
        #expect(!core.begin(clock, into: &directives), "there is nothing left")
    }
}
