/// Who is due next: a binary heap of slots by deadline, in which a slot's deadline can be changed.
///
/// Equal deadlines come out in the order of the slots, so that a run can be repeated exactly.
struct DeadlineQueue: Sendable {
    private struct Item: Sendable {
        var deadline: Instant
        var slot: Int32

        func precedes(_ other: Item) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : slot < other.slot
        }
    }

    private var heap: [Item] = []
    /// Where in the heap each slot is; -1 for nowhere.
    private var places: [Int32] = []

    var first: (deadline: Instant, slot: Int)? {
        heap.first.map { ($0.deadline, Int($0.slot)) }
    }

    /// Sets the deadline of a slot; `distantFuture` takes it out.
    mutating func set(_ slot: Int, to deadline: Instant) {
        while places.count <= slot { places.append(-1) }
        let place = Int(places[slot])
        if deadline == .distantFuture {
            if place >= 0 { remove(at: place) }
        } else if place < 0 {
            let item = Item(deadline: deadline, slot: Int32(slot))
            heap.append(item)
            siftUp(item, from: heap.count - 1)
        } else if heap[place].deadline != deadline {
            move(Item(deadline: deadline, slot: Int32(slot)), from: place)
        }
    }

    private mutating func remove(at place: Int) {
        places[Int(heap[place].slot)] = -1
        let last = heap.removeLast()
        if place < heap.count { move(last, from: place) }
    }

    /// Puts an item where it belongs; what is at this place is overwritten.
    private mutating func move(_ item: Item, from place: Int) {
        if place > 0, item.precedes(heap[(place - 1) / 2]) {
            siftUp(item, from: place)
        } else {
            siftDown(item, from: place)
        }
    }

    private mutating func siftUp(_ item: Item, from start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard item.precedes(heap[parent]) else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(item, at: place)
    }

    private mutating func siftDown(_ item: Item, from start: Int) {
        var place = start
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(item) else { break }
            put(heap[child], at: place)
            place = child
        }
        put(item, at: place)
    }

    private mutating func put(_ item: Item, at place: Int) {
        heap[place] = item
        places[Int(item.slot)] = Int32(place)
    }
}
