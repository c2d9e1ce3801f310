import RedlockCore
import Testing

@testable import RedlockSimulation

@Suite("What random schedules are made of")
struct FidelityTests {
    private static let seeds: Range<UInt64> = 0..<400

    private static func faults(_ profile: Profile) -> [Fault] {
        seeds.flatMap { Schedule(random: $0, profile).faults }
    }

    @Test("chaos draws each kind of fault, each eviction policy and each defect of a greeting")
    func chaosDrawsAll() {
        let faults = Self.faults(.chaos)
        for kind in Fault.Kind.allCases { #expect(faults.contains { $0.kind == kind }, "\(kind.rawValue)") }
        let texts = Set(faults.map(\.text))
        for policy in Fault.EvictionPolicy.allCases { #expect(texts.contains(policy.rawValue), "\(policy)") }
        for defect in Fault.GreetingDefect.allCases { #expect(texts.contains(defect.rawValue), "\(defect)") }
    }

    @Test("tolerated schedules evict nothing, stop no machine, and lie about no uptime")
    func toleratedContract() {
        let faults = Self.faults(.tolerated)
        #expect(!faults.contains { $0.kind == .clientStop || $0.kind == .nodeRestore })
        let policies = Set(faults.filter { $0.kind == .nodeMemory }.map(\.text))
        #expect(policies == [Fault.EvictionPolicy.noEviction.rawValue])
        #expect(!faults.contains { $0.text == Fault.GreetingDefect.longUptime.rawValue })
        #expect(faults.contains { $0.kind == .nodeGreeting })
    }

    @Test("variants of a tolerated schedule keep its contracts")
    func variants() {
        var random = Randomness(seed: 1, .search)
        var schedule = Schedule(random: 1, .chaos)
        for _ in 0..<300 {
            schedule = schedule.varied(.tolerated, &random)
            #expect(!schedule.faults.contains { $0.text == Fault.GreetingDefect.longUptime.rawValue })
            #expect(schedule.options.shortSighted.isEmpty)
        }
    }

    @Test("settings of single clients are drawn; only profiles that forget have a client with too short a longest ttl")
    func settings() {
        var drawn = 0
        var shortSighted = 0
        for seed in Self.seeds {
            let tolerated = Schedule(random: seed, .tolerated).options
            drawn += tolerated.clientSettings.isEmpty ? 0 : 1
            #expect(tolerated.shortSighted.isEmpty, "seed \(seed)")
            for client in 0..<tolerated.clients {
                #expect(tolerated.ttl(of: client) <= tolerated.ttl)
                #expect(tolerated.drift(of: client) >= tolerated.driftPartsPerMillion)
            }
            shortSighted += Schedule(random: seed, .amnesia).options.shortSighted.isEmpty ? 0 : 1
        }
        #expect(drawn > 80)
        #expect(shortSighted > 5)
    }

    @Test("maximum holds, maximum attempts, other extensions and bodies are drawn, and come into force")
    func limits() {
        var marks = Marks()
        var extensions = 0
        for seed in 0..<60 as Range<UInt64> {
            let schedule = Schedule(random: seed, .tolerated)
            if schedule.options.otherExtensions > 0 { extensions += 1 }
            var world = World(schedule)
            marks.formUnion(world.run().marks)
        }
        #expect(marks.contains(.lossByMaximumHold))
        #expect(marks.contains(.attemptsSpent))
        #expect(extensions > 10)
    }

    @Test("an explanation names the settings of a client and what requests ask for")
    func explanation() throws {
        let settings = try #require(Scenario.named("settings-short-quarantine")).schedule
        #expect(Explanation.lines(settings).contains("Client 1 has a ttl of 200 ms, a longest ttl of 200 ms."))
        var schedule = try #require(Scenario.named("maximum-hold")).schedule
        schedule.options.otherExtensions = 300
        let lines = Explanation.lines(schedule)
        #expect(lines.contains("Of 1000 extensions by hand, 300 are by another ttl."))
        #expect(lines.contains { $0.hasSuffix("it may hold for 4000 ms.") })
    }

    @Test("a schedule without the new members means what it meant")
    func defaults() throws {
        let text = """
            {"schema": "redlock-sim/schedule", "version": 1, "seed": 1, "world": {"nodes": 3, "clients": 2},
             "heal_us": 1000, "end_us": 2000, "faults": []}
            """
        let options = try Schedule(json: JSON(parsing: text)).options
        #expect(
            options
                == {
                    var plain = WorldOptions(); plain.nodes = 3; plain.clients = 2; return plain
                }())
        #expect(options.maximumHolds + options.maximumAttempts + options.otherExtensions + options.bodies == 0)
        #expect(options.clientSettings.isEmpty && options.logTime == 0)
    }
}

@Suite("A simulated node short of memory")
struct MemoryTests {
    private static func node() -> SimulatedNode {
        var node = SimulatedNode(clock: Clock(reading: 0), resources: 2)
        var generator: any RandomNumberGenerator = Randomness(seed: 1, .engine)
        for (resource, milliseconds) in [(0, 9_000), (1, 3_000)] as [(Int, Int64)] {
            var command = Command(
                .acquireFenced(milliseconds: milliseconds, number: 5), key: SimulatedNode.key(of: resource),
                token: Token(using: &generator))
            command.spelling = .source
            _ = node.execute(command, attempt: 0, connection: 0, at: 0)
        }
        return node
    }

    @Test("policies for keys with an expiry leave fencing numbers alone", arguments: Fault.EvictionPolicy.allCases)
    func policies(policy: Fault.EvictionPolicy) {
        var node = Self.node()
        for victim in node.evictable(policy) { node.evict(victim, at: 1) }
        #expect(node.numbers == (policy.evictsNumbers ? [0, 0] : [5, 5]))
        #expect(node.keys.allSatisfy { ($0 == nil) == (policy != .noEviction) })
    }

    @Test("volatile-ttl evicts the key with the nearest expiry first")
    func nearestExpiry() throws {
        let node = Self.node()
        let first = try #require(node.evictable(.volatileTTL).min { node.expiry(of: $0) < node.expiry(of: $1) })
        guard case .key(1) = first else {
            Issue.record("evicted \(first)")
            return
        }
    }
}
