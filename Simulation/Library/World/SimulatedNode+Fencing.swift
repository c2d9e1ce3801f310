import RedlockCore

// The numbers of fencing tokens on a node: the scripts that the library sends, as Redis would run them.
//
// Numbers are kept for weeks, longer than any run, so they have no expiry here.

extension SimulatedNode {
    /// Sets the key if nobody has it, and accepts the number if it is higher.
    mutating func acquireFenced(
        _ entry: Entry, number: Int64, _ resource: Int, over current: Entry?, at time: Int64
    ) -> (reply: Reply, effect: Effect) {
        if let current {
            guard defects.setsOverOthers else {
                return (.pair(0, max(current.expiresAt - wall(at: time), 0)), .nothing)
            }
            defects.activations += 1
        }
        note(resource, at: time)
        keys[resource] = entry
        if defects.countsGrants {
            defects.activations += 1
            numbers[resource] += 1
            return (.pair(2, numbers[resource]), .set(over: current))
        }
        guard accepts(number, resource) else { return (.pair(2, numbers[resource]), .set(over: current)) }
        numbers[resource] = number
        return (.pair(1, number), .set(over: current))
    }

    /// Accepts the number if the key is the sender's, and the number higher.
    mutating func raise(
        _ command: Command, to number: Int64, _ resource: Int, _ current: Entry?, at time: Int64
    ) -> (reply: Reply, effect: Effect) {
        if current?.token != command.token {
            guard defects.raisesNumbersWithoutCheck else {
                return (.pair(0, current.map { max($0.expiresAt - wall(at: time), 0) } ?? -2), .nothing)
            }
            defects.activations += 1
        }
        guard accepts(number, resource) else { return (.pair(2, numbers[resource]), .nothing) }
        note(resource, at: time)
        numbers[resource] = number
        return (.pair(1, number), .numbered(owner: current))
    }

    private mutating func accepts(_ number: Int64, _ resource: Int) -> Bool {
        if number > numbers[resource] { return true }
        if defects.acceptsLowerNumbers { defects.activations += 1 }
        return defects.acceptsLowerNumbers
    }
}
