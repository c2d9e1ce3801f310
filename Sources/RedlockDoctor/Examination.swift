internal import Dispatch
import PosixLock
package import RedlockCore
package import RedlockRedis

/// Asks all nodes at the same time, each on a thread of its own, as often as it is told to.
package final class Examination: Sendable {
    private typealias Outcome = Result<NodeAnswers, ProbeFailure>

    /// What the deadline leaves for threads that were late.
    private static let slackMilliseconds: Int64 = 100

    private let addresses: [NodeAddress]
    private let key: [UInt8]
    private let timeout: Nanoseconds
    /// Nodes that are being asked. A look-up cannot be given up: where it goes on, no second one is begun.
    private let busy = Locked<Set<Int>>([])

    /// - Parameters:
    ///   - key: A key that nobody has, for the trials of the rights.
    ///   - timeout: How long each node may take for all of its answers. They take it together.
    package init(_ urls: [String], key: [UInt8], timeout: Nanoseconds) throws(NodeAddress.ParseError) {
        addresses = try NodeAddress.set(of: urls)
        self.key = key
        self.timeout = timeout
    }

    /// Each node as it was found, in their order.
    package func run(_ expected: Expectations) async -> [NodeReport] {
        let outcomes = await withCheckedContinuation { continuation in
            DispatchQueue(label: "redlock.doctor").async { continuation.resume(returning: self.runBlocking()) }
        }
        var parameters = Parameters(nodes: addresses.count)
        parameters.quarantine = expected.longestTTL
        parameters.longestTTL = expected.longestTTL
        return zip(addresses, outcomes).map { address, outcome in
            NodeReport(
                node: address.description, host: address.host, outcome: outcome.map { ServerReport($0, parameters) })
        }
    }

    private func runBlocking() -> [Outcome] {
        let outcomes = Locked([Outcome](repeating: .failure(.lookUpTimedOut), count: addresses.count))
        let deadline = BootClock.nanoseconds + timeout.count
        let group = DispatchGroup()
        for (index, address) in addresses.enumerated() {
            guard busy.withLock({ $0.insert(index).inserted }) else { continue }
            group.enter()
            DispatchQueue(label: "redlock.doctor.node").async { [self, key] in
                let outcome: Outcome
                do throws(ProbeFailure) {
                    outcome = .success(try Probe.ask(address, key: key, until: deadline))
                } catch {
                    outcome = .failure(error)
                }
                outcomes.withLock { $0[index] = outcome }
                busy.withLock { _ = $0.remove(index) }
                group.leave()
            }
        }
        let milliseconds = Int(timeout.millisecondsRoundedUp + Self.slackMilliseconds)
        _ = group.wait(timeout: .now() + .milliseconds(milliseconds))
        return outcomes.withLock { $0 }
    }
}

extension NodeAddress {
    /// The machine that it is on, by its name; this one has many.
    fileprivate var host: String {
        guard case .tcp(let host, _) = endpoint, host != "localhost", host != "::1", !host.hasPrefix("127.") else {
            return NodeReport.thisMachine
        }
        return host
    }
}
