import RedlockCore

// The numbers of fencing tokens on a node: the scripts that the library sends, as Redis would run them.
//
// Numbers have no expiry, as on a real server: no clock of the node changes them. Old ones are deleted by the
// maintenance command alone, which raises the floor first.

extension SimulatedNode {
    /// What a proposal must be above: the number, or the floor if there is none.
    package func highest(_ resource: Int) -> Int64 { numbers[resource] > 0 ? numbers[resource] : floor }

    /// `redlock forget-numbers --older-than`: raises the floor to the node's clock less the age, and deletes the
    /// numbers at or below it.
    mutating func forgetNumbers(olderThan age: Int64, at time: Int64) {
        if !defects.forgetsWithoutFloor { floor = max(floor, (clock.reading(at: time) - age) / 1_000) }
        let cutoff = max(floor, (clock.reading(at: time) - age) / 1_000)
        for resource in numbers.indices where numbers[resource] > 0 && numbers[resource] <= cutoff {
            note(resource, at: time)
            numbers[resource] = 0
            if defects.forgetsWithoutFloor { defects.activations += 1 }
        }
    }

    /// Somebody writes this number into the node, for all resources that have a lower one. A number that is lowered
    /// would be a number that is lost.
    mutating func setNumbers(to number: Int64, at time: Int64) {
        for resource in numbers.indices where highest(resource) < number {
            note(resource, at: time)
            numbers[resource] = number
        }
    }

    mutating func mendNumber(_ resource: Int, to number: Int64, at time: Int64) {
        note(resource, at: time)
        numbers[resource] = number
    }

    /// What the scripts say of a number that cannot be right, before they change anything.
    private func refusal(_ resource: Int, offer: Int64) -> Reply? {
        guard highest(resource) < Limits.fencingNumber else {
            return .error("FENCING the key of the number holds no whole number below \(Limits.fencingNumber)")
        }
        return offer > Limits.fencingNumber ? .error("FENCING the number offered is too high") : nil
    }

    private mutating func store(_ number: Int64, _ resource: Int, at time: Int64) {
        numbers[resource] = number
        numberedAt[resource] = wall(at: time)
    }

    private mutating func expireNumber(_ resource: Int, at time: Int64) {
        guard defects.expiresNumbers, numbers[resource] > 0,
            wall(at: time) > numberedAt[resource] + 28 * 86_400_000
        else { return }
        defects.activations += 1
        numbers[resource] = 0
    }

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
        expireNumber(resource, at: time)
        if let refusal = refusal(resource, offer: number) { return (refusal, .nothing) }
        // Later writes of a script that has written are let pass.
        if let error = memoryError { return (.error(error), .nothing) }
        note(resource, at: time)
        keys[resource] = entry
        if defects.countsGrants {
            defects.activations += 1
            numbers[resource] += 1
            return (.pair(2, numbers[resource]), .set(over: current))
        }
        guard accepts(number, resource) else { return (.pair(2, highest(resource)), .set(over: current)) }
        store(number, resource, at: time)
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
        expireNumber(resource, at: time)
        if let refusal = refusal(resource, offer: number) { return (refusal, .nothing) }
        guard accepts(number, resource) else { return (.pair(2, highest(resource)), .nothing) }
        if let error = memoryError { return (.error(error), .nothing) }
        note(resource, at: time)
        store(number, resource, at: time)
        return (.pair(1, number), .numbered(owner: current))
    }

    private mutating func accepts(_ number: Int64, _ resource: Int) -> Bool {
        if number > highest(resource) { return true }
        if defects.acceptsLowerNumbers { defects.activations += 1 }
        return defects.acceptsLowerNumbers
    }
}
