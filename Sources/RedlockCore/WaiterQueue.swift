/// A request, as the contention for its resource knows it.
struct Waiter: Hashable, Sendable {
    let slot: Int
    /// Where its wait ends.
    let deadline: Instant
    /// ``Contention/grants`` when it came.
    let grantsBefore: UInt32
    /// It has asked the nodes.
    var hasTried = false
    /// Its wait is over, and there is nothing true to tell it yet.
    var isOverdue = false
}

/// Requests in the order in which they came. One may leave from anywhere, at once.
struct WaiterQueue: Sendable {
    /// Where in the queue a request is, until it leaves.
    typealias Place = Int32

    private struct Link: Sendable {
        var waiter: Waiter
        var older: Place
        var newer: Place
    }

    private static let none: Place = -1

    private var links: [Link] = []
    private var free: [Place] = []
    private var oldest = none
    private var newest = none

    var isEmpty: Bool { oldest == Self.none }
    /// The places of the first and the last.
    var ends: (oldest: Place, newest: Place)? { isEmpty ? nil : (oldest, newest) }

    subscript(place: Place) -> Waiter {
        get { links[Int(place)].waiter }
        set { links[Int(place)].waiter = newValue }
    }

    mutating func append(_ waiter: Waiter) -> Place {
        let link = Link(waiter: waiter, older: newest, newer: Self.none)
        let place = free.popLast() ?? Place(links.count)
        if Int(place) == links.count { links.append(link) } else { links[Int(place)] = link }
        if newest == Self.none { oldest = place } else { links[Int(newest)].newer = place }
        newest = place
        return place
    }

    mutating func remove(_ place: Place) -> Waiter {
        let link = links[Int(place)]
        if link.older == Self.none { oldest = link.newer } else { links[Int(link.older)].newer = link.newer }
        if link.newer == Self.none { newest = link.older } else { links[Int(link.newer)].older = link.older }
        if isEmpty {
            // A crowd that has gone leaves no room behind.
            links.empty()
            free.empty()
        } else {
            free.append(place)
        }
        return link.waiter
    }

    /// Calls this with the place of each, oldest first. The one that it is called with may leave meanwhile.
    func forEach(_ body: (Place) -> Void) {
        var place = oldest
        while place != Self.none {
            let next = links[Int(place)].newer
            body(place)
            place = next
        }
    }
}
