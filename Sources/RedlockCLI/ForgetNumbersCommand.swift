import CommandSupport
import Glibc
import Redlock
import RedlockCore
import RedlockDoctor
import RedlockRedis

/// `redlock forget-numbers`: deletes fencing numbers that have not changed for long, node by node.
enum ForgetNumbersCommand {
    private static let ageLimits: ClosedRange<Duration> = .seconds(3_600) ... .seconds(3_650 * 86_400)
    private static let rateLimits = 1_000...1_000_000

    static let subcommand = Subcommand(
        "forget-numbers", summary: "deletes old fencing numbers, and keeps tokens rising",
        options: Nodes.options + [
            .init("older-than", .text("TIME"), "how long ago a number was made, 1h to 3650d; required"),
            .init("key-prefix", .bytes("TEXT"), "only numbers of keys that begin so"),
            .init("rate", .text("NUMBER"), "keys per second, 1000 to 1000000 (20000)"),
            .init("dry-run", "change nothing; print what would be done"),
            .init("json", "one JSON object for each node"),
        ],
        notes: """
            Each node's floor is raised first; it takes the place of the numbers.
            Safe beside running locks; may be interrupted, and run again.
            All clients must know floors: docs/fencing.md, Forgetting numbers.
            exit: 0 done, 69 a node was not finished, 64 wrong arguments
            example: redlock forget-numbers --older-than 30d --node redis://a
            """,
        run: { try await run($0) })

    private static func run(_ arguments: Arguments) async throws -> Int32 {
        _ = try arguments.words(atMost: 0)
        guard let age = try arguments.time("older-than", ageLimits) else {
            throw UsageError("--older-than is required, as in --older-than 30d")
        }
        let nanoseconds = Nanoseconds(age)
        var removal = NumberRemoval(cutoff: WallClock.microseconds - nanoseconds.count / 1_000, age: nanoseconds)
        removal.prefix = arguments.bytes("key-prefix") ?? []
        removal.isDry = arguments.has("dry-run")
        removal.rate = try arguments.number("rate", rateLimits, otherwise: removal.rate)
        let addresses: [NodeAddress]
        do {
            addresses = try NodeAddress.set(of: try Nodes.urls(arguments))
        } catch let error as NodeAddress.ParseError {
            throw UsageError("\(error)")
        }
        let asJSON = arguments.has("json")
        var isComplete = true
        for address in addresses {
            let report = await Task.detached { [removal] in
                removal.run(
                    on: address, pause: { (usleep(UInt32($0.count / 1_000)), true).1 },
                    progress: { Console.progress("\(address): \($0.summary(isDry: removal.isDry))") })
            }.value
            Console.endProgress()
            isComplete = isComplete && report.failure == nil
            Console.say(
                asJSON
                    ? report.json(address.description, isDry: removal.isDry)
                    : "\(address): \(report.summary(isDry: removal.isDry))"
                        + (report.failure.map { "; not finished: \($0)" } ?? ""))
        }
        return isComplete ? 0 : ExitCode.unavailable
    }
}

extension NumberRemoval.Report {
    fileprivate func summary(isDry: Bool) -> String {
        var text = "\(numbers) numbers, \(deleted) \(isDry ? "would be deleted" : "deleted"), floor \(floor)"
        if persisted > 0 { text += ", \(persisted) \(isDry ? "would lose" : "lost") their expiry" }
        if implausible > 0 { text += ", \(implausible) beyond any clock (redlock doctor --resource NAME)" }
        if others > 0 { text += ", \(others) keys left alone: no numbers" }
        return text
    }

    fileprivate func json(_ node: String, isDry: Bool) -> String {
        var object = JSONObject()
        object.add("schema", "redlock-forget-numbers")
        object.add("version", 1)
        object.add("node", node)
        object.add("dry_run", isDry)
        object.add("floor", Int(floor))
        object.add("numbers", Int(numbers))
        object.add("deleted", Int(deleted))
        object.add("persisted", Int(persisted))
        object.add("implausible", Int(implausible))
        object.add("others", Int(others))
        object.add("finished", failure == nil)
        if let failure { object.add("failure", failure) }
        return object.text
    }
}
