import LocalCluster
import Redlock

/// One client of the lock, as another process would be: its own connections, its own view of the nodes.
struct Contender: Sendable {
    let name: String
    let redlock: Redlock
    private let timeline: Timeline

    init(_ name: String, _ cluster: LocalCluster, _ timeline: Timeline) throws {
        self.name = name
        self.timeline = timeline
        var configuration = Redlock.Configuration()
        // They keep every write, always did, and were just started.
        configuration.trustsDurableNodes = true
        configuration.observer = { timeline.show($0, of: name) }
        redlock = try Redlock(nodes: cluster.urls, configuration: configuration)
    }

    func work(for time: Duration, waitingUpTo wait: Duration) async {
        do {
            try await redlock.withLock(Demo.resource, ttl: Demo.ttl, waitingUpTo: wait) { lease in
                timeline.enter(name)
                defer { timeline.leave(name) }
                do {
                    try await Task.sleep(for: time)
                    timeline.note("\(name) is done with the work")
                } catch {
                    timeline.note("\(name) stops working, \(Timeline.text(lease.remaining)) before the validity ends")
                }
            }
        } catch let error as RedlockError {
            timeline.note("\(name) is told: \(error.code.rawValue), \(error.message)")
        } catch {
            timeline.note("\(name) failed: \(error)")
        }
    }
}
