import RedlockSimulation
import Testing

@testable import RedlockLive

@Suite("What cannot be done to real processes")
struct ObstacleTests {
    @Test(
        "a schedule with it is refused, and names the fault",
        arguments: [
            (Fault.Kind.clientStop, ""), (.nodeGreeting, "no-uptime"), (.nodeRestore, ""), (.nodeMemory, "noeviction"),
        ])
    func refused(kind: Fault.Kind, text: String) {
        var schedule = Schedule(seed: 1)
        var fault = Fault(kind, at: 0, nodes: [0], clients: [0]).with(amount: 1)
        fault.text = text
        schedule.faults = [fault]
        #expect(schedule.obstacle?.contains(kind.rawValue) == true)
        #expect(schedule.withoutImpossibleFaults.faults.isEmpty)
    }

    @Test("a server that has no memory at all can be made")
    func allMemory() {
        var schedule = Schedule(seed: 1)
        var fault = Fault(.nodeMemory, at: 0, nodes: [0]).with(amount: 1_000)
        fault.text = Fault.EvictionPolicy.volatileLRU.rawValue
        schedule.faults = [fault]
        #expect(schedule.obstacle == nil)
        #expect(schedule.withoutImpossibleFaults == schedule)
    }

    @Test("requests of one client with different limits are refused; with the same they are not")
    func limits() {
        var schedule = Schedule(seed: 1)
        for (worker, attempts) in [(0, 2), (1, 0), (0, 2)] {
            var step = Schedule.Step(.acquire, at: 0, worker: worker)
            step.maximumAttempts = attempts
            schedule.script.append(step)
        }
        #expect(schedule.obstacle == nil)
        schedule.script[2].maximumAttempts = 3
        #expect(schedule.obstacle != nil)
        schedule.script = []
        schedule.options.maximumHolds = 1
        #expect(schedule.obstacle != nil)
    }

    @Test("each client is configured by its own settings")
    func settings() {
        var options = WorldOptions()
        options.clients = 2
        options.clientSettings = [ClientSettings()]
        options.clientSettings[0].ttl = WorldOptions.milliseconds(500)
        options.clientSettings[0].longestTTL = WorldOptions.milliseconds(700)
        options.clientSettings[0].driftPartsPerMillion = 20_000
        options.clientSettings[0].trustsDurableNodes = true
        let own = ClientConfiguration(options, client: 0)
        #expect(own.longestTTL == WorldOptions.milliseconds(700))
        #expect(own.driftPartsPerMillion == 20_000)
        #expect(own.trustsDurableNodes)
        #expect(ClientConfiguration(json: own.json) == own)
        #expect(options.asSeen(by: 0).ttl == WorldOptions.milliseconds(500))
        let other = ClientConfiguration(options, client: 1)
        #expect(other.longestTTL == options.ttl)
        #expect(!other.trustsDurableNodes)
    }
}
