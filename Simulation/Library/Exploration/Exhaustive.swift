/// Every way in which the first messages of two clients can be late, in a small world.
///
/// Each link has a first command and a first answer that is prompt, comes after the node timeout, or comes after the
/// ttl: three ways for each of the `2 · clients · nodes` messages, and two clients that start together.
package struct Exhaustive: Sendable {
    package let nodes: Int
    package let clients: Int
    private let messages: Int

    private static let ttl = WorldOptions.milliseconds(200)
    private static let nodeTimeout = WorldOptions.milliseconds(20)

    package init(nodes: Int, clients: Int) {
        self.nodes = nodes
        self.clients = clients
        messages = 2 * nodes * clients
    }

    /// How many worlds there are.
    package var count: Int {
        var count = 1
        for _ in 0..<messages { count *= 3 }
        return count
    }

    package func run(_ number: Int) -> Outcome {
        var schedule = Schedule(seed: 1)
        schedule.options.nodes = nodes
        schedule.options.clients = clients
        schedule.options.ttl = Self.ttl
        schedule.options.nodeTimeout = Self.nodeTimeout
        schedule.options.delay = WorldOptions.milliseconds(1)
        schedule.options.jitter = 0
        schedule.options.scripted = true
        for client in 0..<clients { schedule.acquire(client, at: 100 + Double(client) / 2, wait: 300) }
        schedule.healAt = 0
        schedule.endAt = WorldOptions.milliseconds(1_200)
        var world = World(schedule)
        var rest = number
        world.plannedDelays = (0..<messages).map { _ in
            let choice = rest % 3
            rest /= 3
            let late = [WorldOptions.milliseconds(1), Self.nodeTimeout * 3 / 2, Self.ttl * 3 / 2][choice]
            // The dial and the greeting come first, and are prompt.
            return [late, WorldOptions.milliseconds(1)]
        }
        return world.run()
    }
}
