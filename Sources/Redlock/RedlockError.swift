/// Why there is no lock, or no longer one; with what each node said.
///
/// Descriptions contain no tokens and no passwords.
public struct RedlockError: Error, Hashable, Sendable {
    /// The kinds of error. More may be added; a `switch` over them needs a default.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name, as it appears in logs.
        public let rawValue: String

        /// A code by its name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The resource was held until the wait was over: by another process, or by this one. The message says if it was
        /// this one.
        public static let heldByAnother = Code(rawValue: "heldByAnother")
        /// Too few nodes could be asked for a quorum, until the wait was over.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The validity was over before the lock was acquired, or before it was extended.
        public static let expired = Code(rawValue: "expired")
        /// A lease could not be kept: the holder must stop, or has been stopped. The message says if it was lost because
        /// this process did not run for a while.
        public static let lost = Code(rawValue: "lost")
        /// An extension did not reach a quorum. The lease stays valid until the end it had.
        public static let notExtended = Code(rawValue: "notExtended")
        /// The task was cancelled while it waited for the lock.
        public static let cancelled = Code(rawValue: "cancelled")
        /// The lease had been released.
        public static let released = Code(rawValue: "released")
        /// `shutdown()` was called.
        public static let shutDown = Code(rawValue: "shutDown")
        /// An argument is outside its range; the message names it and the rule.
        public static let invalidArgument = Code(rawValue: "invalidArgument")
        /// The operating system refused something, as a rule a file descriptor.
        public static let system = Code(rawValue: "system")
    }

    /// What kind of error it is.
    public let code: Code
    /// What happened, in a sentence.
    public let message: String
    /// The resource, where there is one.
    public let resource: Resource?
    /// What each node contributed; empty where nobody was asked.
    public let votes: [NodeVote]

    init(_ code: Code, _ message: String, resource: Resource? = nil, votes: [NodeVote] = []) {
        self.code = code
        self.message = message
        self.resource = resource
        self.votes = votes
    }
}

extension RedlockError: CustomStringConvertible {
    /// One line: the code, the resource, the message, the votes.
    public var description: String {
        let name = resource.map { " '\($0)'" } ?? ""
        let votes = votes.isEmpty ? "" : " [" + self.votes.map(\.description).joined(separator: "; ") + "]"
        return "\(code.rawValue)\(name): \(message)\(votes)"
    }
}
