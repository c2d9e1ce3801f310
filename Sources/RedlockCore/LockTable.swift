/// The lock requests that are being served, by slot, and what has changed since the engine last settled.
///
/// Whoever changes a machine does it through the subscript, which notes that it was changed. So what must follow every
/// change follows from one place: ``Engine/settleLocks(_:)``.
struct LockTable: Sendable {
    struct Slot: Sendable {
        var generation: UInt64 = 0
        var machine: LockMachine?
        var isChanged = false
        /// Counted in ``LockTable/heldCount``.
        var isHeld = false
        /// Its part in the queue of its resource.
        var queuing = Queuing()
    }

    /// What the queue of a resource knows of one request.
    struct Queuing: Sendable {
        var line: LineID?
        /// ``WaitingLine/grants`` when the request came.
        var grantsBefore: UInt32 = 0
        private var olderLink = SlotLink()
        private var newerLink = SlotLink()

        /// Its neighbours.
        var older: Int? {
            get { olderLink.slot }
            set { olderLink.slot = newValue }
        }
        var newer: Int? {
            get { newerLink.slot }
            set { newerLink.slot = newValue }
        }
    }

    /// A slot or none, in a quarter of what an `Int?` takes in a struct.
    struct SlotLink: Sendable {
        private var number: Int32 = -1

        var slot: Int? {
            get { number < 0 ? nil : Int(number) }
            set { number = newValue.map { Int32($0) } ?? -1 }
        }
    }

    private var slots: [Slot] = []
    private var free: [Int32] = []
    /// Slots whose machines were changed, in the order of their first change.
    private var changed: [Int] = []
    /// How many of these are settled.
    private var settled = 0
    /// Requests that are being served.
    private(set) var count = 0
    /// Leases that are held.
    private(set) var heldCount = 0

    /// All slots, in use or free.
    var indices: Range<Int> { slots.indices }

    /// The machine in a slot that is in use.
    subscript(slot: Int) -> LockMachine {
        @inline(__always) _read { yield slots[slot].machine! }
        @inline(__always) _modify {
            if !slots[slot].isChanged {
                slots[slot].isChanged = true
                changed.append(slot)
            }
            yield &slots[slot].machine!
        }
    }

    func isUsed(_ slot: Int) -> Bool { slots[slot].machine != nil }

    func queuing(_ slot: Int) -> Queuing { slots[slot].queuing }
    mutating func withQueuing(_ slot: Int, _ change: (inout Queuing) -> Void) { change(&slots[slot].queuing) }

    /// The slot of a request that is being served.
    func slot(of lock: LockID) -> Int? {
        let slot = Int(lock.slot)
        guard slot < slots.count, slots[slot].generation == lock.generation, slots[slot].machine != nil else {
            return nil
        }
        return slot
    }

    func lock(in slot: Int) -> LockID {
        LockID(slot: Int32(slot), generation: slots[slot].generation)
    }
}

// MARK: - Requests come and go

extension LockTable {
    /// A name for a request that is about to be made; nil when ``Limits/locks`` requests are being served.
    mutating func newLock() -> LockID? {
        if let slot = free.popLast() {
            slots[Int(slot)].generation += 1
            return lock(in: Int(slot))
        }
        guard slots.count < Limits.locks else { return nil }
        slots.append(Slot())
        return lock(in: slots.count - 1)
    }

    mutating func begin(_ lock: LockID, _ machine: LockMachine) {
        let slot = Int(lock.slot)
        precondition(slots[slot].machine == nil, "a lock's number is used once")
        slots[slot].machine = machine
        slots[slot].isChanged = true
        changed.append(slot)
        count += 1
    }

    /// The name of a request that is not served at all may be used again.
    mutating func giveBack(_ lock: LockID) { free.append(lock.slot) }

    /// What a changed machine has come to.
    struct Change {
        let slot: Int
        let phase: LockMachine.Phase
        let deadline: Instant
        /// What its holder has to be told of the risk.
        let news: RiskNews?
    }

    /// The next machine that was changed, in the order of their first change, which is settled with this; nil when all
    /// are.
    mutating func settleNext(at now: Instant, _ policy: Policy) -> Change? {
        guard settled < changed.count else {
            changed.empty()
            settled = 0
            return nil
        }
        let slot = changed[settled]
        settled += 1
        slots[slot].isChanged = false
        let news = slots[slot].machine!.noteRisk(at: now, policy)
        let phase = slots[slot].machine!.phase
        if slots[slot].isHeld != (phase == .held) {
            slots[slot].isHeld.toggle()
            heldCount += slots[slot].isHeld ? 1 : -1
        }
        return Change(slot: slot, phase: phase, deadline: slots[slot].machine!.deadline(policy), news: news)
    }

    mutating func end(_ slot: Int) {
        slots[slot].machine = nil
        slots[slot].queuing = Queuing()
        free.append(Int32(slot))
        count -= 1
    }
}
