import RedlockCore

/// One TCP connection between a client and a node: two queues that keep their order, come what may.
struct Connection: Sendable {
    enum ToNode: Sendable {
        /// The dial, and the greeting that asks the process for a sign of life.
        case hello
        case command(Command, attempt: Int32)
        case subscribe(Bool, resource: Int)
        /// The client has closed its end.
        case close
    }

    enum ToClient: Sendable {
        /// And what the node said of itself when it was greeted.
        case connected(Greeting)
        case reply(Reply)
        case push(Push)
        case closed(String)
    }

    /// One direction: what is under way, and why it may stand still.
    struct Lane<Message: Sendable>: Sendable {
        var messages = Fifo<(arrival: Int64, message: Message)>()
        /// No message overtakes the one before it.
        var lastArrival: Int64 = 0
        /// An event will look at the oldest message.
        var isScheduled = false
        /// Since when the network has swallowed the oldest message; the sender tries again, ever more seldom.
        var blockedSince: Int64 = -1

        mutating func append(_ message: Message, arrival: Int64) {
            lastArrival = max(lastArrival, arrival)
            messages.append((lastArrival, message))
        }
    }

    /// Tells the uses of a place in the table apart.
    var generation: UInt32 = 0
    var isInUse = false
    var client = 0
    var node = 0
    /// The node's number in the client's own list.
    var nodeOfClient = 0
    /// What the client's engine calls it.
    var id = ConnectionID(number: 0)
    /// The restarts of the node when it accepted this; nil until it has.
    var incarnation: UInt32?
    /// It is for subscriptions, and for nothing else.
    var isListener = false
    /// The resources that the node has it subscribed to, a bit each.
    var subscriptions: UInt32 = 0
    var isClosedByClient = false
    var isClosedByNode = false
    /// When the client learned that it is connected; never before.
    var readyAt = Clock.never
    /// Numbers connections through the run, so that a key remembers which one set it.
    var serial: UInt32 = 0
    var toNode = Lane<ToNode>()
    var toClient = Lane<ToClient>()

    /// Nothing is under way in either direction.
    var isQuiet: Bool { toNode.messages.isEmpty && toClient.messages.isEmpty }
}

/// The way between one client and one node, whatever connection uses it.
struct Link: Sendable {
    /// The connection that the client uses now; -1 for none.
    var connection = -1
    /// The same for subscriptions.
    var listener = -1
    /// One way, the quickest, in nanoseconds.
    var delay: Int64
    /// How many partitions swallow each direction.
    var blocksToNode = 0
    var blocksToClient = 0
    /// The most that a delay fault adds, summed over the faults, and the loss in a thousand likewise.
    var extraDelay: Int64 = 0
    var loss: Int64 = 0
}

/// When TCP sends again what the network swallowed.
enum Retransmission {
    /// Linux' shortest time-out, doubled with every try.
    static let first = WorldOptions.milliseconds(200)
    /// Linux goes on to two minutes; the library gives a silent connection up long before.
    static let last = WorldOptions.milliseconds(25_600)

    /// The first try at or after `time`, for bytes first sent at `start`.
    static func next(after start: Int64, notBefore time: Int64) -> Int64 {
        var attempt = start
        var pause = first
        while attempt < time {
            attempt += pause
            pause = min(pause * 2, last)
        }
        return attempt
    }
}
