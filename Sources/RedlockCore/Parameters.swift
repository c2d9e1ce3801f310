/// The numbers that an engine works with. The shell has checked them.
package struct Parameters: Sendable {
    package var nodes: Int
    /// How long a node may take to answer before its vote counts as failed.
    package var nodeTimeout: Nanoseconds = .milliseconds(100)
    /// How long a node may take to be connected and greeted.
    package var connectTimeout: Nanoseconds = .seconds(1)
    /// How long a connection with unanswered commands may stay silent before it is given up and made anew.
    package var silenceTimeout: Nanoseconds = .seconds(2)
    /// Parts per million by which clocks may differ in rate, of the ttl.
    package var driftPartsPerMillion: Int64 = 10_000
    package var retryDelay: Nanoseconds = .milliseconds(100)
    package var retryJitter: Nanoseconds = .milliseconds(100)
    /// How long a waiter that hears nothing goes without asking, at least; half as much again at most.
    package var fallbackDelay: Nanoseconds = .seconds(1)
    /// How long before the end of validity a loss is told; a tenth of the ttl when nil.
    package var lossMargin: Nanoseconds?
    /// How long a node casts no votes that may have forgotten locks; zero for never.
    package var quarantine = Nanoseconds.zero
    /// A server that says that it keeps every write is believed that it did so before this client met it.
    package var trustsDurableNodes = false
    /// How answers to a look are read. Nil: servers are not asked again after the greeting.
    package var looks: Looks?
    /// The longest ttl that any client of these nodes asks for.
    package var longestTTL = Nanoseconds.seconds(60)
    /// Whether the nodes' wall clocks are watched.
    package var guardsClocks = false
    /// Whether ``Directive/report(_:)`` is wanted.
    package var reports = false

    package init(nodes: Int) {
        self.nodes = nodes
    }

    /// The words of ``Command/Operation/look`` belong to the shell, so their answers do too.
    package struct Looks: Sendable {
        /// How many replies answer one look.
        package var replies: Int
        /// What they say; nil if the server cannot tell now.
        package var read: @Sendable ([Reply]) -> Greeting?

        package init(replies: Int, read: @escaping @Sendable ([Reply]) -> Greeting?) {
            self.replies = replies
            self.read = read
        }
    }
}
