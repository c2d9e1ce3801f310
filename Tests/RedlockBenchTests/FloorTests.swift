import LocalCluster
import RedlockCore
import RedlockRedis
import Testing

@testable import RedlockBench

/// The floors send what the library sends, and nothing else.
@Suite("The floors of the bench") struct FloorTests {
    private func formatted(_ operation: Command.Operation, _ key: String) -> String {
        var formatter = CommandFormatter()
        var bytes: [UInt8] = []
        let command = Command(operation, key: Array(key.utf8), token: Token(number: 0), notice: .nothing)
        formatter.format(command).append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// With the token in the place of the floor's own.
    private func text(_ words: [String]) -> String {
        let digits = String(repeating: "0", count: 40)
        return String(
            decoding: WireFloor.bytes(words.map { $0.utf8.count == 40 && $0 != Script.releaseDigest ? digits : $0 }),
            as: UTF8.self)
    }

    @Test("Its commands are the library's, byte for byte, apart from the token")
    func commands() {
        let commands = FloorCommands(keyPrefix: "floor:", depth: 12)
        #expect(commands.acquires.count == 12 && commands.releases.count == 12)
        for index in [0, 9, 11] {
            #expect(text(commands.acquires[index]) == formatted(.acquire(milliseconds: 10_000), "floor:\(index)"))
            #expect(text(commands.releases[index]) == formatted(.release, "floor:\(index)"))
        }
    }

    @Test("Both set their keys on all nodes, and delete them", arguments: [true, false])
    func cycles(isWire: Bool) throws {
        let cluster = try LocalCluster(nodes: 3, persistence: .none)
        defer { cluster.stop() }
        let addresses = try cluster.urls.map { try NodeAddress($0) }
        let floor: any CommandFloor =
            isWire
            ? try WireFloor(addresses, keyPrefix: "f:", depth: 300)
            : try HiredisFloor(addresses, keyPrefix: "f:", depth: 300)
        try floor.serve(acquires: 0..<300, releases: 0..<0)
        let clients = try addresses.map { try NodeClient($0) }
        for client in clients { #expect(try client.text(["GET", "f:299"]).utf8.count == 40) }
        // What is held is not granted again: the floor says so.
        #expect(throws: BenchError.self) { try floor.serve(acquires: 0..<1, releases: 0..<0) }
        let next: any CommandFloor =
            isWire
            ? try WireFloor(addresses, keyPrefix: "f:", depth: 300)
            : try HiredisFloor(addresses, keyPrefix: "f:", depth: 300)
        try next.serve(acquires: 0..<0, releases: 0..<300)
        let figures = try next.run(depth: 2, for: .milliseconds(20)) { true }
        #expect(figures.cycles > 0 && figures.cycles % 2 == 0)
        for client in clients { #expect(try client.text(["GET", "f:0"]) == "") }
    }
}
