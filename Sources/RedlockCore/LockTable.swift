/// The lock requests that are being served, by slot, and what has changed since the engine last settled.
///
/// Whoever changes a machine does it through the subscript, which notes that it was changed. So what must follow every
/// change follows from one place: ``Engine/settleLocks(_:)``.
struct LockTable: Sendable {
    /// What is kept of a slot beside its machine.
    struct Slot: Sendable {
        var generation: UInt64 = 0
        var isUsed = false
        var isChanged = false
        /// Counted in ``LockTable/heldCount``.
        var isHeld = false
        /// The contention for its resource.
        var contention: ContentionID?
        /// Where it is queued there, if it is.
        var queuePlace: WaiterQueue.Place?
    }

    private var machines: [LockMachine] = []
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
        @inline(__always) _read { yield machines[slot] }
        @inline(__always) _modify {
            noteChange(of: slot)
            yield &machines[slot]
        }
    }

    /// The machine in this slot is to be settled.
    @inline(__always)
    mutating func noteChange(of slot: Int) {
        guard !slots[slot].isChanged else { return }
        slots[slot].isChanged = true
        changed.append(slot)
    }

    func isUsed(_ slot: Int) -> Bool { slots[slot].isUsed }

    func contention(of slot: Int) -> ContentionID? { slots[slot].contention }
    mutating func setContention(_ id: ContentionID, of slot: Int) { slots[slot].contention = id }

    func queuePlace(of slot: Int) -> WaiterQueue.Place? { slots[slot].queuePlace }
    mutating func setQueuePlace(_ place: WaiterQueue.Place?, of slot: Int) { slots[slot].queuePlace = place }

    /// The slot of a request that is being served.
    func slot(of lock: LockID) -> Int? {
        let slot = Int(lock.slot)
        guard slot < slots.count, slots[slot].generation == lock.generation, slots[slot].isUsed else {
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
        machines.append(.none)
        return lock(in: slots.count - 1)
    }

    mutating func begin(_ lock: LockID, _ machine: LockMachine) {
        let slot = Int(lock.slot)
        precondition(!slots[slot].isUsed, "a lock's number is used once")
        slots[slot].isUsed = true
        machines[slot] = machine
        slots[slot].isChanged = true
        changed.append(slot)
        count += 1
    }

    /// The name of a request that is not served at all may be used again.
    mutating func giveBack(_ lock: LockID) { free.append(lock.slot) }

    /// The next machine that was changed, in the order of their first change, which is settled with this; nil when all
    /// are.
    mutating func settleNext(at now: Instant, _ policy: Policy) -> (slot: Int, LockMachine.Standing)? {
        guard let slot = popChanged() else { return nil }
        slots[slot].isChanged = false
        let standing = machines[slot].settle(at: now, policy)
        if slots[slot].isHeld != standing.isHeld {
            slots[slot].isHeld = standing.isHeld
            heldCount += standing.isHeld ? 1 : -1
        }
        return (slot, standing)
    }

    private mutating func popChanged() -> Int? {
        // As a rule there is one.
        if settled == 0, changed.count == 1 { return changed.removeLast() }
        guard settled < changed.count else {
            if settled > 0 { changed.empty() }
            settled = 0
            return nil
        }
        settled += 1
        return changed[settled - 1]
    }

    mutating func end(_ slot: Int) {
        machines[slot] = .none
        slots[slot].isUsed = false
        slots[slot].contention = nil
        slots[slot].queuePlace = nil
        free.append(Int32(slot))
        count -= 1
    }
}
