import LocalCluster
import RedlockRedis
import TestSupport
import Testing

@testable import RedlockBench

@Suite("The delay proxy")
struct DelayProxyTests {
    @Test("passes commands and answers on, in order, and holds them back in both directions")
    func relays() async throws {
        try await onOwnThread {
            let cluster = try LocalCluster(nodes: 2)
            let addresses = try cluster.urls.map { try NodeAddress($0) }
            let proxy = try DelayProxy(to: addresses, delay: .milliseconds(2))
            var clients: [NodeClient] = []
            for (index, port) in proxy.ports.enumerated() {
                let client = try NodeClient(try NodeAddress("redis://127.0.0.1:\(port)"))
                let start = Stopwatch.nanoseconds
                #expect(try client.text(["SET", "k", "node \(index)"]) == "OK")
                #expect(Stopwatch.nanoseconds - start >= 4_000_000)
                #expect(try client.text(["GET", "k"]) == "node \(index)")
                clients.append(client)
            }
            proxy.stop()
            // Not a new connection: another process may have the port by now.
            for client in clients { #expect(throws: BenchError.self) { _ = try client.text(["GET", "k"]) } }
        }
    }
}
