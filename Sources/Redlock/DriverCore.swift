internal import RedlockCore
internal import RedlockRedis

/// The engine, and what it takes to bring it events, one after the other.
///
/// In one struct, as each use of a variable of a class is checked for exclusive access, and a cycle with five nodes is
/// a dozen events.
struct DriverCore {
    var engine: Engine
    private var generator: any RandomNumberGenerator = RandomBytes()
    /// Events that came while directives were being carried out, in order.
    private var waiting: [Event] = []
    private var isHandling = false
    /// Empty: kept for its room.
    private var spare: [Directive] = []

    init(_ parameters: Parameters) {
        engine = Engine(parameters)
    }

    /// Takes events through the engine, all at the same time. The directives are to be carried out, and
    /// ``goOn(_:into:)`` called until it is over. False, and nothing to do, if another event has brought these about:
    /// then they wait for that.
    mutating func begin(_ events: [Event], _ clock: MonotonicClock, into directives: inout [Directive]) -> Bool {
        guard !isHandling else {
            waiting += events
            return false
        }
        guard !events.isEmpty else { return false }
        isHandling = true
        swap(&spare, &directives)
        handle(events, clock, into: &directives)
        return true
    }

    /// The directives have been carried out: takes the events that wait. False if there is none.
    mutating func goOn(_ clock: MonotonicClock, into directives: inout [Directive]) -> Bool {
        directives.empty()
        guard !waiting.isEmpty else {
            isHandling = false
            swap(&spare, &directives)
            return false
        }
        let events = waiting
        waiting = []
        handle(events, clock, into: &directives)
        return true
    }

    private mutating func handle(_ events: [Event], _ clock: MonotonicClock, into directives: inout [Directive]) {
        engine.handle(events, at: clock.now(), using: &generator, into: &directives)
    }
}
