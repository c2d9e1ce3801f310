// Schedules as JSON: whole microseconds, keys in a fixed order, nothing unknown let pass.

extension Schedule {
    package static let schema = "redlock-sim/schedule"
    package static let version: Int64 = 1

    package var json: JSON {
        .record([
            "schema": .string(Self.schema), "version": .number(Self.version),
            // Seeds above 2^63 are written as the negative number with the same bits.
            "seed": .number(Int64(bitPattern: seed)),
            "mutant": mutant.map { .string($0) },
            "world": options.json,
            "heal_us": .number(healAt / 1_000), "end_us": .number(endAt / 1_000),
            "faults": .array(faults.map(\.json)),
            "script": script.isEmpty ? nil : .array(script.map(\.json)),
        ])
    }

    /// Reads a schedule, and checks that every word and number in it makes sense.
    package init(json: JSON) throws(ScheduleError) {
        let record = try JSONRecord(
            json, "the schedule",
            keys: ["schema", "version", "seed", "mutant", "world", "heal_us", "end_us", "faults", "script"])
        guard try record.string("schema") == Self.schema else {
            throw ScheduleError("the schema is not \"\(Self.schema)\"")
        }
        let version = try record.number("version", 1...Int64.max)
        guard version <= Self.version else {
            throw ScheduleError("the schema's version is \(version); this program knows versions up to \(Self.version)")
        }
        self.init(seed: UInt64(bitPattern: try record.number("seed", Int64.min...Int64.max)))
        if let name = try record.optionalString("mutant") {
            guard Mutant.named(name) != nil else { throw ScheduleError("there is no mutant \"\(name)\"") }
            mutant = name
        }
        options = try WorldOptions(json: try record.value("world"))
        healAt = try record.time("heal_us")
        endAt = try record.time("end_us")
        for element in try record.array("faults", atMost: 10_000) { faults.append(try Fault(json: element, options)) }
        if record.has("script") {
            for element in try record.array("script", atMost: 10_000) {
                script.append(try Step(json: element, options))
            }
        }
        faults.sort { $0.at < $1.at }
    }
}

extension Fault {
    var json: JSON {
        let unit = kind.unit
        return .record([
            "at_us": .number(at / 1_000), "kind": .string(kind.rawValue),
            "clients": clients.isEmpty ? nil : .array(clients.map { JSON($0) }),
            "nodes": nodes.isEmpty ? nil : .array(nodes.map { JSON($0) }),
            "for_us": kind.isInstant ? nil : .number(duration / 1_000),
            "amount_us": unit == .time ? .number(amount / 1_000) : nil,
            "rate_ppb": unit == .partsPerBillion ? .number(amount) : nil,
            "per_mille": unit == .perMille ? .number(amount) : nil,
            "resource": unit == .resource ? .number(amount) : nil,
            "fencing_number": unit == .fencingNumber ? .number(amount) : nil,
            "text": text.isEmpty ? nil : .string(text),
            "direction": kind == .partition ? .string(direction.rawValue) : nil,
        ])
    }

    init(json: JSON, _ options: WorldOptions) throws(ScheduleError) {
        let record = try JSONRecord(
            json, "a fault",
            keys: [
                "at_us", "kind", "clients", "nodes", "for_us", "amount_us", "rate_ppb", "per_mille", "resource",
                "fencing_number", "text", "direction",
            ])
        let name = try record.string("kind")
        guard let kind = Kind(rawValue: name) else { throw ScheduleError("there is no fault \"\(name)\"") }
        self.init(kind, at: try record.time("at_us"))
        if kind.target != .node { clients = try record.indices("clients", of: "client", below: options.clients) }
        if kind.target != .client { nodes = try record.indices("nodes", of: "node", below: options.nodes) }
        if !kind.isInstant { duration = try record.time("for_us") }
        let sign: Int64 = kind.mayBeNegative ? -1 : 0
        switch kind.unit {
        case .time:
            amount = try record.number("amount_us", sign * ScheduleError.longest...ScheduleError.longest) * 1_000
        case .partsPerBillion: amount = try record.number("rate_ppb", -999_999_999...9_000_000_000)
        case .perMille: amount = try record.number("per_mille", 0...1_000)
        case .resource: amount = try record.number("resource", 0...Int64(options.resources - 1))
        case .fencingNumber: amount = try record.number("fencing_number", 1...Int64.max)
        case nil: break
        }
        if kind.hasText { text = try record.string("text") }
        if kind == .nodeMemory, EvictionPolicy(rawValue: text) == nil {
            throw ScheduleError("there is no eviction policy \"\(text)\"")
        }
        if kind == .nodeGreeting {
            guard let defect = GreetingDefect(rawValue: text) else {
                throw ScheduleError("there is no defect of a greeting \"\(text)\"")
            }
            guard defect == .longUptime || amount == 0 else {
                throw ScheduleError("\"amount_us\" must be 0 with the defect \"\(text)\"")
            }
        }
        if kind == .nodeSettings, WorldOptions.Persistence(rawValue: text) == nil {
            throw ScheduleError("there is no persistence \"\(text)\"")
        }
        if kind == .partition {
            let word = try record.optionalString("direction") ?? Direction.both.rawValue
            guard let direction = Direction(rawValue: word) else {
                throw ScheduleError("there is no direction \"\(word)\"")
            }
            self.direction = direction
        }
    }
}

extension Schedule.Step {
    var json: JSON {
        .record([
            "at_us": .number(at / 1_000), "worker": JSON(worker), "do": .string(action.rawValue),
            "resource": resource == 0 ? nil : JSON(resource), "ttl_us": ttl == 0 ? nil : .number(ttl / 1_000),
            "wait_us": wait == 0 ? nil : .number(wait / 1_000),
            "maximum_hold_us": maximumHold == 0 ? nil : .number(maximumHold / 1_000),
            "maximum_attempts": maximumAttempts == 0 ? nil : JSON(maximumAttempts),
            "delay_us": delay == 0 ? nil : .number(delay / 1_000),
            "extends_itself": extendsItself ? true : nil,
        ])
    }

    init(json: JSON, _ options: WorldOptions) throws(ScheduleError) {
        let record = try JSONRecord(
            json, "a step",
            keys: [
                "at_us", "worker", "do", "resource", "ttl_us", "wait_us", "maximum_hold_us", "maximum_attempts",
                "delay_us", "extends_itself",
            ])
        let word = try record.string("do")
        guard let action = Action(rawValue: word) else { throw ScheduleError("there is no step \"\(word)\"") }
        self.init(
            action, at: try record.time("at_us"),
            worker: Int(try record.number("worker", 0...Int64(options.workers - 1))))
        resource = Int(try record.optionalNumber("resource", 0...Int64(options.resources - 1)) ?? 0)
        ttl = try record.optionalTime("ttl_us") ?? 0
        wait = try record.optionalTime("wait_us") ?? 0
        maximumHold = try record.optionalTime("maximum_hold_us") ?? 0
        maximumAttempts = Int(try record.optionalNumber("maximum_attempts", 0...1_000) ?? 0)
        delay = try record.optionalTime("delay_us") ?? 0
        extendsItself = try record.optionalBool("extends_itself") ?? false
    }
}
