/// Something that was seen in a live run, at a moment of ``MachineClock``.
struct LiveRecord: Sendable {
    enum Content: Sendable {
        case report(ClientReport)
        /// The process is gone; nothing that it believed counts any more.
        case clientGone
        /// A token was sent to a node for the first time, and not to be given up.
        case attempt(token: String, resource: Int)
        /// A command was delivered after its client had given the connection up.
        case lateCommand(resource: Int, node: Int)
        /// What a node has for a resource from here on, by a look at it.
        case key(node: Int, resource: Int, token: String)
        /// A fault of the schedule, by its number.
        case faultBegan(Int)
        case faultEnded(Int)
        /// What happened to a node or a client, for the trace.
        case node(Int, String)
        case client(Int, String)
        case breach(String, String)
        /// A node came back, or was replaced, without what it had granted; clients have it wait.
        case forgot(Int)
        /// A key without an end, or with one that is too far away.
        case strangeExpiry(node: Int, resource: Int, milliseconds: Int64)
        /// These resources were not granted often enough after the healing.
        case starved(String)
        /// A client did not end when it was told to: somebody waits for an answer.
        case unanswered
        /// A key was there when all of them had to be over.
        case keyLeft(node: Int, resource: Int, milliseconds: Int64)
    }

    var content: Content
    var at: Int64
    var client = -1
    var epoch = 0

    init(_ content: Content, at: Int64, client: Int = -1, epoch: Int = 0) {
        self.content = content
        self.at = at
        self.client = client
        self.epoch = epoch
    }
}
