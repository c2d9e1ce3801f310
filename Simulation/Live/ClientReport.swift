/// A line that a client process writes: something that one of its workers did or was told, and when.
struct ClientReport: Hashable, Sendable {
    enum Kind: String, Sendable {
        /// All nodes are connected.
        case ready
        case asked
        /// `value` is the end of validity, `other` the fencing token, zero for none.
        case granted
        case refused
        /// `value` is the end of validity.
        case extended
        case notExtended = "not-extended"
        case lost
        /// The holder lets go; it believes no more. `value` is the end of validity that it had.
        case releasing
        case released
        /// A write leaves the process. `value` is when the lease was checked, `other` when it was to leave.
        case written
        /// The holder checked, and did not write.
        case writeRefused = "write-refused"
        /// A node answered a command with an error.
        case errorReply = "error-reply"
        /// Some lease of the process is at risk, is so no longer, or had a key set again on a node.
        case atRisk = "at-risk"
        case recovered
        case repaired
        /// The library says that its engine makes no progress; `text` says why.
        case noProgress = "no-progress"
        /// A worker will ask no more.
        case ended
    }

    var kind: Kind
    /// On ``MachineClock``.
    var at: Int64
    var worker = 0
    var resource = 0
    /// Counts a client process' grants.
    var hold = -1
    var value: Int64 = 0
    var other: Int64 = 0
    var text = ""

    init(_ kind: Kind, at: Int64, worker: Int = 0) {
        self.kind = kind
        self.at = at
        self.worker = worker
    }

    var line: String {
        "\(kind.rawValue) \(at) \(worker) \(resource) \(hold) \(value) \(other) \(text)"
    }

    /// Nil for a line that makes no sense.
    init?(line: String) {
        let words = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: false)
        guard words.count == 8, let kind = Kind(rawValue: String(words[0])), let at = Int64(words[1]),
            let worker = Int(words[2]), let resource = Int(words[3]), let hold = Int(words[4]),
            let value = Int64(words[5]), let other = Int64(words[6])
        else { return nil }
        self.kind = kind
        self.at = at
        self.worker = worker
        self.resource = resource
        self.hold = hold
        self.value = value
        self.other = other
        text = String(words[7])
    }
}
