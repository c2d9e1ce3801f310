/// Names one use of a place in the table of lines.
struct LineID: Hashable, Sendable {
    let place: Int
    let generation: UInt64
}

/// The name of a resource, to look it up by.
struct LineKey: Hashable, Sendable {
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

/// The lines of all resources that are held or wanted here, by key and by place.
struct LineTable: Sendable {
    /// A line that is idle, kept until this instant unless it is used again.
    private struct Lingering: Sendable {
        let line: LineID
        let uses: UInt64
        let until: Instant
    }

    private static let noKey = LineKey(bytes: [])

    private var lines: [WaitingLine] = []
    private var free: [Int] = []
    private var generation: UInt64 = 0
    /// For look-up only.
    private var places: [LineKey: Int] = [:]
    private var lingering = Deque<Lingering>()
    /// The places of lines with a watch, in no particular order, but always the same one.
    private(set) var watched: [Int] = []
    /// How many lines have rivals, as far as ``noteRivals(_:at:)`` was told.
    private(set) var rivalled = 0
    /// Lines whose front has gone.
    var vacated: [LineID] = []

    /// Lines in use.
    var count: Int { lines.count - free.count }

    /// A getter, where `_read` would do, and costs the same: without optimisation Swift 6.3.1 went on reading what `_read`
    /// had lent after it was given back (address sanitizer).
    ///
    /// A line's watch is assigned to after a comparison with nil: by way of `watch?.` the accessor is called, not inlined,
    /// and each call allocates.
    subscript(place: Int) -> WaitingLine {
        @inline(__always) get { lines[place] }
        @inline(__always) _modify { yield &lines[place] }
    }

    func place(of key: LineKey) -> Int? { places[key] }
    func place(of key: [UInt8]) -> Int? { place(of: LineKey(bytes: key)) }

    func id(of place: Int) -> LineID { LineID(place: place, generation: lines[place].generation) }

    /// The place of a line that is still the one that was named.
    func place(of line: LineID?) -> Int? {
        guard let line, lines[line.place].generation == line.generation else { return nil }
        return line.place
    }

    mutating func make(for key: LineKey) -> Int {
        let place = free.popLast() ?? lines.count
        if place == lines.count { lines.append(WaitingLine(key: key)) } else { lines[place] = WaitingLine(key: key) }
        generation += 1
        lines[place].generation = generation
        places[key] = place
        return place
    }

    mutating func remove(_ place: Int) {
        precondition(lines[place].isIdle && lines[place].watch == nil, "a line is left empty")
        noteRivals(false, at: place)
        places[lines[place].key] = nil
        lines[place] = WaitingLine(key: Self.noKey)
        free.append(place)
    }

    mutating func noteRivals(_ hasRivals: Bool, at place: Int) {
        guard lines[place].hasRivals != hasRivals else { return }
        lines[place].hasRivals = hasRivals
        rivalled += hasRivals ? 1 : -1
    }

    // MARK: Watches

    mutating func beginWatch(_ place: Int, nodes: Int) {
        lines[place].watch = WaitingLine.Watch(forecast: Forecast(nodes: nodes), place: watched.count)
        watched.append(place)
    }

    mutating func endWatch(_ place: Int) {
        guard let watch = lines[place].watch else { return }
        let last = watched.removeLast()
        if last != place {
            watched[watch.place] = last
            lines[last].watch!.place = watch.place
        }
        lines[place].watch = nil
    }

    // MARK: Lingering

    /// When ``popLingering(at:)`` next has something.
    var deadline: Instant { lingering.first?.until ?? .distantFuture }

    mutating func linger(_ place: Int, until: Instant) {
        lingering.append(Lingering(line: id(of: place), uses: lines[place].uses, until: until))
    }

    /// A line whose time is over, and that was not used since.
    mutating func popLingering(at now: Instant) -> Int? {
        while let first = lingering.first, first.until <= now {
            _ = lingering.popFirst()
            if let place = place(of: first.line), lines[place].isIdle, lines[place].uses == first.uses { return place }
        }
        return nil
    }
}
