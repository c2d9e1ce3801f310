package import RedlockCore
package import RedlockRedis

/// Why a node could not be asked.
package enum ProbeFailure: Error, Hashable, Sendable {
    case connection(BlockingConnection.Failure)
    /// Its name was still being looked up when the time was over.
    case lookUpTimedOut
    /// It let nobody sign in so, and what it said.
    case signIn(String)
    /// The database of the URL cannot be selected.
    case database(String)
    /// It takes no connection from here, and why: protected mode, too many clients.
    case turnedAway(String)
}

/// What a node answered, as it came.
package struct NodeAnswers: Sendable {
    /// What is asked besides what every client asks, each a command.
    static let questions = [["INFO", "memory"], ["INFO", "stats"], ["INFO", "cpu"]]

    /// One reading of its clock.
    package struct ClockSample: Hashable, Sendable {
        /// Microseconds of our wall clock when the question was sent.
        package var sentAt: Int64
        package var roundTrip: Nanoseconds
        package var reply: Reply

        package init(sentAt: Int64, roundTrip: Nanoseconds, reply: Reply) {
            self.sentAt = sentAt
            self.roundTrip = roundTrip
            self.reply = reply
        }
    }

    /// When it was dialled, and when the facts had come.
    package var dialledAt: Instant
    package var answeredAt: Instant
    /// To the questions of ``NodeFactsReader``.
    package var facts: [Reply]
    /// To ``questions``.
    package var info: [Reply]
    /// To the trials of ``Right/all``.
    package var rights: [Reply]
    package var clock: [ClockSample]
    /// The fencing numbers of the resources that were named, and the floor; empty if none was named.
    package var numbers: [Reply] = []
    /// The URL has a password.
    package var hasPassword: Bool
    /// To DEL of a key that is not there, or to the PING before it, on a connection that has not signed in. Nil when
    /// the URL has no password, or nothing came.
    package var stranger: Reply?

    package init(
        dialledAt: Instant, answeredAt: Instant, facts: [Reply], info: [Reply], rights: [Reply], clock: [ClockSample],
        hasPassword: Bool = false, stranger: Reply? = nil
    ) {
        self.dialledAt = dialledAt
        self.answeredAt = answeredAt
        self.facts = facts
        self.info = info
        self.rights = rights
        self.clock = clock
        self.hasPassword = hasPassword
        self.stranger = stranger
    }
}
