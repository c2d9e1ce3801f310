package import RedlockSimulation

extension WorldOptions {
    /// Fifty processes and twenty resources on five nodes, on one machine with as little as two processors: time-outs
    /// are longer than a machine that is so busy hiccups as a rule.
    package static var soak: WorldOptions {
        var options = WorldOptions()
        options.clients = 50
        options.fencedClients = 50
        options.resources = 20
        options.ttl = milliseconds(2_000)
        options.nodeTimeout = milliseconds(100)
        options.retryDelay = milliseconds(100)
        options.retryJitter = milliseconds(100)
        options.delay = milliseconds(1)
        options.jitter = milliseconds(2)
        options.otherExtensions = 300
        options.hold = milliseconds(2_000)
        options.think = milliseconds(2_000)
        options.wait = milliseconds(6_000)
        return options
    }
}
