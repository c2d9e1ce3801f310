import CommandSupport
import Glibc
import LocalCluster
import Redlock

/// The main job, to be watched: two contenders, five nodes, and nodes that die and come back.
@main
struct Demo {
    static let resource: Resource = "demo:invoice-42"
    static let ttl = Duration.seconds(2)

    private static let help = """
        usage: redlock-demo
        Starts five redis-servers on this machine, kills some of them while two
        contenders want one lock, and shows what becomes of it. About ten seconds.
        """

    static func main() async throws {
        do {
            let arguments = try Arguments([[UInt8]](of: CommandLine.self).dropFirst(), options: [.help])
            _ = try arguments.words(atMost: 0)
            if arguments.has("help") {
                Console.say(help)
                return
            }
        } catch {
            Console.complain("redlock-demo: \(error)\n\(help)")
            exit(Program.usageCode)
        }
        try await show()
    }

    private static func show() async throws {
        let cluster: LocalCluster
        do {
            cluster = try LocalCluster(nodes: 5, persistence: .everyWrite)
        } catch {
            print("the demo cannot start its servers: \(error); `make demo` installs what is missing")
            exit(1)
        }
        let timeline = Timeline(nodes: cluster.urls.count)
        timeline.introduce(cluster, resource: resource, ttl: ttl)

        let anna = try Contender("Anna", cluster, timeline)
        let bert = try Contender("Bert", cluster, timeline)
        try await play(cluster, timeline, anna, bert)
        await anna.redlock.shutdown()
        await bert.redlock.shutdown()
        cluster.stop()
        timeline.end()
    }

    private static func play(
        _ cluster: LocalCluster, _ timeline: Timeline, _ anna: Contender, _ bert: Contender
    ) async throws {
        timeline.scene("Anna takes the lock and works. Bert wants it too, and is kept out.")
        let annasWork = Task { await anna.work(for: .seconds(60), waitingUpTo: .zero) }
        try await Task.sleep(for: .milliseconds(300))
        let bertsTry = Task { await bert.work(for: .seconds(1), waitingUpTo: .milliseconds(500)) }
        await bertsTry.value

        timeline.scene("kill -9 of nodes 1 and 2. Anna has three of five: a quorum. She keeps the lock and extends it.")
        cluster.nodes[0].kill()
        cluster.nodes[1].kill()
        try await Task.sleep(for: .seconds(2))

        timeline.scene(
            "kill -9 of node 3. Two of five are no quorum. Anna is told before her validity ends, and stops.")
        cluster.nodes[2].kill()
        await annasWork.value

        timeline.scene("Bert waits: nobody can have the lock now. Then the nodes come back, and he gets it.")
        let bertsWork = Task { await bert.work(for: .milliseconds(1_500), waitingUpTo: .seconds(20)) }
        try await Task.sleep(for: .seconds(1))
        for node in cluster.nodes[..<3] { try node.start() }
        timeline.note("nodes 1, 2 and 3 are back, with what they had on disk")

        timeline.scene("Anna waits for Bert, and gets the lock when he is done: one at a time.")
        try await Task.sleep(for: .milliseconds(600))
        await anna.work(for: .milliseconds(300), waitingUpTo: .seconds(20))
        await bertsWork.value
    }
}
