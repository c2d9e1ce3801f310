import Redlock
import RedlockSimulation
import Testing

@testable import RedlockLive

@Suite("What live runs read and write")
struct WireTests {
    private static let token = String(repeating: "0123456789", count: 3) + "abcdefabcd"
    private static let digest = String(repeating: "d", count: 40)

    private static func wire(_ words: [String]) -> [UInt8] {
        Array("*\(words.count)\r\n".utf8) + words.flatMap { Array("$\($0.utf8.count)\r\n\($0)\r\n".utf8) }
    }

    @Test("commands are read along, however they are cut", arguments: [1, 2, 7, 1_000])
    func sniffer(size: Int) {
        let commands = [
            ["PING"], ["SET", "redlock-live:3", Self.token, "NX", "PX", "100"],
            ["EVALSHA", Self.digest, "1", "redlock-live:3", Self.token], ["GET", ""],
        ]
        let bytes = commands.flatMap(Self.wire)
        var sniffer = CommandSniffer()
        var found: [[String]] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            sniffer.feed(Array(bytes[start..<min(start + size, bytes.count)])) { words in
                found.append(words.map { String(decoding: $0, as: UTF8.self) })
            }
        }
        #expect(found == commands)
    }

    @Test("the sniffer gives up on what is no command, and keeps no more than its limit")
    func nonsense() {
        var sniffer = CommandSniffer()
        var count = 0
        for _ in 0..<100 { sniffer.feed([UInt8](repeating: 65, count: 1_000)) { _ in count += 1 } }
        sniffer.feed(Self.wire(["PING"])) { _ in count += 1 }
        #expect(count == 0)
    }

    @Test("a token is found behind its key, and a script's digest is none")
    func token() throws {
        let resources = LiveKeys.numbers(5)
        func find(_ words: [String]) -> LockToken.Sight? {
            LockToken.find(in: words.map { Array($0.utf8) }, resources: resources)
        }
        let found = try #require(find(["EVALSHA", Self.digest, "1", "redlock-live:3", Self.token]))
        #expect(found.token == Self.token)
        #expect(found.resource == 3)
        #expect(found.isRelease, "nothing follows the token")
        #expect(find(["SET", "redlock-live:3", Self.token, "NX", "PX", "100"])?.isRelease == false)
        #expect(find(["EVALSHA", Self.digest, "1", "redlock-live:3", Self.token, "100"])?.isRelease == false)
        #expect(find(["EVALSHA", Self.digest, "1", "other", Self.token]) == nil)
        #expect(find(["GET", "redlock-live:3"]) == nil)
    }

    @Test("reports and orders survive the way through a pipe")
    func lines() {
        var report = ClientReport(.lost, at: 123, worker: 2)
        report.hold = 7
        report.value = -5
        report.text = "the end of validity is near"
        #expect(ClientReport(line: report.line) == report)
        #expect(ClientReport(line: ClientReport(.ready, at: 1).line) == ClientReport(.ready, at: 1))
        for line in ["", "granted", "granted x 0 0 0 0 0 ", "dance 1 0 0 0 0 0 "] {
            #expect(ClientReport(line: line) == nil)
        }
        let orders: [ClientOrder] = [
            .acquire(worker: 1, resource: 2, ttl: 3, wait: 4, extendsItself: true), .extend(worker: 0, ttl: 9),
            .release(worker: 3), .cancel(worker: 1), .write(worker: 0, delay: 10), .work, .stop, .shutdown,
        ]
        for order in orders { #expect(ClientOrder(line: order.line) == order) }
        for line in ["", "acquire 1", "work 1", "extend a b", "dance"] { #expect(ClientOrder(line: line) == nil) }
    }

    @Test("a client's configuration survives it too, and says everything")
    func configuration() {
        var options = WorldOptions()
        options.nodeTimeout = 70_000_000
        options.lossMargin = 20_000_000
        options.fencedClients = 2
        let configuration = ClientConfiguration(options, client: 1)
        #expect(configuration.redlock.fencing)
        #expect(!ClientConfiguration(options, client: 2).redlock.fencing)
        #expect(ClientConfiguration(json: configuration.json) == configuration)
        #expect(configuration.redlock.nodeTimeout == .milliseconds(70))
        #expect(configuration.redlock.lossMargin == .milliseconds(20))
        #expect(configuration.redlock.driftFactor == 0.01)
        #expect(ClientConfiguration(json: .record([:])) == nil)
    }

    @Test("a schedule is stretched as a whole; what happens within a round trip goes with the delays")
    func stretching() throws {
        let scenario = try #require(Scenario.named("gc-pause-during-acquire"))
        let live = scenario.live(stretch: 3)
        #expect(live.options.ttl == 3 * scenario.schedule.options.ttl)
        let ask = try #require(live.script.first)
        let pause = try #require(live.faults.first)
        #expect(ask.at == WorldOptions.milliseconds(300))
        #expect(pause.at > ask.at && pause.at < ask.at + 2 * live.options.delay)
        // Logs are synced at real seconds.
        #expect(try #require(Scenario.named("power-loss-everysec")).live(stretch: 3).options.ttl == 2_000_000_000)
    }

    @Test("a soak has faults all along, and the same for the same seed")
    func soak() {
        let options = WorldOptions.soak
        let length = WorldOptions.milliseconds(120_000)
        let schedule = Schedule(soak: 7, options, .tolerated, lasting: length)
        #expect(schedule == Schedule(soak: 7, options, .tolerated, lasting: length))
        #expect(schedule.faults.allSatisfy { $0.at < length })
        for part in 0..<6 {
            let part = Int64(part) * length / 6..<Int64(part + 1) * length / 6
            #expect(schedule.faults.contains { part.contains($0.at) })
        }
        #expect(
            !schedule.faults.contains { $0.kind == .nodeClockJump && $0.amount > 0 }, "nothing that is not tolerated")
    }
}
