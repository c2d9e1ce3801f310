/// A first-in, first-out queue of constant cost per element.
struct Deque<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : elements[head] }

    subscript(_ index: Int) -> Element { elements[head + index]! }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head].take()
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: elements.capacity <= Self.keptCapacity)
            head = 0
        } else if head >= Self.keptCapacity, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Below this many elements it is not worth moving them or giving the memory back.
    private static var keptCapacity: Int { 64 }
}

extension Deque: Sendable where Element: Sendable {}
