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
            heap.append(Item(deadline: deadline, slot: Int32(slot)))
            places[slot] = Int32(heap.count - 1)
            siftUp(heap.count - 1)
        } else if heap[place].deadline != deadline {
            heap[place].deadline = deadline
            siftDown(siftUp(place))
        }
    }

    private mutating func remove(at place: Int) {
        places[Int(heap[place].slot)] = -1
        let last = heap.removeLast()
        guard place < heap.count else { return }
        heap[place] = last
        places[Int(last.slot)] = Int32(place)
        siftDown(siftUp(place))
    }

    @discardableResult
    private mutating func siftUp(_ start: Int) -> Int {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard heap[place].precedes(heap[parent]) else { break }
            exchange(place, parent)
            place = parent
        }
        return place
    }

    private mutating func siftDown(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
                if heap[child].precedes(heap[least]) { least = child }
            }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        heap.swapAt(one, other)
        places[Int(heap[one].slot)] = Int32(one)
        places[Int(heap[other].slot)] = Int32(other)
    }
}
