/// What a node is asked to do. The shell gives it its words on the wire; the simulated node executes it.
package struct Command: Hashable, Sendable {
    package enum Operation: Hashable, Sendable {
        /// `SET key token NX PX ttl`.
        case acquire(milliseconds: Int64)
        /// The same, and if that is done: accept the fencing number, if it is higher than all that the node accepted.
        case acquireFenced(milliseconds: Int64, number: Int64)
        /// If the key holds our token, accept the fencing number, if it is higher.
        case raise(to: Int64)
        /// `SET key token NX PX ttl`. If it is not set, say how long the other's key still lives there.
        case contend(milliseconds: Int64)
        /// If the key holds our token, raise its expiry to the ttl; never lower it. Never set it.
        case extend(milliseconds: Int64)
        /// If the key is missing, set it; if it holds our token, raise its expiry to the ttl.
        case repair(milliseconds: Int64)
        /// If the key holds our token, delete it. Says how many wait for it, if it tells or counts them.
        case release
        /// `PUBLISH`: tell those who wait for the key that it was released.
        case announce
        /// `TIME`: what the node's wall clock reads. It has no key.
        case readClock
        /// What the greeting asks, again: run id, persistence, role. It has no key, and several replies.
        case look

        /// Whether it sets a key and tells of that.
        var tells: Bool {
            switch self {
            case .contend, .acquireFenced: true
            case .acquire, .raise, .extend, .repair, .release, .announce, .readClock, .look: false
            }
        }
    }

    /// What those who wait for the key are told, on its channel, of what the command does.
    package enum Notice: Hashable, Sendable {
        /// Nothing.
        case nothing
        /// Nothing; but the answer says how many they are. Of a release only.
        case count
        /// What becomes of the key of this node.
        case node
        /// That the resource was released, on all nodes. One node tells it for all, and who hears it asks that one
        /// first. Of a release, or what stands in for one, only.
        case everywhere
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
    package var notice: Notice

    package init(_ operation: Operation, key: [UInt8], token: Token, notice: Notice = .node) {
        self.operation = operation
        self.key = key
        self.token = token
        self.notice = notice
        // A script that a node does not know is sent again, whole, after what went out meanwhile. A repair must not
        // come after the release of its key, so it is whole from the start; it is rare.
        switch operation {
        case .repair, .look: spelling = .source
        default: spelling = .digest
        }
    }

    package static let readClock = Command(.readClock, key: [], token: Token(number: 0))
    package static let look = Command(.look, key: [], token: Token(number: 0))

    package var isRelease: Bool { operation == .release }
    package var isExtension: Bool {
        if case .extend = operation { true } else { false }
    }

    /// Whether it leaves a key behind that must be released.
    package var setsKey: Bool {
        switch operation {
        case .acquire, .contend, .acquireFenced, .repair: true
        case .extend, .raise, .release, .announce, .readClock, .look: false
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
    /// What a subscription connection brings.
    case push(Push)
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
        case (.acquire, .ok), (.contend, .ok): .granted
        case (.acquire, .null), (.contend, .integer): .heldByAnother
        case (.extend, .integer(1)): .granted
        case (.extend, .integer(0)): .missing
        case (.extend, .integer(-1)): .heldByAnother
        case (.repair, .integer(1)): .granted
        case (.repair, .integer(-1)): .heldByAnother
        case (.release, .integer(0)): .missing
        // How many are subscribed, and one; or -1 where the node does not say.
        case (.release, .integer((-1)...)): .granted
        case (.announce, .integer(0...)): .granted
        case (.acquireFenced(_, let proposed), .pair(1, let accepted)) where accepted == proposed: .granted
        case (.acquireFenced, .pair(0, _)): .heldByAnother
        case (.raise(let proposed), .pair(1, let accepted)) where accepted == proposed: .granted
        case (.raise, .pair(0, -2)): .missing
        case (.raise, .pair(0, _)): .heldByAnother
        case (.acquireFenced, .pair(2, let highest)), (.raise, .pair(2, let highest)):
            highest < Limits.fencingNumber ? .numberTooLow(highest) : .failed(.implausibleNumber(highest))
        case (_, .error(let text)): .failed(.errorReply(text))
        case (_, .unexpected(let text)): .failed(.protocolViolation(text))
        case (_, .ok): .failed(.protocolViolation("a status"))
        case (_, .push): .failed(.protocolViolation("a message of a channel"))
        case (_, .null): .failed(.protocolViolation("a null"))
        case (_, .text): .failed(.protocolViolation("a string"))
        case (_, .list): .failed(.protocolViolation("an array"))
        case (_, .integer(let number)): .failed(.protocolViolation("the number \(number)"))
        case (_, .pair(let one, let other)): .failed(.protocolViolation("the numbers \(one) and \(other)"))
        }
    }

    /// How long the key of another still lives, where the answer tells; `forever` where it has no expiry.
    func remaining(on operation: Command.Operation) -> Nanoseconds? {
        switch (operation, self) {
        case (.contend, .integer(-1)), (.acquireFenced, .pair(0, -1)): .forever
        case (.contend, .integer(let milliseconds)), (.acquireFenced, .pair(0, let milliseconds)):
            .milliseconds(min(max(milliseconds, 0), Self.longestMilliseconds))
        default: nil
        }
    }

    /// Of what a release deleted, how many subscriptions its channel has; nil when the node would not say.
    func subscribers(on operation: Command.Operation) -> Int? {
        if operation == .release, case .integer(let number) = self, number >= 1 { Int(number - 1) } else { nil }
    }

    private static var longestMilliseconds: Int64 { Nanoseconds.forever.count / 1_000_000 }

    /// What it means where it comes over a subscription connection.
    package var push: Push? {
        switch self {
        case .push(let push): push
        case .error(let text): .refused(text)
        case .ok, .null, .integer, .pair, .text, .list, .unexpected: nil
        }
    }

    /// The user may not do what was asked.
    var isDenied: Bool {
        if case .error(let text) = self { text.utf8.starts(with: "NOPERM".utf8) } else { false }
    }

    /// The server takes no writes, because it is a replica.
    var isOfReplica: Bool {
        if case .error(let text) = self { text.utf8.starts(with: "READONLY".utf8) } else { false }
    }

    /// The node does not know the script by its digest: it was restarted, or its scripts were flushed.
    var asksForScript: Bool {
        if case .error(let text) = self { text.utf8.starts(with: "NOSCRIPT".utf8) } else { false }
    }
}

/// What comes over a subscription connection, by itself or in answer to a subscription.
package enum Push: Hashable, Sendable {
    case subscribed(channel: [UInt8])
    case unsubscribed(channel: [UInt8])
    case message(channel: [UInt8], payload: [UInt8])
    /// An error reply: as a rule the user may not subscribe.
    case refused(String)
}

/// Where clients tell each other what becomes of a resource: one channel for each key.
///
/// A message is a decimal number: for how many milliseconds the sender has set the key of this node, 0 when it has
/// deleted it. Or the word `released`: the sender has let go of the resource on all nodes.
package enum Channel {
    package static let prefix = "redlock:"
    package static let released = "released"

    /// What is told of a resource.
    package enum Message: Hashable, Sendable {
        /// It was let go of, on all nodes.
        case released
        /// The key of this node is gone.
        case free
        /// The key of this node is set for so long.
        case taken(Nanoseconds)

        /// Nil when it is none of these, or the number is out of all bounds.
        package init?(_ payload: [UInt8]) {
            if payload.elementsEqual(Channel.released.utf8) {
                self = .released
            } else if let milliseconds = Channel.milliseconds(of: payload) {
                self = milliseconds == 0 ? .free : .taken(.milliseconds(milliseconds))
            } else {
                return nil
            }
        }

        package var payload: [UInt8] {
            switch self {
            case .released: [UInt8](Channel.released.utf8)
            case .free: [UInt8]("0".utf8)
            case .taken(let time): [UInt8](String(time.millisecondsRoundedUp).utf8)
            }
        }
    }

    package static func name(of key: [UInt8]) -> [UInt8] { [UInt8](prefix.utf8) + key }

    package static func key(of channel: [UInt8]) -> [UInt8]? {
        let prefix = [UInt8](prefix.utf8)
        return channel.starts(with: prefix) ? [UInt8](channel[prefix.count...]) : nil
    }

    private static func milliseconds(of payload: [UInt8]) -> Int64? {
        guard (1...15).contains(payload.count) else { return nil }
        var number: Int64 = 0
        for byte in payload {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + Int64(byte - 0x30)
        }
        return number <= Nanoseconds.forever.count / 1_000_000 ? number : nil
    }
}
