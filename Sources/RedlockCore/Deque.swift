/// A first-in, first-out queue of constant cost per element: a ring.
struct Deque<Element> {
    private var ring: [Element?] = []
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : ring[head] }

    subscript(_ index: Int) -> Element {
        @inline(__always) _read {
            precondition(index < count, "a queue of \(count) has no element \(index)")
            yield ring[place(index)]!
        }
    }

    /// Looks at an element in its place: mutating, though it changes nothing, as it would be copied if not.
    @inline(__always)
    mutating func look<Value>(at index: Int, _ body: (inout Element) -> Value) -> Value {
        precondition(index < count, "a queue of \(count) has no element \(index)")
        return body(&ring[place(index)]!)
    }

    mutating func append(_ element: consuming Element) {
        if count == ring.count { grow() }
        ring[place(count)] = element
        count += 1
    }

    mutating func popFirst() -> Element? { isEmpty ? nil : removeFirst() }

    mutating func removeFirst() -> Element {
        precondition(!isEmpty, "a queue without elements has no first")
        let element = ring[head].take()!
        head = place(1)
        count -= 1
        if isEmpty {
            // The next crowd gets the places that this one had, and not others that are still to be fetched.
            head = 0
            if ring.count > Limits.keptElements { ring = [] }
        }
        return element
    }

    private func place(_ index: Int) -> Int {
        let place = head + index
        return place < ring.count ? place : place - ring.count
    }

    private mutating func grow() {
        var grown: [Element?] = []
        grown.reserveCapacity(max(2 * count, 8))
        for index in 0..<count { grown.append(ring[place(index)].take()) }
        for _ in count..<max(2 * count, 8) { grown.append(nil) }
        ring = grown
        head = 0
    }
}

extension Deque: Sendable where Element: Sendable {}
