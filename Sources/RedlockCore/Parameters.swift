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
    /// The longest ttl that any client of these nodes asks for.
    package var longestTTL = Nanoseconds.seconds(60)
    /// Whether the nodes' wall clocks are watched.
    package var guardsClocks = false
    /// Whether ``Directive/report(_:)`` is wanted.
    package var reports = false

    package init(nodes: Int) {
        self.nodes = nodes
    }
}
