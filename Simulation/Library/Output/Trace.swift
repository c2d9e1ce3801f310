/// One thing that happened in a run, for people and tools that want to know more than the verdict.
package struct TraceRecord: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case attempt
        case send
        case execute
        case reply
        case answer
        case believe
        case disbelieve
        /// What a node has for a resource, from here on.
        case key
        case node
        case client
        case fault
        case faultEnd = "fault-end"
        case breach
        case write
        case margin
        case violation
    }

    package var at: Int64
    package var kind: Kind
    package var client: Int
    package var node: Int
    package var worker: Int
    package var resource: Int
    package var attempt: Int32
    /// An expiry in true nanoseconds, a margin in nodes, or a fault's number.
    package var value: Int64
    package var text: String

    package init(
        _ kind: Kind, at: Int64, client: Int = -1, node: Int = -1, worker: Int = -1, resource: Int = -1,
        attempt: Int32 = -1, value: Int64 = -1, text: String = ""
    ) {
        self.kind = kind
        self.at = at
        self.client = client
        self.node = node
        self.worker = worker
        self.resource = resource
        self.attempt = attempt
        self.value = value
        self.text = text
    }

    package var json: JSON {
        func present(_ number: Int) -> JSON? { number < 0 ? nil : JSON(number) }
        let isTime = kind == .key || kind == .believe
        return .record([
            "at_us": .number(at / 1_000), "kind": .string(kind.rawValue), "client": present(client),
            "node": present(node), "worker": present(worker), "resource": present(resource),
            "attempt": present(Int(attempt)),
            isTime ? "until_us" : "value": value < 0 ? nil : .number(isTime ? value / 1_000 : value),
            "text": text.isEmpty ? nil : .string(text),
        ])
    }
}
