internal import CHiredis
package import Dispatch
internal import Glibc

/// One serial queue, and the sockets and the timer that wake it.
///
/// The sockets are watched by an epoll descriptor of our own, and Dispatch watches that one descriptor. Given a socket,
/// a Dispatch source on Linux loses events or corrupts memory once the peer hangs up (swift-corelibs-libdispatch #949
/// and #833); the epoll descriptor never hangs up.
///
/// Everything here happens on ``queue``. That is what makes it `Sendable`, and what the preconditions check.
package final class EventLoop: @unchecked Sendable {
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

    /// Events taken in one turn; more wait for the next.
    private static let eventsPerTurn = 64

    package let queue: DispatchQueue
    private let epoll: Int32
    private let source: any DispatchSourceRead
    private let timer: any DispatchSourceTimer
    private var armed: DispatchTime?
    private var watches: [UInt64: Watch] = [:]
    private var lastWatch: UInt64 = 0
    private var onTurnEnd: () -> Void = {}
    private var onTimer: () -> Void = {}

    /// A failure of the operating system: no more descriptors, as a rule.
    package struct SystemError: Error, CustomStringConvertible {
        package var description: String
    }

    package init(label: String) throws(SystemError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw SystemError(description: "epoll_create1: \(describeError(errno))") }
        queue = DispatchQueue(label: label)
        source = DispatchSource.makeReadSource(fileDescriptor: epoll, queue: queue)
        timer = DispatchSource.makeTimerSource(queue: queue)
    }

    /// Starts. `onTimer` is called at the armed time, `onTurnEnd` when all sockets that were ready have been served.
    package func start(onTimer: @escaping () -> Void, onTurnEnd: @escaping () -> Void) {
        self.onTimer = onTimer
        self.onTurnEnd = onTurnEnd
        let descriptor = epoll
        source.setEventHandler { @Sendable [self] in
            serveSockets()
            self.onTurnEnd()
        }
        source.setCancelHandler { @Sendable in _ = Glibc.close(descriptor) }
        timer.setEventHandler { @Sendable [self] in
            armed = nil
            // After a pause of this process, answers that have come are no time-outs.
            serveSockets()
            self.onTimer()
            self.onTurnEnd()
        }
        source.activate()
        timer.activate()
    }

    /// Ends. The handlers are let go, and with them whatever they hold.
    package func stop() {
        dispatchPrecondition(condition: .onQueue(queue))
        precondition(watches.isEmpty, "a socket is still being watched")
        timer.cancel()
        source.cancel()
        onTimer = {}
        onTurnEnd = {}
    }

    /// Does something on the queue, as a turn of its own; from any thread.
    package func perform(_ action: @escaping @Sendable () -> Void) {
        queue.async { @Sendable [self] in
            action()
            self.onTurnEnd()
        }
    }

    private func serveSockets() {
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsPerTurn) { events in
            let count = unsafe epoll_wait(epoll, events.baseAddress, Int32(Self.eventsPerTurn), 0)
            for index in 0..<max(0, Int(count)) {
                let event = unsafe events[index]
                guard let watch = watches[unsafe event.data.u64] else { continue }
                // A hang-up and an error are both: whoever reads or writes next learns of them.
                let writable = unsafe event.events & ~EPOLLIN.rawValue != 0
                watch.handler(writable)
            }
        }
    }
}

// MARK: - Sockets

extension EventLoop {
    /// Watches a socket until ``unwatch(_:)``. The handler is told whether it may be written, or has failed; it is
    /// always worth reading.
    package func watch(
        _ descriptor: Int32, _ interest: Interest, handler: @escaping (_ writable: Bool) -> Void
    ) throws(SystemError) -> WatchID {
        dispatchPrecondition(condition: .onQueue(queue))
        lastWatch += 1
        watches[lastWatch] = Watch(descriptor: descriptor, handler: handler)
        let watch = WatchID(number: lastWatch)
        guard control(EPOLL_CTL_ADD, descriptor, watch, interest) else {
            let error = SystemError(description: "epoll_ctl: \(describeError(errno))")
            watches.removeValue(forKey: lastWatch)
            throw error
        }
        return watch
    }

    package func change(_ watch: WatchID, to interest: Interest) {
        guard let descriptor = watches[watch.number]?.descriptor else { return }
        let isChanged = control(EPOLL_CTL_MOD, descriptor, watch, interest)
        precondition(isChanged, "epoll_ctl: \(describeError(errno))")
    }

    /// To be called before the socket is closed.
    package func unwatch(_ watch: WatchID) {
        guard let descriptor = watches.removeValue(forKey: watch.number)?.descriptor else { return }
        let isRemoved = control(EPOLL_CTL_DEL, descriptor, watch, .read)
        precondition(isRemoved, "epoll_ctl: \(describeError(errno))")
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ watch: WatchID, _ interest: Interest) -> Bool {
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue | (interest == .readAndWrite ? EPOLLOUT.rawValue : 0)
        unsafe event.data.u64 = watch.number
        return unsafe epoll_ctl(epoll, operation, descriptor, &event) == 0
    }
}

// MARK: - Timer

extension EventLoop {
    /// Sees to it that `onTimer` is called in this many nanoseconds, or earlier: a wake-up that comes too soon costs
    /// less than arming the timer for each change.
    package func wake(in nanoseconds: Int64) {
        let time = DispatchTime.now() + .nanoseconds(Int(max(0, nanoseconds)))
        if let armed, armed <= time { return }
        armed = time
        timer.schedule(deadline: time, leeway: .nanoseconds(0))
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
