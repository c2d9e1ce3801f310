import Testing

@testable import RedlockSimulation

@Suite("Schedules")
struct ScheduleTests {
    @Test("come back from JSON as they went, and run the same", arguments: Profile.allCases)
    func roundTrip(profile: Profile) throws {
        for seed in 0..<25 as Range<UInt64> {
            let schedule = Schedule(random: seed, profile)
            let text = schedule.json.pretty
            let back = try Schedule(json: JSON(parsing: text))
            #expect(back == schedule, "seed \(seed)")
            #expect(back.json.pretty == text)
        }
        for scenario in Scenario.all {
            #expect(try Schedule(json: JSON(parsing: scenario.schedule.json.text)) == scenario.schedule)
        }
    }

    private static let good = """
        {"schema": "redlock-sim/schedule", "version": 1, "seed": 1, "world": {"nodes": 3, "clients": 2},
         "heal_us": 1000, "end_us": 2000, "faults": [FAULT]}
        """

    private static func text(_ fault: String = "") -> String {
        var parts = good.split(separator: "FAULT", maxSplits: 1).map { String($0) }
        parts.insert(fault, at: 1)
        return parts.joined()
    }

    @Test("a minimal one is enough")
    func minimal() throws {
        let schedule = try Schedule(json: JSON(parsing: Self.text()))
        #expect(schedule.options.nodes == 3)
    }

    @Test(
        "what makes no sense is an error that says what",
        arguments: [
            (text(#"{"at_us": 1, "kind": "node-explode", "nodes": [0]}"#), "node-explode"),
            (text(#"{"at_us": 1, "kind": "node-kill", "nodes": [3], "for_us": 5}"#), "there is no node 3"),
            (text(#"{"at_us": 1, "kind": "client-pause", "clients": [2], "for_us": 5}"#), "there is no client 2"),
            (text(#"{"at_us": -1, "kind": "node-kill", "nodes": [0], "for_us": 5}"#), "at_us"),
            (text(#"{"at_us": 1, "kind": "node-kill", "nodes": [0], "for_us": -5}"#), "for_us"),
            (text(#"{"at_us": 1, "kind": "node-kill", "nodes": [0], "for_us": 999999999999999}"#), "for_us"),
            (text(#"{"at_us": 1, "kind": "node-kill", "nodes": [], "for_us": 5}"#), "empty"),
            (text(#"{"at_us": 1, "kind": "node-kill", "nodes": [0, 0], "for_us": 5}"#), "twice"),
            (text(#"{"at_us": 1, "kind": "node-kill", "nodes": [0], "for_us": 5, "colour": 1}"#), "colour"),
            (
                text(
                    #"{"at_us": 1, "kind": "link-loss", "nodes": [0], "clients": [0], "for_us": 5, "per_mille": 2000}"#),
                "per_mille"
            ),
            (
                text(
                    #"{"at_us": 1, "kind": "node-memory", "nodes": [0], "for_us": 5, "per_mille": 1, "text": "lru"}"#),
                "there is no eviction policy \"lru\""
            ),
            (
                text(
                    #"{"at_us": 1, "kind": "node-memory", "nodes": [0], "for_us": 5, "per_mille": 1001, "text": "noeviction"}"#
                ),
                "per_mille"
            ),
            (
                text(
                    #"{"at_us": 1, "kind": "node-greeting", "nodes": [0], "for_us": 5, "amount_us": 0, "text": "rude"}"#
                ),
                "there is no defect of a greeting \"rude\""
            ),
            (
                text(
                    #"{"at_us": 1, "kind": "node-greeting", "nodes": [0], "for_us": 5, "amount_us": 1, "text": "no-uptime"}"#
                ),
                "must be 0 with the defect"
            ),
            (text(#"{"at_us": 1, "kind": "node-restore", "nodes": [0], "amount_us": -1}"#), "amount_us"),
            (text(#"{"at_us": 1, "kind": "client-stop", "clients": [0], "for_us": 5}"#), "amount_us"),
            (
                text().replacing("\"clients\": 2", with: "\"clients\": 2, \"bodies_per_mille\": 1001"),
                "bodies_per_mille"
            ),
            (
                text().replacing(
                    "\"clients\": 2", with: "\"clients\": 2, \"client_settings\": [{\"ttl_us\": 999999999}]"),
                "\"ttl_us\" of a client is 999999999"
            ),
            (
                text().replacing(
                    "\"clients\": 2", with: "\"clients\": 2, \"client_settings\": [{\"longest_ttl_us\": 1000}]"),
                "longest_ttl_us"
            ),
            (
                text().replacing("\"clients\": 2", with: "\"clients\": 2, \"client_settings\": [{\"colour\": 1}]"),
                "colour"
            ),
            (
                text().replacing("\"clients\": 2", with: "\"clients\": 2, \"client_settings\": [{}, {}, {}]"),
                "at most 2"
            ),
            (text().replacing("\"version\": 1", with: "\"version\": 2"), "version is 2"),
            (text().replacing("redlock-sim/schedule", with: "other"), "schema"),
            (text().replacing("\"nodes\": 3", with: "\"nodes\": 3000000"), "nodes"),
            (text().replacing("\"clients\": 2", with: "\"clients\": 0"), "clients"),
            (text().replacing("\"seed\": 1", with: "\"seed\": 1.5"), "whole"),
            (text().replacing("\"seed\": 1", with: "\"seed\": 99999999999999999999"), "64 bits"),
            (text().replacing("\"heal_us\": 1000, ", with: ""), "heal_us"),
            ("{", "ends too soon"), ("", "ends too soon"), ("[1, 2", "ends too soon"), ("nonsense", "unknown word"),
            (text() + "x", "follows"), (String(repeating: "[", count: 64), "nested"),
        ])
    func badInput(text: String, expected: String) {
        do {
            _ = try Schedule(json: JSON(parsing: text))
            Issue.record("it was taken: \(text.prefix(200))")
        } catch let error as JSON.ParseError {
            #expect(error.description.contains(expected), "\(error)")
        } catch let error as ScheduleError {
            #expect(error.description.contains(expected), "\(error)")
        } catch {
            Issue.record("another error: \(error)")
        }
    }

    @Test("strings survive JSON, whatever is in them")
    func strings() throws {
        let nasty = "quote \" backslash \\ newline \n tab \t bell \u{7} ü 漢 🔒 </script>"
        #expect(try JSON(parsing: JSON.string(nasty).text) == .string(nasty))
    }

    @Test("shrinking keeps the failure and little else")
    func shrinking() throws {
        var schedule = Schedule(random: 11, .tolerated)
        schedule.mutant = "delete-without-check"
        var shrinker = try #require(Shrinker(schedule, budget: 400))
        shrinker.shrink()
        let small = shrinker.schedule
        #expect(small.faults.count <= 1)
        #expect(small.options.clients <= 2)
        var world = World(small)
        #expect(world.run().worst?.oracle == shrinker.oracle)
        #expect(try Schedule(json: JSON(parsing: small.json.text)) == small)
    }

    @Test("a schedule that holds cannot be shrunk")
    func nothingToShrink() throws {
        #expect(Shrinker(try #require(Scenario.named("happy-path")).schedule) == nil)
    }

    @Test("a report is one file that asks for nothing")
    func report() throws {
        let scenario = try #require(Scenario.named("quarantine-off"))
        var world = World(scenario.schedule, tracing: true)
        let outcome = world.run()
        let page = HTMLReport.page(scenario.schedule, outcome, world.trace)
        #expect(page.contains("overlap at"))
        for forbidden in ["http:", "https:", "src=", "@import", "url(http"] {
            #expect(!page.contains(forbidden), "\(forbidden)")
        }
    }

    @Test("a report tells in words, and not in names of the source, why something was or was not done")
    func words() throws {
        var seen: Set<String> = []
        for name in ["rolling-restart-without-repair", "clock-jump-forward", "split-vote"] {
            let schedule = try #require(Scenario.named(name)).schedule
            var world = World(schedule, tracing: true)
            let outcome = world.run()
            let page = HTMLReport.page(schedule, outcome, world.trace)
            for word in ["noSpareNode", "notExtended", "heldByAnother", "clockJumped", "shutDown"] {
                #expect(!page.contains(word), "\(name): \(word)")
            }
            let words = ["no spare node is left", "could not be extended", "others hold it", "was set forward"]
            seen.formUnion(words.filter { page.contains($0) })
        }
        #expect(seen.count == 4, "\(seen)")
    }

    @Test(
        "a report names the pause of a client that an outcome follows from, and no pause where a node is slow",
        arguments: [
            ("gc-pause-during-acquire", true), ("extension-late", true), ("gc-pause-before-check", true),
            ("bare-majority-then-loss", false), ("split-vote", false),
        ])
    func pauses(name: String, isNamed: Bool) throws {
        let schedule = try #require(Scenario.named(name)).schedule
        var world = World(schedule, tracing: true)
        let outcome = world.run()
        let page = HTMLReport.page(schedule, outcome, world.trace)
        #expect(page.contains("the client did not run for at least") == isNamed)
    }

    @Test("one of something is told as one")
    func one() {
        #expect(Format.count(1, "loss", "losses") == "1 loss")
        #expect(Format.count(0, "loss", "losses") == "0 losses")
        #expect(Format.count(1_234, "grant") == "1,234 grants")
        #expect(Explanation.verdict(Outcome(), of: Schedule(seed: 1)).first?.contains("0 grants") == true)
    }
}
