internal import PosixLock
package import RedlockCore
package import RedlockRedis

/// Asks all nodes at the same time, each on a thread of its own, as often as it is told to.
package final class Examination: Sendable {
    private typealias Outcome = Result<NodeAnswers, ProbeFailure>

    /// What the deadline leaves for threads that were late.
    private static let slackMilliseconds: Int64 = 100

    private let addresses: [NodeAddress]
    private let key: [UInt8]
    private let resources: [[UInt8]]
    private let timeout: Nanoseconds
    /// Nodes that are being asked. A look-up cannot be given up: where it goes on, no second one is begun.
    private let busy = Locked<Set<Int>>([])

    /// - Parameters:
    ///   - key: A key that nobody has, for the trials of the rights.
    ///   - resources: Keys of locks whose fencing numbers are read.
    ///   - timeout: How long each node may take for all of its answers. They take it together.
    package init(
        _ urls: [String], key: [UInt8], resources: [[UInt8]] = [], timeout: Nanoseconds
    ) throws(NodeAddress.ParseError) {
        addresses = try NodeAddress.set(of: urls)
        self.key = key
        self.resources = resources
        self.timeout = timeout
    }

    /// The system refuses this process a thread or a descriptor, so nothing can be said of the nodes.
    package struct Scarcity: Error, CustomStringConvertible {
        package let description: String
    }

    /// Each node as it was found, in their order.
    package func run(_ expected: Expectations) async throws(Scarcity) -> [NodeReport] {
        let outcomes: Result<[Outcome], ThreadError> = await withCheckedContinuation { continuation in
            do throws(ThreadError) {
                try startThread { [self] in continuation.resume(returning: runBlocking()) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        var parameters = Parameters(nodes: addresses.count)
        parameters.quarantine = expected.longestTTL
        parameters.longestTTL = expected.longestTTL
        parameters.trustsDurableNodes = expected.trustsDurableNodes
        let found: [Outcome]
        do throws(ThreadError) {
            found = try outcomes.get()
        } catch {
            throw Scarcity(description: error.description)
        }
        for case .failure(.connection(.noDescriptor(let text))) in found {
            throw Scarcity(description: "the system refuses another descriptor: \(text)")
        }
        return zip(addresses, found).map { address, outcome in
            NodeReport(
                node: address.description, host: address.host, outcome: outcome.map { ServerReport($0, parameters) })
        }
    }

    private func runBlocking() -> Result<[Outcome], ThreadError> {
        let answers = Monitor([Int: Outcome]())
        let deadline = BootClock.nanoseconds + timeout.count
        let asked = addresses.indices.filter { index in busy.withLock { $0.insert(index).inserted } }
        for index in asked {
            do throws(ThreadError) {
                try startThread { [self, address = addresses[index], key, resources] in
                    let outcome: Outcome
                    do throws(ProbeFailure) {
                        outcome = .success(try Probe.ask(address, key: key, resources: resources, until: deadline))
                    } catch {
                        outcome = .failure(error)
                    }
                    busy.withLock { _ = $0.remove(index) }
                    answers.update { $0[index] = outcome }
                }
            } catch {
                busy.withLock { _ = $0.remove(index) }
                return .failure(error)
            }
        }
        let limit = timeout.count + Self.slackMilliseconds * 1_000_000
        _ = answers.wait(atMost: limit) { $0.count == asked.count ? () : nil }
        return .success(
            answers.update { answers in addresses.indices.map { answers[$0] ?? .failure(.lookUpTimedOut) } })
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
