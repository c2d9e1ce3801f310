/// What a node is asked to do. The shell gives it its words on the wire; the simulated node executes it.
package struct Command: Hashable, Sendable {
    package enum Operation: Hashable, Sendable {
        /// `SET key token NX PX ttl`.
        case acquire(milliseconds: Int64)
        /// The same, and if that is done: accept the fencing number, if it is higher than all that the node accepted.
        case acquireFenced(milliseconds: Int64, number: Int64)
        /// If the key holds our token, accept the fencing number, if it is higher.
        case raise(to: Int64)
        /// If the key holds our token, raise its expiry to the ttl; never lower it. Never set it.
        case extend(milliseconds: Int64)
        /// If the key is missing, set it; if it holds our token, raise its expiry to the ttl.
        case repair(milliseconds: Int64)
        /// If the key holds our token, delete it.
        case release
        /// `TIME`: what the node's wall clock reads. It has no key.
        case readClock
    }

    /// How a script is named: by its digest, or, to a node that does not know it, whole.
    package enum Spelling: Hashable, Sendable {
        case digest
        case source
    }

    package var operation: Operation
    package var key: [UInt8]
    package var token: Token
    package var spelling: Spelling

    package init(_ operation: Operation, key: [UInt8], token: Token) {
        self.operation = operation
        self.key = key
        self.token = token
        // A script that a node does not know is sent again, whole, after what went out meanwhile. A repair must not come
        // after the release of its key, so it is whole from the start; it is rare.
        if case .repair = operation { spelling = .source } else { spelling = .digest }
    }

    package static let readClock = Command(.readClock, key: [], token: Token(number: 0))

    package var isRelease: Bool { operation == .release }

    /// Whether it leaves a key behind that must be released.
    package var setsKey: Bool {
        switch operation {
        case .acquire, .acquireFenced, .repair: true
        case .extend, .raise, .release, .readClock: false
        }
    }
}

/// What a node answered, as the protocol has it.
package enum Reply: Hashable, Sendable {
    case ok
    case null
    case integer(Int64)
    /// An array of two integers: what the scripts of fencing answer.
    case pair(Int64, Int64)
    /// A string that is no status.
    case text(String)
    case list([Reply])
    /// An error reply, its code first: `OOM command not allowed …`.
    case error(String)
    /// Anything else; no command of ours is answered so. The text says what it was.
    case unexpected(String)
}

extension Reply {
    /// What the answer means for the command that it answers.
    package func vote(on operation: Command.Operation) -> Vote {
        switch (operation, self) {
        case (.acquire, .ok): .granted
        case (.acquire, .null): .heldByAnother
        case (.extend, .integer(1)): .granted
        case (.extend, .integer(0)): .missing
        case (.extend, .integer(-1)): .heldByAnother
        case (.repair, .integer(1)): .granted
        case (.repair, .integer(-1)): .heldByAnother
        case (.release, .integer(1)): .granted
        case (.release, .integer(0)): .missing
        case (.acquireFenced(_, let proposed), .pair(1, let accepted)) where accepted == proposed: .granted
        case (.acquireFenced, .pair(0, _)): .heldByAnother
        case (.raise(let proposed), .pair(1, let accepted)) where accepted == proposed: .granted
        case (.raise, .pair(0, -2)): .missing
        case (.raise, .pair(0, _)): .heldByAnother
        case (.acquireFenced, .pair(2, let highest)) where highest <= Limits.fencingNumber: .numberTooLow(highest)
        case (.raise, .pair(2, let highest)) where highest <= Limits.fencingNumber: .numberTooLow(highest)
        case (_, .error(let text)): .failed(.errorReply(text))
        case (_, .unexpected(let text)): .failed(.protocolViolation(text))
        case (_, .ok): .failed(.protocolViolation("a status"))
        case (_, .null): .failed(.protocolViolation("a null"))
        case (_, .text): .failed(.protocolViolation("a string"))
        case (_, .list): .failed(.protocolViolation("an array"))
        case (_, .integer(let number)): .failed(.protocolViolation("the number \(number)"))
        case (_, .pair(let one, let other)): .failed(.protocolViolation("the numbers \(one) and \(other)"))
        }
    }

    /// The node does not know the script by its digest: it was restarted, or its scripts were flushed.
    var asksForScript: Bool {
        if case .error(let text) = self { text.utf8.starts(with: "NOSCRIPT".utf8) } else { false }
    }
}
