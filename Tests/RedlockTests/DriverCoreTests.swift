import RedlockCore
import Testing

@testable import Redlock

@Suite struct DriverCoreTests {
    /// Acquires, each refused at once: no node was dialled.
    private func acquires(_ count: Int, _ core: inout DriverCore, _ clock: MonotonicClock) -> [Event] {
        (0..<count).map { number in
            .acquire(
                core.engine.newLock()!,
                AcquireRequest(key: [UInt8]("\(number)".utf8), ttl: .seconds(10), deadline: clock.now()))
        }
    }

    /// How much room the directives of an event find.
    private func room(_ core: inout DriverCore, _ clock: MonotonicClock) -> Int {
        var directives: [Directive] = []
        #expect(core.begin([.timer], clock, into: &directives))
        defer { #expect(!core.goOn(clock, into: &directives)) }
        return directives.capacity
    }

    @Test func theRoomThatACrowdTookIsGivenBackAndThatOfAFewIsKept() {
        let clock = MonotonicClock()
        var core = DriverCore(Parameters(nodes: 1))
        for (count, isKept) in [(100, true), (Limits.keptElements + 1, false)] {
            var directives: [Directive] = []
            #expect(core.begin(acquires(count, &core, clock), clock, into: &directives))
            #expect(directives.count >= count)
            #expect(!core.goOn(clock, into: &directives))
            #expect(directives.isEmpty)
            #expect((room(&core, clock) >= 100) == isKept)
        }
    }

    @Test func whatADirectiveBringsAboutWaitsForTheOthersOfItsEvent() {
        let clock = MonotonicClock()
        var core = DriverCore(Parameters(nodes: 1))
        var directives: [Directive] = []
        #expect(core.begin(acquires(1, &core, clock), clock, into: &directives))
        var none: [Directive] = []
        #expect(!core.begin(acquires(1, &core, clock), clock, into: &none))
        #expect(none.isEmpty)
        #expect(core.goOn(clock, into: &directives))
        #expect(!directives.isEmpty)
        #expect(!core.goOn(clock, into: &directives))
    }
}
