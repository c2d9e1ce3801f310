internal import RedlockCore

/// Whom the answers about a lock are for: the request until it is granted, and then the lease.
struct Client {
    let resource: Resource
    var request: LockRequest?
    var lease: LeaseState?
}

/// The clients of all locks, by the locks' slots.
struct Clients {
    /// Which lock has the slot. By itself: to compare it does not retain what belongs to the client.
    private var locks: [LockID?] = []
    private var clients: [Client?] = []

    subscript(_ lock: LockID) -> Client? {
        slot(of: lock).flatMap { clients[$0] }
    }

    mutating func insert(_ request: LockRequest, as lock: LockID) {
        while clients.count <= lock.slot {
            locks.append(nil)
            clients.append(nil)
        }
        locks[Int(lock.slot)] = lock
        clients[Int(lock.slot)] = Client(resource: request.resource, request: request)
    }

    /// The request that is granted now; nil when its lock is over.
    mutating func takeRequest(of lock: LockID) -> LockRequest? {
        guard let slot = slot(of: lock) else { return nil }
        return clients[slot]!.request.take()
    }

    mutating func setLease(_ lease: LeaseState, of lock: LockID) {
        guard let slot = slot(of: lock) else { return }
        clients[slot]!.lease = lease
    }

    mutating func remove(_ lock: LockID) -> Client? {
        guard let slot = slot(of: lock) else { return nil }
        locks[slot] = nil
        return clients[slot].take()
    }

    private func slot(of lock: LockID) -> Int? {
        let slot = Int(lock.slot)
        return slot < locks.count && locks[slot] == lock ? slot : nil
    }
}
