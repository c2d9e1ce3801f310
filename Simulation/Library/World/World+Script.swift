import RedlockCore

// The steps of a scenario.

extension World {
    mutating func scriptStep(_ index: Int, _ item: EventQueue.Item) {
        let step = schedule.script[index]
        let client = workers[step.worker].client
        guard !clients[client].isDown else { return }
        guard clients[client].pauses == 0 else { return clients[client].deferred.append(item) }
        let ttl = step.ttl > 0 ? step.ttl : options.ttl(of: client)
        switch step.action {
        case .acquire:
            guard workers[step.worker].phase == .thinking else { return }
            request(
                step.worker, step.resource, ttl: ttl, wait: step.wait, extendsItself: step.extendsItself,
                RequestLimits(hold: step.maximumHold, attempts: step.maximumAttempts))
        case .extend: extend(step.worker, ttl: ttl)
        case .release: release(step.worker)
        case .cancel: cancel(step.worker, workers[step.worker].requests)
        case .write:
            guard workers[step.worker].phase == .held else { return mark(.writeRefusedByCheck) }
            checkAndWrite(step.worker, in: max(step.delay, 1))
        }
    }
}
