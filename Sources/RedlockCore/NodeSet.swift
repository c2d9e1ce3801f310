/// Which of the nodes, by index: at most ``Limits/nodes`` of them.
package struct NodeSet: Hashable, Sendable {
    private var bits: UInt16

    private init(bits: UInt16) {
        self.bits = bits
    }

    package init() {
        bits = 0
    }

    /// The nodes 0 ..< count.
    package init(first count: Int) {
        precondition((0...Limits.nodes).contains(count), "a node set holds at most \(Limits.nodes) nodes, not \(count)")
        bits = UInt16((1 << count) - 1)
    }

    package init(_ node: Int) {
        self.init()
        insert(node)
    }

    package var count: Int { bits.nonzeroBitCount }
    package var isEmpty: Bool { bits == 0 }

    package func contains(_ node: Int) -> Bool { bits & (1 << UInt16(node)) != 0 }
    package mutating func insert(_ node: Int) { bits |= 1 << UInt16(node) }
    package mutating func remove(_ node: Int) { bits &= ~(1 << UInt16(node)) }

    package func union(_ other: NodeSet) -> NodeSet { NodeSet(bits: bits | other.bits) }
    package func subtracting(_ other: NodeSet) -> NodeSet { NodeSet(bits: bits & ~other.bits) }
}

extension NodeSet: Sequence {
    package struct Iterator: IteratorProtocol {
        fileprivate var bits: UInt16

        package mutating func next() -> Int? {
            guard bits != 0 else { return nil }
            let node = bits.trailingZeroBitCount
            bits &= bits - 1
            return node
        }
    }

    package func makeIterator() -> Iterator { Iterator(bits: bits) }
    package var underestimatedCount: Int { count }
}
