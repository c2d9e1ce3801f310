internal import RedlockCore
internal import RedlockRedis

/// The engine, and what it takes to bring it events, one after the other.
///
/// In one struct, as each use of a variable of a class is checked for exclusive access, and a cycle with five nodes is
/// a dozen events.
struct DriverCore {
    var engine: Engine
    private var wallClock = WallClockBesideBoot()
    private var generator: any RandomNumberGenerator = RandomBytes()
    /// Events that the engine has not been told, in order.
    private(set) var waiting: [Event] = []
    private var isHandling = false
    /// Empty, both: kept for their room.
    private var spareEvents: [Event] = []
    private var spareDirectives: [Directive] = []

    init(_ parameters: Parameters, rules: any Rules = StandardRules()) {
        engine = Engine(parameters, rules: rules)
    }

    /// An event, to be taken through the engine with those that come together with it.
    mutating func add(_ event: Event) {
        waiting.append(event)
    }

    /// Takes what was added through the engine, all at the same time. The directives are to be carried out, and
    /// ``goOn(_:into:)`` called until it is over. False, and nothing to do, if another event has brought these about:
    /// then they wait for that.
    mutating func begin(_ clock: MonotonicClock, into directives: inout [Directive]) -> Bool {
        guard !isHandling, !waiting.isEmpty else { return false }
        isHandling = true
        swap(&spareDirectives, &directives)
        handle(clock, into: &directives)
        return true
    }

    /// The directives have been carried out: takes the events that wait. False if there is none.
    mutating func goOn(_ clock: MonotonicClock, into directives: inout [Directive]) -> Bool {
        directives.empty()
        guard !waiting.isEmpty else {
            isHandling = false
            swap(&spareDirectives, &directives)
            return false
        }
        handle(clock, into: &directives)
        return true
    }

    private mutating func handle(_ clock: MonotonicClock, into directives: inout [Directive]) {
        var events: [Event] = []
        swap(&events, &spareEvents)
        swap(&events, &waiting)
        let now = clock.now()
        engine.handle(events, at: now, wall: wallClock.reading(at: now), using: &generator, into: &directives)
        events.empty()
        swap(&events, &spareEvents)
    }
}
