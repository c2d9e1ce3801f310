import Glibc
import LocalCluster
import Redlock
import Testing

/// The rights that docs/operations.md tells people to grant: no fewer are enough, and no more are needed.
@Suite("Access rights")
struct AccessTests {
    /// The line of an ACL file, as the page shows it: `user redlock on >PASSWORD …`.
    private static let rules: [String] = {
        let page = TextFile.lines(of: "docs/operations.md")
        let line = page.first { $0.hasPrefix("    user redlock ") } ?? ""
        return line.split(separator: " ").dropFirst().map { $0 == ">PASSWORD" ? ">secret" : String($0) }
    }()

    private static let rights = rules.filter { $0.hasPrefix("+") }
    /// What waiters are woken by: without it they wait by the clock.
    private static let notifications = ["+publish", "+subscribe", "+unsubscribe", "+pubsub|numsub"]

    private func cluster(_ rules: [String]) async throws -> (cluster: LocalCluster, urls: [String]) {
        let cluster = try await startCluster(nodes: 1)
        #expect(cluster.nodes[0].command(["ACL", "SETUSER"] + rules) == .status("OK"))
        return (cluster, cluster.nodes.map { "redis://redlock:secret@127.0.0.1:\($0.port)" })
    }

    /// Acquires, extends and releases as that user, and says whether all of it was done.
    private func works(_ cluster: LocalCluster, _ urls: [String], fencing: Bool = false) async throws -> Bool {
        let (redlock, events) = try Redlock.observed(urls) { $0.fencing = fencing }
        var didAll = true
        do {
            let lease = try await redlock.acquire("lock:r", ttl: .seconds(30), waitingUpTo: .seconds(10))
            let before = lease.remaining
            do { try await lease.extend(ttl: .seconds(60)) } catch { didAll = false }
            didAll = didAll && lease.remaining > before
            await lease.release()
        } catch {
            didAll = false
        }
        await redlock.shutdown()
        // What may not be asked is reported, and the lock goes on without.
        let failed = events.events.contains {
            $0.kind == .nodeUnverified || $0.votes.contains { $0.kind == .errorReply }
        }
        return didAll && !failed && !cluster.hasKey("lock:r")
    }

    /// Hands over inside a process, and wakes a waiter of another, whose fallback is too far away to help.
    private func wakes(_ cluster: LocalCluster, _ urls: [String]) async throws -> Bool {
        let (holder, holderEvents) = try Redlock.observed(urls)
        let (waiter, events) = try Redlock.observed(urls) {
            $0.fallbackDelay = .seconds(3_000)
            $0.retryDelay = .seconds(60)
        }
        let lease = try await holder.acquire("lock:w", ttl: .seconds(60), waitingUpTo: .seconds(10))
        let next = Task.immediate {
            await (try holder.acquire("lock:w", ttl: .seconds(60), waitingUpTo: .seconds(3_000))).release()
        }
        let task = Task {
            await (try waiter.acquire("lock:w", ttl: .seconds(60), waitingUpTo: .seconds(3_000))).release()
        }
        await events.wait { $0.kind == .retry && $0.attempt >= 2 }
        await lease.release()
        try await next.value
        try await task.value
        await holder.shutdown()
        await waiter.shutdown()
        return !(events.events + holderEvents.events).contains { $0.kind == .notificationsDenied }
    }

    @Test("The rules of the page are enough, with fencing too", arguments: [false, true])
    func enough(fencing: Bool) async throws {
        #expect(Self.rights.count > 5)
        let (cluster, urls) = try await cluster(Self.rules)
        #expect(try await works(cluster, urls, fencing: fencing))
        #expect(try await wakes(cluster, urls))
        // Nothing was refused on the way, in scripts neither.
        #expect(cluster.nodes[0].command("ACL", "LOG") == .array([]))
    }

    /// Without PING a node counts as connected all the same; its refusal would only fill the node's log.
    @Test("Each of them is needed", arguments: rights.filter { $0 != "+ping" && !notifications.contains($0) })
    func needed(_ right: String) async throws {
        let (cluster, urls) = try await cluster(Self.rules + ["-" + right.dropFirst()])
        #expect(try await !works(cluster, urls), "it works without \(right)")
    }

    @Test("Other keys are out of reach")
    func otherKeys() async throws {
        let (cluster, urls) = try await cluster(Self.rules)
        let redlock = try Redlock.patient(urls)
        let error = await #expect(throws: RedlockError.self) {
            try await redlock.acquire("other:r", ttl: .seconds(30), waitingUpTo: .zero)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.votes.first?.detail.contains("NOPERM") == true, "\(error?.description ?? "")")
        #expect(!cluster.hasKey("other:r"))
        await redlock.shutdown()
    }
}
