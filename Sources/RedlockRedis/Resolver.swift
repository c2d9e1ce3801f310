internal import PosixLock

/// Looks up one node's host, off the event loop, one look-up at a time: `getaddrinfo` may block for many seconds, and a
/// node that is dialled again meanwhile joins the look-up under way.
package final class Resolver {
    typealias Outcome = Result<[SocketAddress], SocketAddress.ResolveError>

    private let endpoint: NodeAddress.Endpoint
    private let loop: EventLoop
    private var isLookingUp = false
    private var waiting: ((Outcome) -> Void)?

    package init(_ endpoint: NodeAddress.Endpoint, loop: EventLoop) {
        self.endpoint = endpoint
        self.loop = loop
    }

    /// Answers at once for addresses and paths, later for names. A later call takes the place of an earlier one.
    func resolve(_ answer: @escaping (Outcome) -> Void) {
        loop.preconditionInTurn()
        guard case .tcp(let host, let port) = endpoint else {
            if case .unix(let path) = endpoint { answer(.success([SocketAddress(path: path)])) }
            return
        }
        if case .success(let addresses) = SocketAddress.resolve(host: host, port: port, numeric: true) {
            answer(.success(addresses))
            return
        }
        waiting = answer
        guard !isLookingUp else { return }
        isLookingUp = true
        let lookup = Lookup(resolver: self)
        do throws(ThreadError) {
            try startThread { [loop] in
                let outcome = SocketAddress.resolve(host: host, port: port, numeric: false)
                loop.perform { lookup.resolver.finish(outcome) }
            }
        } catch {
            finish(.failure(SocketAddress.ResolveError(description: "\(host): \(error)")))
        }
    }

    /// Nobody waits any more.
    func cancel() {
        waiting = nil
    }

    private func finish(_ outcome: Outcome) {
        isLookingUp = false
        let answer = waiting
        waiting = nil
        answer?(outcome)
    }

    /// Carries the resolver past the look-up and back into a turn, where alone it is touched.
    private struct Lookup: @unchecked Sendable {
        let resolver: Resolver
    }
}
