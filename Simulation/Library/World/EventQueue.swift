/// What is to happen when. Equal times come out in the order in which they were put in.
struct EventQueue: Sendable {
    enum Kind: UInt8, Sendable {
        /// Bytes arrive at a node; a connection and its generation.
        case toNode
        /// Bytes arrive at a client; a connection and its generation.
        case toClient
        /// A client's timer; a client and the timer's number.
        case timer
        /// A worker takes its next step; a worker and the step's number.
        case work
        /// A worker's write, which it had checked a moment ago, leaves the process.
        case write
        /// A write reaches the protected resource.
        case writeArrival
        /// A worker does not want to wait any longer.
        case cancel
        /// The end of a belief that nobody ended before; a hold.
        case beliefEnd
        /// Whether an attempt that is over left keys behind; an attempt.
        case orphanCheck
        case guardCheck
        case faultBegin
        case faultEnd
        /// A clock that jumps to and fro.
        case strobe
        /// A step of a scenario's script.
        case script
        /// The fault phase is over.
        case heal
        case end
        /// The wall clock of a client's virtual machine, which was stopped, is put right. Last, so that the hashes of older
        /// schedules stay.
        case wallPutRight
    }

    struct Item: Sendable {
        var time: Int64
        var sequence: UInt32
        var kind: Kind
        var subject: Int32
        var number: UInt32

        @inline(__always)
        func precedes(_ other: Item) -> Bool {
            time != other.time ? time < other.time : sequence < other.sequence
        }
    }

    /// A heap in which every item has four children: half the depth of a binary one.
    private var heap: [Item] = []
    private var sequence: UInt32 = 0

    init() {
        heap.reserveCapacity(256)
    }

    @inline(__always)
    mutating func add(_ kind: Kind, _ subject: Int, _ number: UInt32 = 0, at time: Int64) {
        let item = Item(
            time: time, sequence: sequence, kind: kind, subject: Int32(truncatingIfNeeded: subject), number: number)
        sequence += 1
        var place = heap.count
        heap.append(item)
        while place > 0 {
            let parent = (place - 1) / 4
            guard item.precedes(heap[parent]) else { break }
            heap[place] = heap[parent]
            place = parent
        }
        heap[place] = item
    }

    mutating func popFirst() -> Item? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        let count = heap.count
        guard count > 0 else { return first }
        var place = 0
        while true {
            let child = 4 * place + 1
            guard child < count else { break }
            var least = child
            var next = child + 1
            let end = min(child + 4, count)
            while next < end {
                if heap[next].precedes(heap[least]) { least = next }
                next += 1
            }
            guard heap[least].precedes(last) else { break }
            heap[place] = heap[least]
            place = least
        }
        heap[place] = last
        return first
    }
}
