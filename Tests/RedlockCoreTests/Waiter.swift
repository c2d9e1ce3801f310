import Testing

@testable import RedlockCore

/// Plays a script with a waiter that was refused by five nodes, is subscribed to some of them, and has asked once more
/// since. The holder's keys live for a minute still; nothing but what the script does brings the waiter back before.
func playWaiter(
    fallback: Nanoseconds = .seconds(3_000), wait: Nanoseconds = .seconds(100_000), attempts: Int? = nil,
    wallClock: Int64? = nil, listening: Range<Int> = 0..<5, _ body: (Script, LockID) throws -> Void
) rethrows {
    try play(nodes: 5) {
        $0.fallbackDelay = fallback
        $0.retryDelay = .seconds(1_000)
        $0.nodeTimeout = .milliseconds(100)
    } script: { script in
        let lock = script.acquire(wait: wait, attempts: attempts, wallClock: wallClock)
        script.reply(0..<5, wallClock == nil ? .null : .pair(0, 60_000))
        script.reply(0..<5, .integer(0))
        for node in listening { script.listening(node) }
        script.advance(by: .milliseconds(2))
        script.reply(0..<5, wallClock == nil ? .integer(60_000) : .pair(0, 60_000))
        script.reply(0..<5, .integer(0))
        try body(script, lock)
    }
}

extension Script {
    /// How often each node was asked for a lock.
    var asked: [Int] {
        (0..<nodeCount).map { node in sent(node).count(where: \.setsKey) }
    }

    func isGranted(_ lock: LockID) -> Bool {
        told.contains { if case .granted(lock, _) = $0 { true } else { false } }
    }

    /// What the caller was told when it was refused; nil if it was not.
    func refusal(of lock: LockID) -> Refusal? {
        for case .refused(lock, let refusal) in told { return refusal }
        return nil
    }
}
