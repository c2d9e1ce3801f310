/// Names one use of a place in the table of contentions.
struct ContentionID: Hashable, Sendable {
    let place: Int
    let generation: UInt64
}

/// The name of a resource, to look it up by.
struct ResourceKey: Hashable, Sendable {
    let bytes: [UInt8]
    /// Of the bytes, which may be many: made once for all that a table does with it.
    private let digest: Int

    /// Eight bytes at a time: an array hashes them one by one.
    init(bytes: [UInt8]) {
        self.bytes = bytes
        var hasher = Hasher()
        var word: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            word = word << 8 | UInt64(byte)
            if index & 7 == 7 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(bytes.count)
        digest = hasher.finalize()
    }

    func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// The contentions of all resources that are held or wanted here, by key and by place.
struct ContentionTable: Sendable {
    private struct Entry: Sendable {
        var contention: Contention
        /// Tells the uses of a place apart.
        var generation: UInt64 = 0
        /// Requests so far: one that is not used again is let go after a while.
        var uses: UInt64 = 0
        /// Where it is in ``ContentionTable/watched``.
        var watchedIndex = -1
    }

    /// A contention that is idle, kept until this instant unless it is used again.
    private struct Lingering: Sendable {
        let id: ContentionID
        let uses: UInt64
        let until: Instant
    }

    private static let noKey = ResourceKey(bytes: [])

    private var entries: [Entry] = []
    private var free: [Int] = []
    private var generation: UInt64 = 0
    /// For look-up only.
    private var places: [ResourceKey: Int] = [:]
    private var lingering = Deque<Lingering>()
    /// The places of contentions with a watch, in no particular order, but always the same one.
    private(set) var watched: [Int] = []
    /// How many contentions have rivals.
    private(set) var rivalled = 0
    /// Contentions whose front has gone.
    private var vacated: [ContentionID] = []

    /// Contentions in use.
    var count: Int { entries.count - free.count }

    /// A getter, where `_read` would do, and costs the same: without optimisation Swift 6.3.1 went on reading what `_read`
    /// had lent after it was given back (address sanitizer).
    subscript(place: Int) -> Contention {
        @inline(__always) get { entries[place].contention }
    }

    // What is asked at every turn is read in its place.
    func frontSlot(at place: Int) -> Int? { entries[place].contention.front?.slot }
    func handsOver(at place: Int) -> Bool { entries[place].contention.handsOver }
    func arbiter(at place: Int) -> Int? { entries[place].contention.arbiter }

    func place(of key: ResourceKey) -> Int? { places[key] }
    func place(of key: [UInt8]) -> Int? { place(of: ResourceKey(bytes: key)) }

    func id(of place: Int) -> ContentionID { ContentionID(place: place, generation: entries[place].generation) }

    /// The place of a contention that is still the one that was named.
    func place(of id: ContentionID?) -> Int? {
        guard let id, entries[id.place].generation == id.generation else { return nil }
        return id.place
    }

    mutating func make(for key: ResourceKey, turns: Int = 0) -> Int {
        generation += 1
        let entry = Entry(contention: Contention(key: key, turns: turns), generation: generation)
        let place = free.popLast() ?? entries.count
        if place == entries.count { entries.append(entry) } else { entries[place] = entry }
        places[key] = place
        return place
    }

    mutating func remove(_ place: Int) {
        precondition(entries[place].contention.isIdle, "a contention is left idle")
        endWatch(place)
        if entries[place].contention.hasRivals { rivalled -= 1 }
        places[entries[place].contention.key] = nil
        entries[place] = Entry(contention: Contention(key: Self.noKey))
        free.append(place)
    }

    // MARK: Events

    /// Tells a contention what happened: the only way to change one.
    @inline(__always)
    mutating func tell(
        _ event: Contention.Event, at place: Int, _ met: Contention.Circumstances,
        using generator: inout any RandomNumberGenerator, _ policy: Policy, into steps: inout [Contention.Step]
    ) {
        if case .joined = event { entries[place].uses += 1 }
        let hadRivals = entries[place].contention.hasRivals
        entries[place].contention.on(event, met, using: &generator, policy, into: &steps)
        if entries[place].contention.hasRivals != hadRivals { rivalled += hadRivals ? -1 : 1 }
        if entries[place].contention.isWatched, entries[place].watchedIndex < 0 {
            entries[place].watchedIndex = watched.count
            watched.append(place)
        }
    }

    /// ``Contention/Event/advance`` is due.
    mutating func noteVacated(_ place: Int) { vacated.append(id(of: place)) }

    mutating func popVacated() -> Int? {
        while let id = vacated.popLast() {
            if let place = place(of: id) { return place }
        }
        return nil
    }

    // MARK: Watches

    mutating func noteSubscribing(_ place: Int, _ node: Int) { entries[place].contention.noteSubscribing(node) }

    mutating func endWatch(_ place: Int) {
        let index = entries[place].watchedIndex
        guard index >= 0 else { return }
        let last = watched.removeLast()
        if last != place {
            watched[index] = last
            entries[last].watchedIndex = index
        }
        entries[place].watchedIndex = -1
        entries[place].contention.endWatch()
    }

    // MARK: Lingering

    /// When ``popLingering(at:)`` next has something.
    var deadline: Instant { lingering.first?.until ?? .distantFuture }

    mutating func linger(_ place: Int, until: Instant) {
        lingering.append(Lingering(id: id(of: place), uses: entries[place].uses, until: until))
    }

    /// A contention whose time is over, and that was not used since.
    mutating func popLingering(at now: Instant) -> Int? {
        while let first = lingering.first, first.until <= now {
            _ = lingering.popFirst()
            if let place = place(of: first.id), self[place].isIdle, entries[place].uses == first.uses { return place }
        }
        return nil
    }
}
