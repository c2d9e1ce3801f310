internal import CHiredis
internal import Glibc
internal import PosixLock

/// Sockets, a timer, and turns: what belongs to the loop is touched by one thread at a time, in a turn.
///
/// A thread of the loop's own waits for the sockets and the timer. Whoever asks for something while nobody is in a turn
/// takes one on its own thread, so that a command leaves without waking another, and serves what wakes the loop's
/// thread meanwhile. When many are being served, what is asked for gathers for the loop's thread: one turn, and one write
/// for each node.
///
/// The sockets are watched by epoll, not by Dispatch: a Dispatch source on Linux loses events or corrupts memory once
/// the peer of its socket hangs up (swift-corelibs-libdispatch #949 and #833).
@safe package final class EventLoop: @unchecked Sendable {
    package enum Interest {
        case read
        case readAndWrite
    }

    /// Names a watch; never reused, so that an event that was in flight when its socket was closed finds nobody.
    package struct WatchID: Hashable {
        fileprivate let number: UInt64
    }

    private struct Watch {
        let descriptor: Int32
        let handler: (_ writable: Bool) -> Void
    }

    /// What is read from a socket at once, in bytes.
    private static let readBytes = 16_384
    /// Events taken in one turn; more wait for the next.
    private static let eventsPerTurn = 64
    /// How often a caller's thread serves the sockets before it leaves them to the loop's.
    static let passesPerCaller = 8
    /// What the descriptors that are no sockets are watched as. Watches begin above.
    private static let wakeUp: UInt64 = 0
    private static let timerExpiry: UInt64 = 1

    private let epoll: Int32
    private let timer: Int32
    private let bell: Int32
    let gate = TurnGate()
    /// What tasks want to do on the loop's thread.
    let jobs = Locked(Jobs())
    /// Nil once the loop is stopped: what nobody will do must not be kept, for it may hold the loop.
    private let actions = Locked<[@Sendable () -> Void]?>([])

    // From here on: in a turn only.
    /// What comes from a socket is read into this, and used before anything else is read.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readBytes, alignment: 1)
    private var watches: [UInt64: Watch] = [:]
    private var lastWatch = timerExpiry
    /// When the timer expires; nil when it has, or has not been set.
    private var armed: Int64?
    private var onTurn: () -> Void = {}
    private var onTimer: () -> Void = {}
    private var isBusy = false
    private var turnThread: pthread_t?
    /// The jobs of a round, on the loop's thread. Empty in between: kept for its room.
    var jobsOfRound: [UnownedJob] = []

    /// A failure of the operating system: no more descriptors, as a rule.
    package struct SystemError: Error, CustomStringConvertible {
        package var description: String
    }

    package init() throws(SystemError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        timer = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, timer >= 0, bell >= 0 else {
            throw SystemError(description: "a descriptor for the event loop: \(describeError(errno))")
        }
        guard control(EPOLL_CTL_ADD, bell, Self.wakeUp, .read), control(EPOLL_CTL_ADD, timer, Self.timerExpiry, .read)
        else {
            throw SystemError(description: "epoll_ctl: \(describeError(errno))")
        }
    }

    /// Also when `init` throws, for by then there is a value in every property.
    deinit {
        unsafe readBuffer.deallocate()
        for descriptor in [epoll, timer, bell] where descriptor >= 0 { _ = close(descriptor) }
    }
}

// MARK: - Turns

extension EventLoop {
    /// Starts the thread, which keeps the loop alive until ``stop()``.
    ///
    /// - Parameters:
    ///   - onTimer: Called in a turn when the time has come that ``wake(at:)`` set, after the sockets were served.
    ///   - onTurn: Called at the end of every turn, and again as long as ``ask(_:)`` was called or something came
    ///     meanwhile.
    package func start(onTimer: @escaping () -> Void, onTurn: @escaping () -> Void) throws(SystemError) {
        self.onTimer = onTimer
        self.onTurn = onTurn
        do throws(ThreadError) {
            try startThread { [self] in run() }
        } catch {
            // They hold whoever has this loop.
            self.onTimer = {}
            self.onTurn = {}
            throw SystemError(description: error.description)
        }
    }

    /// Has a turn taken: with `onTurn` on this thread and at once, or by whoever is in one now, or by the loop's
    /// thread. On this thread, what the loop's thread was woken for meanwhile is served in it too, unless the loop is
    /// busy, and `onTurn` is called again for that.
    package func ask(_ onTurn: () -> Void) {
        switch gate.ask(here: true) {
        case .entered:
            turnThread = pthread_self()
            work(onTurn, isOwnThread: false)
        case .wake:
            ring()
        case .taken, .asleep:
            break
        }
    }

    /// Has a turn taken, but not on this thread. Nothing after ``stop()``.
    package func askThread() {
        if gate.ask(here: false) == .wake { ring() }
    }

    /// Does something in a turn of the loop's thread, or of whoever is in one; from any thread. Nothing after
    /// ``stop()``.
    package func perform(_ action: @escaping @Sendable () -> Void) {
        actions.withLock { $0?.append(action) }
        askThread()
    }

    /// Whether so many are being served that what is asked for should gather. In a turn.
    package func setBusy(_ isBusy: Bool) {
        self.isBusy = isBusy
    }

    package func preconditionInTurn() {
        // Only a thread that is in a turn finds itself here.
        precondition(turnThread == pthread_self(), "the event loop is used outside of a turn")
    }

    /// Ends, with the turn that this is called in. The handlers are let go, and with them whatever they hold.
    package func stop() {
        preconditionInTurn()
        precondition(watches.isEmpty, "a socket is still being watched")
        gate.stop()
        actions.withLock { $0 = nil }
        onTimer = {}
        onTurn = {}
        ring()
    }

    /// - Parameter isOwnThread: Whether this is the loop's thread. A caller's does for it what it was woken for, while it
    ///   waits to get in: before a caller has sent to all nodes, the first have answered, as a rule. Often that is all
    ///   that is waited for: then the caller need not be woken, nor even have slept.
    private func work(_ onTurn: () -> Void, isOwnThread: Bool) {
        var passes = isOwnThread ? 0 : Self.passesPerCaller
        while true {
            for action in takeActions() { action() }
            onTurn()
            if passes > 0, !isBusy, gate.isAwaited, serveWhatHasCome() {
                passes -= 1
                continue
            }
            turnThread = nil
            switch gate.leave(isBusy: isBusy, mayStay: isOwnThread) {
            case .again: turnThread = pthread_self()
            case .wake: return ring()
            case .left: return
            }
        }
    }

    private func takeActions() -> [@Sendable () -> Void] {
        actions.withLock { actions in
            guard let taken = actions else { return [] }
            actions = []
            return taken
        }
    }

    private func ring() {
        _ = eventfd_write(bell, 1)
    }

    private func run() {
        unsafe withRoomForEvents { room in
            beginJobs()
            while true {
                var events = unsafe wait(room, milliseconds: hasJobs ? 0 : -1)
                switch gate.enter() {
                case .entered: break
                // Whoever was in has served what had come, perhaps.
                case .enteredLate: unsafe events = wait(room, milliseconds: 0)
                case .stopped: return endJobs()
                }
                turnThread = pthread_self()
                unsafe serve(events, room)
                // In the turn: what they ask for is one turn with what came over the sockets.
                runJobs()
                work(onTurn, isOwnThread: true)
            }
        }
    }

    /// On a caller's thread. False if nothing has come.
    private func serveWhatHasCome() -> Bool {
        unsafe withRoomForEvents { room in
            let events = unsafe wait(room, milliseconds: 0)
            unsafe serve(events, room)
            return !events.isEmpty
        }
    }

    private typealias Events = UnsafeMutableBufferPointer<epoll_event>

    private func withRoomForEvents<Result>(_ body: (Events) -> Result) -> Result {
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsPerTurn, body)
    }

    private func wait(_ room: Events, milliseconds: Int32) -> Events {
        let count = unsafe epoll_wait(epoll, room.baseAddress!, Int32(room.count), milliseconds)
        return unsafe Events(rebasing: room[..<max(0, Int(count))])
    }

    /// - Parameter room: Where the events are; for others, if the timer has expired.
    private func serve(_ events: Events, _ room: Events) {
        guard unsafe serveSockets(events) else { return }
        // After a pause of this process, answers that have come are no time-outs.
        _ = unsafe serveSockets(wait(room, milliseconds: 0))
        onTimer()
    }

    /// Whether the timer has expired.
    private func serveSockets(_ events: Events) -> Bool {
        var isTime = false
        for index in events.indices {
            let event = unsafe events[index]
            switch unsafe event.data.u64 {
            case Self.wakeUp:
                var count: eventfd_t = 0
                _ = unsafe eventfd_read(bell, &count)
            case Self.timerExpiry:
                var count: UInt64 = 0
                _ = unsafe read(timer, &count, MemoryLayout<UInt64>.size)
                armed = nil
                isTime = true
            case let number:
                guard let watch = watches[number] else { continue }
                // A hang-up and an error are both: whoever reads or writes next learns of them.
                watch.handler(unsafe event.events & ~EPOLLIN.rawValue != 0)
            }
        }
        return isTime
    }
}

// MARK: - Sockets

extension EventLoop {
    /// Watches a socket until ``unwatch(_:)``. The handler is told whether it may be written, or has failed; it is
    /// always worth reading.
    package func watch(
        _ descriptor: Int32, _ interest: Interest, handler: @escaping (_ writable: Bool) -> Void
    ) throws(SystemError) -> WatchID {
        preconditionInTurn()
        lastWatch += 1
        watches[lastWatch] = Watch(descriptor: descriptor, handler: handler)
        guard control(EPOLL_CTL_ADD, descriptor, lastWatch, interest) else {
            let error = SystemError(description: "epoll_ctl: \(describeError(errno))")
            watches.removeValue(forKey: lastWatch)
            throw error
        }
        return WatchID(number: lastWatch)
    }

    package func change(_ watch: WatchID, to interest: Interest) {
        guard let descriptor = watches[watch.number]?.descriptor else { return }
        let isChanged = control(EPOLL_CTL_MOD, descriptor, watch.number, interest)
        precondition(isChanged, "epoll_ctl: \(describeError(errno))")
    }

    /// To be called before the socket is closed.
    package func unwatch(_ watch: WatchID) {
        guard let descriptor = watches.removeValue(forKey: watch.number)?.descriptor else { return }
        let isRemoved = control(EPOLL_CTL_DEL, descriptor, watch.number, .read)
        precondition(isRemoved, "epoll_ctl: \(describeError(errno))")
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ number: UInt64, _ interest: Interest) -> Bool {
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue | (interest == .readAndWrite ? EPOLLOUT.rawValue : 0)
        unsafe event.data.u64 = number
        return unsafe epoll_ctl(epoll, operation, descriptor, &event) == 0
    }
}

// MARK: - Timer

extension EventLoop {
    /// Sees to it that `onTimer` is called at this time, or earlier: a wake-up that comes too soon costs less than
    /// setting the timer for each change.
    ///
    /// - Parameter time: Nanoseconds of ``BootClock``.
    package func wake(at time: Int64) {
        if let armed, armed <= time { return }
        armed = time
        // Zero would mean never.
        let time = max(1, time)
        var value = itimerspec()
        value.it_value = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        let status = unsafe timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &value, nil)
        precondition(status == 0, "timerfd_settime: \(describeError(errno))")
    }
}

/// What an error number means, in words.
func describeError(_ number: Int32) -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
        // The thread-safe one of POSIX, which fills the buffer and returns a status.
        unsafe strerror_r(number, buffer.baseAddress!, buffer.count) == 0
            ? unsafe String(cString: buffer.baseAddress!) : "error \(number)"
    }
}
