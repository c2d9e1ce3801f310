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
        /// The contention for its resource.
        var contention: ContentionID?
        /// Where it is queued there; of no meaning once it is in front.
        var queuePlace: WaiterQueue.Place?
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

    func contention(of slot: Int) -> ContentionID? { slots[slot].contention }
    mutating func setContention(_ id: ContentionID, of slot: Int) { slots[slot].contention = id }

    func queuePlace(of slot: Int) -> WaiterQueue.Place? { slots[slot].queuePlace }
    mutating func setQueuePlace(_ place: WaiterQueue.Place?, of slot: Int) { slots[slot].queuePlace = place }

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
        /// It wants the lock, or has it.
        let wantsLock: Bool
        let hasEnded: Bool
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
        let isHeld = slots[slot].machine!.isHeld
        if slots[slot].isHeld != isHeld {
            slots[slot].isHeld = isHeld
            heldCount += isHeld ? 1 : -1
        }
        return Change(
            slot: slot, wantsLock: slots[slot].machine!.wantsLock, hasEnded: slots[slot].machine!.hasEnded,
            deadline: slots[slot].machine!.deadline(policy), news: news)
    }

    mutating func end(_ slot: Int) {
        slots[slot].machine = nil
        slots[slot].contention = nil
        slots[slot].queuePlace = nil
        free.append(Int32(slot))
        count -= 1
    }
}
